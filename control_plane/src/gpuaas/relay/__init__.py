"""The outbox relay: what the API wrote with a change becomes an event of the stream."""

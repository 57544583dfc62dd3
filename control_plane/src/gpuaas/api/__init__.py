"""The REST API: instances in projects, state in Postgres, an outbox beside it."""

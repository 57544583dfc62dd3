-- What a consumer has handled: written in the transaction of the effect, so an event that comes again has none.
CREATE TABLE processed_events (
    consumer      text NOT NULL,
    event_id      uuid NOT NULL,
    processed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);

CREATE INDEX processed_events_age ON processed_events (processed_at);

-- What a worker may write once only has the key of what it did; the API's own changes have an idempotency key of theirs.
ALTER TABLE outbox ADD COLUMN effect_key text UNIQUE;

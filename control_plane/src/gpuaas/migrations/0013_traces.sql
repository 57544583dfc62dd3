-- The trace that an event belongs to (W3C Trace Context): its message carries on from there.
ALTER TABLE outbox ADD COLUMN traceparent text;
ALTER TABLE outbox ADD COLUMN tracestate text;

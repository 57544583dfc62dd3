-- What expires is found without reading what stays.
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_instance ON idempotency_keys (instance_id);
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
CREATE INDEX outbox_instance ON outbox (instance_id);
CREATE INDEX instances_deleted ON instances (deleted_at) WHERE deleted_at IS NOT NULL;

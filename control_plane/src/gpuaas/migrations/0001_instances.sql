-- Instances stay after deletion: deleted_at hides them, history keeps them.
CREATE TABLE instances (
    id          uuid PRIMARY KEY,
    project     text NOT NULL CHECK (project <> ''),
    name        text NOT NULL CHECK (name <> ''),
    gpu_type    text NOT NULL,
    gpu_count   integer NOT NULL CHECK (gpu_count BETWEEN 1 AND 8),
    state       text NOT NULL CHECK (state IN ('requested', 'deleted')),
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL,
    deleted_at  timestamptz,
    CHECK ((state = 'deleted') = (deleted_at IS NOT NULL))
);

CREATE INDEX instances_live ON instances (project, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- The answer that the first request with a key was given.
CREATE TABLE idempotency_keys (
    subject         text NOT NULL,
    key             text NOT NULL,
    request_sha256  text NOT NULL,
    instance_id     uuid NOT NULL REFERENCES instances (id) DEFERRABLE INITIALLY DEFERRED,
    response        text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, key)
);

-- What happened to each instance, as its project is told. One worker writes it.
CREATE TABLE timeline (
    position     bigint PRIMARY KEY,
    event_id     uuid NOT NULL UNIQUE,
    instance_id  uuid NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    project      text NOT NULL,
    type         text NOT NULL,
    time         timestamptz NOT NULL,
    actor        text NOT NULL,
    sentence     text NOT NULL,
    details      jsonb NOT NULL
);

CREATE INDEX timeline_instance ON timeline (instance_id, position);
CREATE INDEX timeline_project ON timeline (project, position);

-- The last position. Whoever takes the next one holds this row until its transaction ends, so positions are in the order of
-- commits: a reader that has seen one never misses a smaller one. A sequence's numbers are not, and those of a stream begin
-- again when it is made anew.
CREATE TABLE timeline_position (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    last    bigint NOT NULL
);

INSERT INTO timeline_position (last) VALUES (0);

INSERT INTO role_rights (role, relation, privilege) VALUES
    ('gpuaas_notification', 'timeline', 'SELECT'),
    ('gpuaas_notification', 'timeline', 'INSERT'),
    ('gpuaas_notification', 'timeline_position', 'SELECT'),
    ('gpuaas_notification', 'timeline_position', 'UPDATE (last)');

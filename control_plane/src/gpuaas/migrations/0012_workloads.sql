-- What an instance is asked to run besides, and how that does. Worker app-runtime alone changes the latter: each change takes
-- the next turn, which the keys of its effects are made of. Crashes are counted from the deployment that an instance began with.
ALTER TABLE instances ADD COLUMN workload text;
ALTER TABLE instances ADD COLUMN workload_state text
    CHECK (workload_state IN ('pending', 'deployed', 'healthy', 'unhealthy', 'removing', 'removed'));
ALTER TABLE instances ADD COLUMN workload_turn integer NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN workload_crashes integer NOT NULL DEFAULT 0;
ALTER TABLE instances ADD CONSTRAINT instances_workload_check CHECK (workload IS NOT NULL OR workload_state IS NULL);

CREATE INDEX instances_workloads ON instances (id) WHERE workload IS NOT NULL AND (state = 'running' OR workload_state <> 'removed');

INSERT INTO role_rights (role, relation, privilege) VALUES
    ('gpuaas_runtime', 'instances', 'SELECT (id)'),
    ('gpuaas_runtime', 'instances', 'SELECT (state)'),
    ('gpuaas_runtime', 'instances', 'SELECT (workload)'),
    ('gpuaas_runtime', 'instances', 'SELECT (workload_state)'),
    ('gpuaas_runtime', 'instances', 'SELECT (workload_turn)'),
    ('gpuaas_runtime', 'instances', 'SELECT (workload_crashes)'),
    ('gpuaas_runtime', 'instances', 'UPDATE (workload_state)'),
    ('gpuaas_runtime', 'instances', 'UPDATE (workload_turn)'),
    ('gpuaas_runtime', 'instances', 'UPDATE (workload_crashes)'),
    ('gpuaas_runtime', 'outbox', 'SELECT (effect_key)'),
    ('gpuaas_runtime', 'outbox', 'INSERT'),
    ('gpuaas_runtime', 'processed_events', 'SELECT'),
    ('gpuaas_runtime', 'processed_events', 'INSERT');

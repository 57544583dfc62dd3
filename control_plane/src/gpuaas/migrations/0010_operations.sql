-- A running instance is stopped, started again, or gets another number of GPUs. Each time counts one operation more, and
-- whoever carries one out changes nothing once there is a later one.
ALTER TABLE instances ADD COLUMN operation integer NOT NULL DEFAULT 0;
-- Until the new GPUs run, the instance is as it was.
ALTER TABLE instances ADD COLUMN wanted_gpu_count integer CHECK (wanted_gpu_count BETWEEN 1 AND 8);
ALTER TABLE instances DROP CONSTRAINT instances_state_check;
ALTER TABLE instances ADD CONSTRAINT instances_state_check CHECK (
    state IN ('requested', 'provisioning', 'running', 'stopping', 'stopped', 'starting', 'resizing', 'failed', 'deleted')
);
ALTER TABLE instances ADD CONSTRAINT instances_wanted_check CHECK (state <> 'resizing' OR wanted_gpu_count IS NOT NULL);

-- What runs is compared with the fleet every few seconds, among all that ever ran.
CREATE INDEX instances_state ON instances (state);

INSERT INTO role_rights (role, relation, privilege) VALUES
    ('gpuaas_provisioning', 'instances', 'UPDATE (gpu_count)'),
    ('gpuaas_provisioning', 'instances', 'UPDATE (wanted_gpu_count)');

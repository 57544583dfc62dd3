-- An instance is provisioned: it runs, or fails for a reason.
ALTER TABLE instances ADD COLUMN reason text;
ALTER TABLE instances DROP CONSTRAINT instances_state_check;
ALTER TABLE instances ADD CONSTRAINT instances_state_check
    CHECK (state IN ('requested', 'provisioning', 'running', 'failed', 'deleted'));

INSERT INTO role_rights (role, relation, privilege) VALUES ('gpuaas_provisioning', 'instances', 'UPDATE (reason)');

-- What each worker's role may do, which uses this database besides the API's: a row for each privilege, in the words of
-- GRANT, such as SELECT or UPDATE (published_at). A migration gives it to the roles that there are; the preparation of
-- Postgres does so too, and takes back what does not stand here.
CREATE TABLE role_rights (
    role       text NOT NULL,
    relation   text NOT NULL,
    privilege  text NOT NULL,
    PRIMARY KEY (role, relation, privilege)
);

INSERT INTO role_rights (role, relation, privilege) VALUES
    ('gpuaas_relay', 'outbox', 'SELECT'),
    ('gpuaas_relay', 'outbox', 'UPDATE (published_at)'),
    ('gpuaas_notification', 'instances', 'SELECT (id)'),
    ('gpuaas_notification', 'instances', 'SELECT (project)'),
    ('gpuaas_notification', 'processed_events', 'SELECT'),
    ('gpuaas_notification', 'processed_events', 'INSERT'),
    ('gpuaas_provisioning', 'instances', 'SELECT'),
    ('gpuaas_provisioning', 'instances', 'UPDATE (state)'),
    ('gpuaas_provisioning', 'outbox', 'SELECT'),
    ('gpuaas_provisioning', 'outbox', 'INSERT');

-- Who uses the schema does not say what others may do with it; see 0004.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT DISTINCT acl.grantee::regrole::text
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE oid = 'role_rights'::regclass AND acl.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON role_rights FROM %s', name);
        EXECUTE format('GRANT SELECT ON role_rights TO %s', name);
    END LOOP;
END
$$;

-- Who only uses the schema reads its version, and does not write it. A new table is open to those whom the owner's
-- default privileges name; this one was made under them.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT DISTINCT acl.grantee::regrole::text
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE oid = 'schema_version'::regclass AND acl.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON schema_version FROM %s', name);
        EXECUTE format('GRANT SELECT ON schema_version TO %s', name);
    END LOOP;
END
$$;

-- Prints the statements that are missing until every role has its own rights and no others, those of the server and those
-- of the database that it runs in. Prints nothing when nothing is missing, and changes nothing.
--
-- :wanted is JSON: of each role its name, its database, who owns that, and how many connections it may have. A role that
-- does not own its database uses it. The one of its name reads and writes rows, and reads the schema's version (table
-- schema_version) and what others may do (table role_rights); others may do what stands there: role, relation, privilege.
-- Only of a table: a view would have its owner's functions called by the superuser.
SELECT CASE WHEN EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('role_rights') AND relkind = 'r')
  THEN 'SELECT role, relation, privilege FROM role_rights' ELSE $$SELECT '', '', '' WHERE false$$ END AS rights \gset
WITH wanted AS (
  SELECT r.oid, w.* FROM jsonb_to_recordset(:'wanted') AS w (role name, database name, owner name, connections integer)
  JOIN pg_roles AS r ON r.rolname = w.role
),
-- Who uses this database without owning it, and who owns it.
here AS (
  SELECT w.oid, w.role, w.role = w.database AS whole, o.oid AS owner_oid, o.rolname AS owner FROM wanted AS w JOIN pg_roles AS o ON o.rolname = w.owner
  WHERE w.database = current_database() AND w.role <> w.owner
),
may (kind, privilege) AS (
  VALUES ('TABLE', 'SELECT'), ('TABLE', 'INSERT'), ('TABLE', 'UPDATE'), ('TABLE', 'DELETE'), ('SEQUENCE', 'USAGE'), ('SEQUENCE', 'SELECT')
),
-- Access control lists, an entry for each privilege that somebody has who is not the owner. Grantee 0 is PUBLIC.
of_databases AS (
  SELECT d.datname, a.* FROM pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
  WHERE a.grantee <> d.datdba
),
things AS (
  SELECT c.oid::regclass AS name, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.relowner AS owner, c.relacl AS acl,
    c.relname IN ('schema_version', 'role_rights') AS only_read
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
),
-- Of a column the privilege is such as UPDATE (state).
columns AS (
  SELECT t.name, t.kind, t.owner, a.attname, a.attacl FROM things AS t JOIN pg_attribute AS a ON a.attrelid = t.name
  WHERE t.kind = 'TABLE' AND a.attnum > 0 AND NOT a.attisdropped
),
of_things AS (
  SELECT t.name, t.kind, a.grantor, a.grantee, a.privilege_type, a.is_grantable FROM things AS t, aclexplode(t.acl) AS a WHERE a.grantee <> t.owner
  UNION ALL
  SELECT c.name, c.kind, a.grantor, a.grantee, format('%s (%I)', a.privilege_type, c.attname), a.is_grantable
  FROM columns AS c, aclexplode(c.attacl) AS a WHERE a.grantee <> c.owner
),
rights (role, relation, privilege) AS (:rights),
-- The words are made here; those of the table are only compared with them.
grantable AS (
  SELECT t.name, t.kind, t.owner, m.privilege FROM things AS t JOIN may AS m USING (kind)
  UNION ALL
  SELECT c.name, c.kind, c.owner, format('%s (%I)', p.word, c.attname) FROM columns AS c, (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS p (word)
),
due AS (
  SELECT t.name, t.kind, m.privilege, h.oid, h.role FROM things AS t JOIN may AS m USING (kind) JOIN here AS h
    ON t.owner IN (h.owner_oid, h.oid) WHERE h.whole AND (m.privilege = 'SELECT' OR NOT t.only_read)
  UNION ALL
  SELECT g.name, g.kind, g.privilege, h.oid, h.role FROM rights AS r JOIN here AS h ON h.role = r.role AND NOT h.whole
    JOIN grantable AS g ON (g.name::text, g.privilege, g.owner) = (r.relation, r.privilege, h.owner_oid)
),
of_schemas AS (SELECT n.nspname, a.* FROM pg_namespace AS n, aclexplode(n.nspacl) AS a WHERE a.grantee <> n.nspowner),
of_defaults AS (
  SELECT d.defaclrole AS owner, CASE d.defaclobjtype WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, a.*
  FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS a
  WHERE d.defaclobjtype IN ('r', 'S') AND d.defaclnamespace = 0 AND a.grantee <> d.defaclrole
),
missing (turn, statement) AS (
  -- What a role is.
  SELECT 1, format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %s;', w.role, w.connections)
  FROM wanted AS w JOIN pg_roles AS r USING (oid)
  WHERE r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls OR r.rolconnlimit <> w.connections
  UNION ALL
  SELECT 1, format('REVOKE %s FROM %s GRANTED BY %s CASCADE;', m.roleid::regrole, m.member::regrole, m.grantor::regrole)
  FROM pg_auth_members AS m JOIN wanted AS w ON w.oid = m.member
  -- What belongs to it. What it owned before, it uses from here on.
  UNION ALL
  SELECT DISTINCT 2, format('ALTER DATABASE %I OWNER TO %I;', w.database, w.owner)
  FROM wanted AS w JOIN pg_roles AS o ON o.rolname = w.owner JOIN pg_database AS d ON d.datname = w.database AND d.datdba <> o.oid
  UNION ALL
  SELECT 2, format('REASSIGN OWNED BY %I TO %I;', h.role, h.owner) FROM here AS h WHERE EXISTS (
    SELECT FROM pg_shdepend AS s JOIN pg_database AS d ON s.dbid IN (0, d.oid)
    WHERE (s.refclassid, s.refobjid, s.deptype, d.datname) = ('pg_authid'::regclass, h.oid, 'o', current_database())
  )
  -- Which database it reaches.
  UNION ALL
  SELECT 3, format('REVOKE %s ON DATABASE %I FROM %s CASCADE;', a.privilege_type, a.datname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
  FROM of_databases AS a WHERE a.is_grantable OR a.privilege_type <> 'CONNECT' OR NOT EXISTS (
    SELECT FROM wanted AS w WHERE (w.database, w.oid) = (a.datname, a.grantee)
  )
  UNION ALL
  SELECT 4, format('GRANT CONNECT ON DATABASE %I TO %I;', w.database, w.role)
  FROM wanted AS w WHERE w.role <> w.owner AND NOT EXISTS (
    SELECT FROM of_databases AS a WHERE (a.datname, a.grantee, a.privilege_type, a.is_grantable) = (w.database, w.oid, 'CONNECT', false)
  )
  -- What it may do in this one.
  UNION ALL
  SELECT 3, format('REVOKE %s ON SCHEMA %I FROM %s CASCADE;', a.privilege_type, a.nspname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
  FROM of_schemas AS a JOIN here AS h ON a.grantee IN (0, h.oid) WHERE a.is_grantable OR a.privilege_type <> 'USAGE'
  UNION ALL
  SELECT 3, format('REVOKE %s ON %s %s FROM %s CASCADE;', a.privilege_type, a.kind, a.name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
  FROM of_things AS a WHERE EXISTS (SELECT FROM here) AND (a.is_grantable OR NOT EXISTS (
    SELECT FROM due AS d WHERE (d.name, d.oid, d.privilege) = (a.name, a.grantee, a.privilege_type)
  ))
  UNION ALL
  SELECT 4, format('GRANT %s ON %s %s TO %I;', string_agg(d.privilege, ', '), d.kind, d.name, d.role)
  FROM due AS d WHERE NOT EXISTS (
    SELECT FROM of_things AS a WHERE (a.name, a.grantee, a.privilege_type, a.is_grantable) = (d.name, d.oid, d.privilege, false)
  ) GROUP BY d.kind, d.name, d.role
  -- And in what later migrations make.
  UNION ALL
  SELECT 3, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE %s ON %sS FROM %s CASCADE;', h.owner, a.privilege_type, a.kind,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
  FROM here AS h JOIN of_defaults AS a ON a.owner = h.owner_oid
  WHERE a.is_grantable OR NOT EXISTS (
    SELECT FROM here AS w, may AS m WHERE w.whole AND (w.owner_oid, m.kind, m.privilege, w.oid) = (a.owner, a.kind, a.privilege_type, a.grantee)
  )
  UNION ALL
  SELECT 4, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %sS TO %I;', h.owner, string_agg(m.privilege, ', '), m.kind, h.role)
  FROM here AS h, may AS m WHERE h.whole AND NOT EXISTS (
    SELECT FROM of_defaults AS a WHERE (a.owner, a.kind, a.grantee, a.privilege_type, a.is_grantable) = (h.owner_oid, m.kind, h.oid, m.privilege, false)
  ) GROUP BY h.owner, m.kind, h.role
)
SELECT statement FROM missing GROUP BY turn, statement ORDER BY turn, statement;

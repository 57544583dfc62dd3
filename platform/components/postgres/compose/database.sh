#!/bin/sh
# A seeded database and its snapshot, <database>_seed, from inside a container of Postgres.
#   database.sh state DATABASE            "data <version>" and "snapshot <version>"; no version: there is none
#   database.sh snapshot DATABASE         keep it as its snapshot, unless there is one
#   database.sh restore DATABASE          it becomes its snapshot again
#   database.sh empty DATABASE            it becomes empty, its snapshot goes
# Its table schema_version says its version. Every step can be interrupted: the next call does the rest.
set -eu
. /etc/gpuaas/prepare/roles.sh
. /etc/gpuaas/prepare/login.sh
data=$2 snapshot=$2_seed

# Names and values reach SQL as variables of psql, which quotes them.
run() { superuser --tuples-only --no-align --set=data="$data" --set=snapshot="$snapshot" --set=owner="$(owner_of "$data")" "$@"; }
# A new database has the rights that Postgres gives to everybody.
narrow() {
  missing_statements superuser > /tmp/privileges.sql
  superuser --file=/tmp/privileges.sql
}
exists() { [ "$(echo "SELECT 1 FROM pg_database WHERE datname = :'$1'" | run)" = 1 ]; }
schema() { run --dbname="$data" --command="SELECT coalesce(max(version), 0) FROM schema_version" 2> /dev/null || echo 0; }

case "$1" in
  state)
    if exists data; then echo "data $(schema)"; else echo 'data '; fi
    # A snapshot lets nobody in, so its version stands in its comment.
    echo "snapshot $(echo "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :'snapshot'" | run)"
    ;;
  snapshot)
    # It may have been cut off between here and its end.
    echo 'ALTER DATABASE :"data" ALLOW_CONNECTIONS true' | run
    if exists snapshot; then exit 0; fi
    run --set=version="$(schema)" --set=new="${snapshot}_new" <<'SQL'
DROP DATABASE IF EXISTS :"new";
ALTER DATABASE :"data" ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :'data' \g /dev/null
CREATE DATABASE :"new" TEMPLATE :"data" OWNER :"owner" ALLOW_CONNECTIONS false;
ALTER DATABASE :"data" ALLOW_CONNECTIONS true;
COMMENT ON DATABASE :"new" IS :'version';
ALTER DATABASE :"new" RENAME TO :"snapshot";
SQL
    narrow
    ;;
  restore)
    # The copy first: what fails leaves the old database as it was.
    run --set=new="${data}_new" <<'SQL'
DROP DATABASE IF EXISTS :"new";
CREATE DATABASE :"new" TEMPLATE :"snapshot" OWNER :"owner";
DROP DATABASE IF EXISTS :"data" WITH (FORCE);
ALTER DATABASE :"new" RENAME TO :"data";
SQL
    narrow
    ;;
  empty)
    run <<'SQL'
DROP DATABASE IF EXISTS :"snapshot";
DROP DATABASE IF EXISTS :"data" WITH (FORCE);
CREATE DATABASE :"data" OWNER :"owner";
SQL
    narrow
    ;;
  *)
    echo "database.sh: no $1" >&2
    exit 64
    ;;
esac

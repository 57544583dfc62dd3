#!/bin/sh
# The seeded database and its snapshot, from inside a container of Postgres.
#   database.sh state      a line each: database, schema version (empty: there is none)
#   database.sh snapshot   keep database gpuaas as gpuaas_seed, unless there is one
#   database.sh restore    gpuaas becomes gpuaas_seed again
#   database.sh empty      gpuaas becomes empty, gpuaas_seed goes
# Every step can be interrupted: the next call does the rest.
set -eu
export PGHOST="${DATABASE_HOST:-127.0.0.1}" PGPORT="$POSTGRES_PORT" PGUSER=postgres PGDATABASE=postgres PGPASSFILE=/tmp/.pgpass.$$
trap 'rm -f "$PGPASSFILE"' EXIT
# The password goes from file to file; it is no argument and in no environment.
(umask 077 && { printf '*:*:*:postgres:'; cat /run/secrets/gpuaas/superuser_password; } > "$PGPASSFILE")

run() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }
exists() { [ "$(run --command="SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]; }
schema() { run --dbname=gpuaas --command="SELECT coalesce(max(version), 0) FROM schema_version" 2> /dev/null || echo 0; }

case "$1" in
  state)
    if exists gpuaas; then echo "gpuaas $(schema)"; else echo 'gpuaas '; fi
    # A snapshot lets nobody in, so its version stands in its comment.
    echo "gpuaas_seed $(run --command="SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'gpuaas_seed'")"
    ;;
  snapshot)
    # It may have been cut off between here and its end.
    run --command='ALTER DATABASE gpuaas ALLOW_CONNECTIONS true'
    if exists gpuaas_seed; then exit 0; fi
    version=$(schema)
    run <<SQL
DROP DATABASE IF EXISTS gpuaas_seed_new;
ALTER DATABASE gpuaas ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'gpuaas' \g /dev/null
CREATE DATABASE gpuaas_seed_new TEMPLATE gpuaas OWNER gpuaas ALLOW_CONNECTIONS false;
ALTER DATABASE gpuaas ALLOW_CONNECTIONS true;
COMMENT ON DATABASE gpuaas_seed_new IS '$version';
ALTER DATABASE gpuaas_seed_new RENAME TO gpuaas_seed;
SQL
    ;;
  restore)
    # The copy first: what fails leaves the old database as it was.
    run <<SQL
DROP DATABASE IF EXISTS gpuaas_new;
CREATE DATABASE gpuaas_new TEMPLATE gpuaas_seed OWNER gpuaas;
DROP DATABASE IF EXISTS gpuaas WITH (FORCE);
ALTER DATABASE gpuaas_new RENAME TO gpuaas;
SQL
    ;;
  empty)
    run <<SQL
DROP DATABASE IF EXISTS gpuaas_seed;
DROP DATABASE IF EXISTS gpuaas WITH (FORCE);
CREATE DATABASE gpuaas OWNER gpuaas;
SQL
    ;;
  *)
    echo "database.sh: no $1" >&2
    exit 64
    ;;
esac

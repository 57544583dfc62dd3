#!/bin/sh
# Before each start of Postgres: a cluster directory exists, and every database
# and role the contract names exists with the password that the Secret holds.
# Passwords travel from file to server; they are never an argument or an
# environment value.
set -eu
secrets=/run/secrets/gpuaas
socket=/tmp
schema=/usr/share/gpuaas/keycloak.sql

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  initdb --pgdata="$PGDATA.new" --username=postgres --pwfile="$secrets/superuser_password" \
    --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync
  # A name appears only when the directory behind it is whole.
  sync && mv "$PGDATA.new" "$PGDATA"
fi

printf 'local all all trust\n' > /tmp/prepare_hba.conf
pg_ctl --pgdata="$PGDATA" --wait --silent --log=/tmp/prepare.log \
  --options="-c listen_addresses='' -c unix_socket_directories=$socket -c hba_file=/tmp/prepare_hba.conf -c log_min_error_statement=panic" start

run() { psql --host="$socket" --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

run --dbname=postgres <<SQL
\set password \`cat $secrets/superuser_password\`
ALTER ROLE postgres PASSWORD :'password';
SQL

for name in $POSTGRES_DATABASES; do
  run --dbname=postgres --set=name="$name" <<SQL
\set password \`cat $secrets/${name}_password\`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SQL
  if [ -z "$(run --dbname=postgres --tuples-only --command="SELECT 1 FROM pg_database WHERE datname = '$name'")" ]; then
    run --dbname=postgres --set=name="$name" <<SQL
SELECT format('DROP DATABASE IF EXISTS %I', :'name' || '_new') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name' || '_new', :'name') \gexec
SQL
    if [ "$name" = keycloak ] && [ -r "$schema" ]; then
      { printf 'SET ROLE keycloak;\n'; cat "$schema"; } | run --dbname="${name}_new" --single-transaction --output=/dev/null
    fi
    run --dbname=postgres --set=name="$name" <<SQL
SELECT format('ALTER DATABASE %I RENAME TO %I', :'name' || '_new', :'name') \gexec
SQL
  fi
done

pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop

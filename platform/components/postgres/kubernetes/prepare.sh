#!/bin/sh
# Before each start of Postgres: a cluster directory exists, and every database
# and role the contract names exists with the password that the Secret holds.
# Passwords travel from file to server; they are never an argument or an
# environment value.
set -eu
secrets=/run/secrets/gpuaas
socket=/tmp

# psql takes a file that it cannot read for an empty password.
for name in superuser $POSTGRES_DATABASES; do
  [ -s "$secrets/${name}_password" ] || { echo "no password in $secrets/${name}_password" >&2; exit 1; }
done

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  cp -a /usr/share/gpuaas/pgdata "$PGDATA.new"
  # A name appears only when the directory behind it is whole.
  initdb --sync-only --pgdata="$PGDATA.new" > /dev/null
  mv "$PGDATA.new" "$PGDATA"
fi

printf 'local all all trust\n' > /tmp/prepare_hba.conf
pg_ctl --pgdata="$PGDATA" --wait --silent --log=/tmp/prepare.log \
  --options="-c listen_addresses='' -c unix_socket_directories=$socket -c hba_file=/tmp/prepare_hba.conf -c log_min_error_statement=panic" start

{
  printf '%s\n' "\\set password \`cat $secrets/superuser_password\`" "ALTER ROLE postgres PASSWORD :'password';"
  for name in $POSTGRES_DATABASES; do
    cat <<SQL
\set name $name
\set password \`cat $secrets/${name}_password\`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
  done
} | psql --host="$socket" --username=postgres --dbname=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1

pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop

# shellcheck shell=sh
# Before each start of Postgres: a cluster directory exists, and every database
# and role that a component shares a password for exists with the password that the Secret holds.
# Passwords travel from file to server; they are never an argument or an
# environment value.
# The shell that becomes the server sources this file, so that it keeps the lock.
set -eu
secrets=/run/secrets/gpuaas
socket=/tmp

# Whoever has a database shares its password with this server, as <name>_password.
databases=$(cd "$secrets" && for file in *_password; do [ "$file" = superuser_password ] || echo "${file%_password}"; done)
# psql takes a file that it cannot read for an empty password.
for name in superuser $databases; do
  [ -s "$secrets/${name}_password" ] || { echo "no password in $secrets/${name}_password" >&2; exit 1; }
done

# Every process of this container inherits the lock, so it is held while one of them lives.
exec 9>> "$PGDATA.lock"
flock --nonblock 9 || { echo "another server holds $PGDATA.lock, and two on one data directory destroy it" >&2; exit 1; }
# What a killed server leaves names a process of a container that is gone. That number
# may be taken in this one, and Postgres would believe that the other server still runs.
rm -f "$PGDATA/postmaster.pid" "$socket"/.s.PGSQL.*

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  cp -a /usr/share/gpuaas/pgdata "$PGDATA.new"
  # A name appears only when the directory behind it is whole.
  initdb --sync-only --pgdata="$PGDATA.new" > /dev/null
  mv "$PGDATA.new" "$PGDATA"
fi

printf 'local all all trust\n' > /tmp/prepare_hba.conf
# Recovery after a crash may take longer than pg_ctl's minute. A server that ends, ends the wait.
export PGCTLTIMEOUT=86400
pg_ctl --pgdata="$PGDATA" --wait --silent --log=/tmp/prepare.log \
  --options="-c listen_addresses='' -c unix_socket_directories=$socket -c hba_file=/tmp/prepare_hba.conf -c log_min_error_statement=panic" start

{
  printf '%s\n' "\\set password \`cat $secrets/superuser_password\`" "ALTER ROLE postgres PASSWORD :'password';"
  for name in $databases; do
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

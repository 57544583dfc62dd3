# shellcheck shell=sh
# Before each start of Postgres: a cluster directory exists, and every role and database that a component shares a
# password for exists, with the password that the Secret holds and its own rights.
# The shell that becomes the server sources this file, so that it keeps the lock.
set -eu
# Where nobody else looks for a server while it is prepared.
prepared=/tmp

# Every process of this container inherits the lock, so it is held while one of them lives.
exec 9>> "$PGDATA.lock"
flock --nonblock 9 || { echo "another server holds $PGDATA.lock, and two on one data directory destroy it" >&2; exit 1; }
. /etc/gpuaas/prepare/roles.sh
refuse_too_many
# What a killed server leaves names a process of a container that is gone. That number
# may be taken in this one, and Postgres would believe that the other server still runs.
rm -f "$PGDATA/postmaster.pid" "$prepared"/.s.PGSQL.* /run/postgresql/.s.PGSQL.*

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
  --options="-c listen_addresses='' -c unix_socket_directories=$prepared -c hba_file=/tmp/prepare_hba.conf -c log_min_error_statement=panic" start

run() { psql --host="$prepared" --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
role_statements > /tmp/roles.sql
run --dbname=postgres --file=/tmp/roles.sql
missing_statements run > /tmp/privileges.sql
run --dbname=postgres --file=/tmp/privileges.sql
host_based_authentication > /tmp/pg_hba.conf

pg_ctl --pgdata="$PGDATA" --wait --silent --mode=fast stop

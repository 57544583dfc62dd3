#!/bin/sh
# A database cluster in $1: empty but for database keycloak, which has the tables
# that Keycloak's migrations would make at its first start. It holds no password:
# nobody can log in over the network before the role's prepare.sh sets one.
set -eu
initdb --pgdata="$1" --username=postgres --auth-local=peer --auth-host=scram-sha-256 \
  --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions

# pg_ctl gives up after a minute, which is short on a busy machine; a server that ends, ends its wait.
export PGCTLTIMEOUT=86400
printf 'local all all trust\n' > /tmp/build_hba.conf
pg_ctl --pgdata="$1" --wait --silent --log=/tmp/build.log \
  --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c hba_file=/tmp/build_hba.conf -c fsync=off" start

run() { psql --host=/tmp --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null "$@"; }
run --dbname=postgres --command='CREATE ROLE keycloak LOGIN' --command='CREATE DATABASE keycloak OWNER keycloak'
{ printf 'SET ROLE keycloak;\n'; cat /src/keycloak.sql; } | run --dbname=keycloak --single-transaction
run --dbname=keycloak --command='VACUUM (FREEZE, ANALYZE)'

pg_ctl --pgdata="$1" --wait --silent --mode=fast stop

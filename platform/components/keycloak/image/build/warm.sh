#!/usr/bin/env bash
# Runs the built Keycloak against a real Postgres, twice:
# first to migrate an empty database and dump its tables (keycloak.sql),
# then on a database made from that dump, to write the cache of the classes that a
# start, a realm, a token and the login page load, loaded and linked (keycloak.aot).
# The dump holds tables and the two change logs, no realm, key or secret.
set -eEuo pipefail

out=$1
work=$(mktemp -d)
pg=/usr/lib/postgresql/17/bin
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
install -d -m 0755 "$out"
install -d -o 1000 -g 0 "$work/kc" /opt/keycloak/data/import
install -m 0644 /src/import/*.json /opt/keycloak/data/import
install -d -o postgres "$work/pg" "$work/run"
chmod 0755 "$work"
trap 'tail -n 40 "$work/kc.log" >&2' ERR
. "$(dirname "$0")/await.sh"
# pg_ctl gives up after a minute; a server that ends, ends its wait.
export PGCTLTIMEOUT=86400

as_postgres() { (cd "$work" && setpriv --reuid postgres --regid postgres --clear-groups "$@"); }
sql() { as_postgres "$pg/psql" -X -q -v ON_ERROR_STOP=1 -h "$work/run" "$@"; }

as_postgres "$pg/initdb" -D "$work/pg" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
as_postgres "$pg/pg_ctl" -D "$work/pg" -w -l "$work/run/log" \
  -o "-c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/run -c fsync=off" start >/dev/null
sql -d postgres -c 'CREATE ROLE keycloak LOGIN' -c 'CREATE DATABASE first OWNER keycloak' -c 'CREATE DATABASE second OWNER keycloak'

# start_keycloak DATABASE [JVM OPTION...]: returns when Keycloak is ready
start_keycloak() {
  local database=$1
  shift
  (cd "$work/kc" && exec env HOME="$work/kc" KC_DB_URL="jdbc:postgresql://127.0.0.1:5432/$database" KC_DB_USERNAME=keycloak \
    KC_DB_PASSWORD=unused KC_HOSTNAME=http://localhost:8080 KC_HTTP_ENABLED=true KC_BOOTSTRAP_ADMIN_CLIENT_ID=warm \
    KC_BOOTSTRAP_ADMIN_CLIENT_SECRET="$secret" JAVA_OPTS_KC_HEAP="-Xms64m -Xmx512m" JAVA_OPTS_APPEND="$*" \
    setpriv --reuid 1000 --regid 0 --clear-groups /opt/keycloak/bin/kc.sh start --optimized --cache=local --import-realm) >"$work/kc.log" 2>&1 &
  keycloak=$!
  await_ready 120 "$keycloak" "$work/kc.log" curl -fs --max-time 5 -o /dev/null http://127.0.0.1:9000/health/ready || exit 1
}

stop_keycloak() {
  kill -TERM "$keycloak"
  wait "$keycloak" || [ $? -eq 143 ]
}

start_keycloak first
stop_keycloak

# What differs from build to build says nothing: the same Keycloak gives the same dump.
sql -d first \
  -c "UPDATE databasechangelog SET dateexecuted = '2000-01-01', deployment_id = '0'" \
  -c "UPDATE migration_model SET id = left(md5(version), 5), update_time = 946684800"
dump() { as_postgres "$pg/pg_dump" -h "$work/run" -d first --no-owner --no-privileges --restrict-key=gpuaas "$@"; }
{
  dump --schema-only
  dump --data-only -t databasechangelog -t migration_model
} >"$out/keycloak.sql"
grep -q '^COPY public.migration_model' "$out/keycloak.sql"
if grep -q '^COPY' "$out/keycloak.sql" && grep '^COPY' "$out/keycloak.sql" | grep -vqE 'public\.(databasechangelog|migration_model) '; then
  echo "the dump holds rows that it must not hold" >&2
  exit 1
fi
sql -d second -U keycloak -f "$out/keycloak.sql" >/dev/null

start_keycloak second -XX:AOTCacheOutput="$work/kc/keycloak.aot" -XX:-UseG1GC -XX:+UseSerialGC -XX:TieredStopAtLevel=1
# What a platform does first: an administrator makes and reads a realm, services and users get tokens.
base=http://localhost:8080
ask() { curl -fsS "$@"; }
token() { ask "$base/realms/$1/protocol/openid-connect/token" --data-urlencode "$2" --data-urlencode "$3" --data-urlencode "$4" --data-urlencode "$5" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
admin() { printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' "$token" | ask --config - "$@"; }
password="{\"type\":\"password\",\"value\":\"$secret\"}"

token=$(token master grant_type=client_credentials client_id=warm "client_secret=$secret" scope=openid)
admin $base/admin/realms/master/users -d "{\"username\":\"warm\",\"enabled\":true,\"credentials\":[$password]}"
user=$(admin "$base/admin/realms/master/users?username=warm&exact=true" | sed 's/^\[{"id":"\([^"]*\)".*/\1/')
role=$(admin $base/admin/realms/master/roles/admin)
admin "$base/admin/realms/master/users/$user/role-mappings/realm" -d "[$role]"
token=$(token master grant_type=password client_id=admin-cli username=warm "password=$secret")
admin $base/admin/realms -d "{\"realm\":\"warm\",\"enabled\":true,\"sslRequired\":\"none\",\"eventsEnabled\":true,\"adminEventsEnabled\":true,\"bruteForceProtected\":true,
  \"passwordPolicy\":\"length(12)\",\"roles\":{\"realm\":[{\"name\":\"r\"}]},\"groups\":[{\"name\":\"g\",\"subGroups\":[{\"name\":\"h\"}]}],
  \"users\":[{\"username\":\"u\",\"enabled\":true,\"email\":\"u@warm.example\",\"firstName\":\"U\",\"lastName\":\"U\",\"groups\":[\"/g/h\"],\"realmRoles\":[\"r\"],\"credentials\":[$password]}]}"
realm=$base/admin/realms/warm
admin $realm/client-scopes -d '{"name":"s","protocol":"openid-connect","protocolMappers":[
  {"name":"a","protocol":"openid-connect","protocolMapper":"oidc-audience-mapper","config":{"included.client.audience":"account","access.token.claim":"true"}},
  {"name":"r","protocol":"openid-connect","protocolMapper":"oidc-usermodel-realm-role-mapper","config":{"claim.name":"roles","multivalued":"true","access.token.claim":"true"}},
  {"name":"g","protocol":"openid-connect","protocolMapper":"oidc-group-membership-mapper","config":{"claim.name":"groups","full.path":"true","access.token.claim":"true"}}]}'
admin $realm/clients -d "{\"clientId\":\"c\",\"secret\":\"$secret\",\"serviceAccountsEnabled\":true,\"directAccessGrantsEnabled\":true,\"redirectUris\":[\"http://localhost/c\"],
  \"attributes\":{\"pkce.code.challenge.method\":\"S256\"},\"defaultClientScopes\":[\"basic\",\"profile\",\"email\",\"s\"],\"optionalClientScopes\":[]}"
user=$(admin "$realm/users?username=u&exact=true" | sed 's/^\[{"id":"\([^"]*\)".*/\1/')
for path in '' /clients /client-scopes '/roles?briefRepresentation=false' /groups /users "/users/$user/groups" "/users/$user/role-mappings/realm" "/users/$user/credentials"; do
  admin "$realm$path"
done >/dev/null
admin $realm -o "$work/realm.json"
admin -X PUT $realm -d "@$work/realm.json"
token warm grant_type=client_credentials client_id=c "client_secret=$secret" scope=openid >/dev/null
ask $base/realms/warm/.well-known/openid-configuration -o /dev/null
ask $base/realms/warm/protocol/openid-connect/certs -o /dev/null
ask -o /dev/null "$base/realms/warm/protocol/openid-connect/auth?client_id=c&response_type=code&scope=openid&redirect_uri=http://localhost/c&code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&code_challenge_method=S256"
admin -X DELETE $realm
stop_keycloak
install -m 0644 "$work/kc/keycloak.aot" "$out/keycloak.aot"

as_postgres "$pg/pg_ctl" -D "$work/pg" -w -m fast stop >/dev/null
rm -rf "$work"
ls -l "$out"

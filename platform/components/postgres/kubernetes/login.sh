# shellcheck shell=sh
# login NAME HOST [ARGUMENT ...]: psql as a role, over the network, with the password that the Secret holds.
# To be sourced. The password goes from file to file.
login() (
  umask 077
  PGPASSFILE=$(mktemp)
  trap 'rm -f "$PGPASSFILE"' EXIT
  export PGPASSFILE PGCONNECT_TIMEOUT=5
  file=/run/secrets/gpuaas/$1_password name=$1 host=$2
  [ "$name" != superuser ] || name=postgres
  shift 2
  { printf '*:*:*:*:'; sed 's/[\\:]/\\&/g' "$file"; } > "$PGPASSFILE"
  psql --host="$host" --port="$POSTGRES_PORT" --username="$name" --dbname="$name" --no-password --no-psqlrc "$@"
)

# Whether every role is let in at a host.
login_each() {
  for file in /run/secrets/gpuaas/*_password; do
    login "$(basename "$file" _password)" "$1" --tuples-only --no-align --command="SELECT current_user || ' answers'" || return
  done
}

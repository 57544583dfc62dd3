# shellcheck shell=sh
# To be sourced, after roles.sh, which says where the secrets are.
# shellcheck disable=SC2154
socket=/run/postgresql

# login NAME HOST [ARGUMENT ...]: psql as a role, in its own database, with the password that the Secret holds.
# The password goes from file to file. The superuser is let in by the socket alone.
login() (
  umask 077
  PGPASSFILE=$(mktemp)
  trap 'rm -f "$PGPASSFILE"' EXIT
  export PGPASSFILE PGCONNECT_TIMEOUT=5
  file=$secrets/$1_password name=$1 host=$2 database=$(database_of "$1")
  [ "$name" != superuser ] || name=postgres database=postgres
  shift 2
  { printf '*:*:*:*:'; sed 's/[\\:]/\\&/g' "$file"; } > "$PGPASSFILE"
  psql --host="$host" --port="$POSTGRES_PORT" --username="$name" --dbname="$database" --no-password --no-psqlrc "$@"
)

# superuser [ARGUMENT ...]: psql as the superuser.
superuser() { login superuser "$socket" --quiet --set=ON_ERROR_STOP=1 "$@"; }

# Whether every role is let in: the superuser by the socket, the others at a host.
login_each() {
  superuser --tuples-only --no-align --command="SELECT current_user || ' answers'" || return
  for name in $(roles); do
    login "$name" "$1" --tuples-only --no-align --command="SELECT current_user || ' answers'" || return
  done
}

# shellcheck shell=sh
# To be sourced.
# ask USER HOST COMMAND [ARGUMENT ...]: what the server at a host answers to a user.
ask() (
  REDISCLI_AUTH=$(cat "/run/secrets/gpuaas/$1_password") user=$1 host=$2
  export REDISCLI_AUTH
  shift 2
  timeout 5 valkey-cli -e --no-auth-warning --user "$user" -h "$host" -p "$REDIS_PORT" "$@"
)

# ask_each HOST COMMAND [ARGUMENT ...]: the same of every user that has a password.
ask_each() {
  for file in /run/secrets/gpuaas/*_password; do
    user=${file##*/}
    ask "${user%_password}" "$@" || return
  done
}

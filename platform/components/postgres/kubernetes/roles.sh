# shellcheck shell=sh
# The roles and databases of this server, as the mounted secrets name them. To be sourced.
#
# Whoever has a database shares its password, as <name>_password: a role and its database of that name. Whoever shares
# <name>_owner_password as well has two roles: <name>_owner owns the database and migrates it, <name> only uses it.
# Who shares <name>_<other>_password has a role of that database, which may do what the schema says (privileges.sql).
secrets=/run/secrets/gpuaas

# The names of all roles but the superuser.
roles() (cd "$secrets" && for file in *_password; do [ "$file" = superuser_password ] || echo "${file%_password}"; done)

shared() { [ -e "$secrets/${1}_password" ]; }

# The database of a role: that of <name>_owner and of <name>_<other> is <name>, unless <name>_<other> has an owner itself.
database_of() {
  if [ "$1" != "${1%_owner}" ] && shared "${1%_owner}"; then echo "${1%_owner}"
  elif ! shared "${1}_owner" && [ "$1" != "${1%_*}" ] && shared "${1%_*}_owner"; then echo "${1%_*}"
  else echo "$1"; fi
}

# The role that owns a database.
owner_of() { if shared "${1}_owner"; then echo "${1}_owner"; else echo "$1"; fi; }

databases() { for role in $(roles); do database_of "$role"; done | sort -u; }

# How many connections a role may have at once: its own number of POSTGRES_ROLE_CONNECTIONS, or that of `others`.
connections_of() {
  for word in $POSTGRES_ROLE_CONNECTIONS; do
    case "$word" in "$1"=*) echo "${word#*=}"; return ;; others=*) others=${word#*=} ;; esac
  done
  echo "$others"
}

# What a server would be short of is not promised: the numbers of all roles fit, and three are left for the superuser
# (superuser_reserved_connections).
refuse_too_many() {
  sum=3
  for role in $(roles); do sum=$((sum + $(connections_of "$role"))); done
  [ "$sum" -le "$POSTGRES_MAX_CONNECTIONS" ] && return
  echo "the roles may have $sum connections, POSTGRES_MAX_CONNECTIONS is $POSTGRES_MAX_CONNECTIONS" >&2
  return 1
}

# pg_hba.conf: over the network a role reaches its own database with its password, and nobody reaches anything else. The
# superuser has the socket alone, which no other container sees.
host_based_authentication() {
  echo 'local all postgres scram-sha-256'
  for role in $(roles); do echo "host $(database_of "$role") $role all scram-sha-256"; done
}

# Statements that give every role the password that the Secret holds, and make it and its database where they are missing.
# Passwords travel from file to server: psql reads them where it runs, so they are in no argument, environment or output.
role_statements() {
  # psql takes a file that it cannot read for an empty password.
  for name in superuser $(roles); do
    [ -s "$secrets/${name}_password" ] || { echo "no password in $secrets/${name}_password" >&2; return 1; }
  done
  printf '%s\n' "\\set password \`cat $secrets/superuser_password\`" "ALTER ROLE postgres PASSWORD :'password';"
  for name in $(roles); do
    cat <<SQL
\set name $name
\set password \`cat $secrets/${name}_password\`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" LOGIN PASSWORD :'password';
SQL
  done
  for name in $(databases); do
    cat <<SQL
\set name $name
\set owner $(owner_of "$name")
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS true', datname) FROM pg_database WHERE datname = :'name' AND NOT datallowconn \gexec
SQL
  done
}

# missing_statements PSQL ...: what privileges.sql prints for each database, with that one's name before it; psql is given as
# a command that connects as the superuser. Nothing when every role has its own rights and no others.
missing_statements() {
  wanted=$(for role in $(roles); do
    owner=$(owner_of "$(database_of "$role")")
    printf '{"role":"%s","database":"%s","owner":"%s","connections":%s}\n' "$role" "$(database_of "$role")" "$owner" "$(connections_of "$role")"
  done | paste -sd, -)
  for database in $(databases); do
    found=$("$@" --dbname="$database" --tuples-only --no-align --set=wanted="[$wanted]" --file=/etc/gpuaas/prepare/privileges.sql) || return
    [ -z "$found" ] || printf '%s\n' "\\connect $database" BEGIN\; "$found" COMMIT\;
  done
}

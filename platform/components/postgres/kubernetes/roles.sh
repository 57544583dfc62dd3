#!/bin/sh
# Prints the statements that give every role of this server the password that the Secret holds, and make the role and its
# database where they are missing. Whoever has a database shares its password, as <name>_password.
# Passwords travel from file to server: psql reads them where it runs, so they are in no argument, environment or output.
set -eu
secrets=/run/secrets/gpuaas

databases=$(cd "$secrets" && for file in *_password; do [ "$file" = superuser_password ] || echo "${file%_password}"; done)
# psql takes a file that it cannot read for an empty password.
for name in superuser $databases; do
  [ -s "$secrets/${name}_password" ] || { echo "no password in $secrets/${name}_password" >&2; exit 1; }
done

printf '%s\n' "\\set password \`cat $secrets/superuser_password\`" "ALTER ROLE postgres PASSWORD :'password';"
for name in $databases; do
  cat <<SQL
\set name $name
\set password \`cat $secrets/${name}_password\`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
done

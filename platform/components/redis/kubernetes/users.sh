#!/bin/sh
# Prints the users of users.acl with the SHA-256 of their passwords: what the server's aclfile holds.
set -eu
secrets=/run/secrets/gpuaas

for file in "$secrets"/*_password; do
  name=${file##*/}
  grep -q "#$name " /etc/gpuaas/prepare/users.acl || { echo "no user of users.acl has the password $name" >&2; exit 1; }
done

while read -r line; do
  case "$line" in
    'user '*' #'*)
      name=${line#*'#'} name=${name%% *}
      [ -s "$secrets/$name" ] || { echo "no password in $secrets/$name" >&2; exit 1; }
      digest=$(printf %s "$(cat "$secrets/$name")" | sha256sum)
      echo "${line%%'#'*}#${digest%% *} ${line#*"#$name "}"
      ;;
    'user '*) echo "$line" ;;
  esac
done < /etc/gpuaas/prepare/users.acl

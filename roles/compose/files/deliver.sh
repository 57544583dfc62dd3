#!/bin/sh
# Copy each file of deliver.list to its volume, then hold the volumes as nobody.
# A line says: owner, mode, the file, its copy. A copy has its final name only when it
# is whole and private, so that a running reader meets the old file or the new one.
# What a volume holds and the list does not name goes.
set -eu
umask 0777
list=/from/files/deliver.list
while read -r owner mode from to; do
  rm -f "$to.new"
  cat "$from" > "$to.new"
  chmod "$mode" "$to.new"
  chown "$owner" "$to.new"
  mv -f "$to.new" "$to"
done < "$list"
for file in /to/*/*; do
  grep -q " $file\$" "$list" || rm -f "$file"
done
# A data volume belongs to the service that keeps its data there.
while read -r owner folder; do
  chown "$owner" "$folder"
done < /from/files/own.list
: > /run/delivered
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs sleep infinity

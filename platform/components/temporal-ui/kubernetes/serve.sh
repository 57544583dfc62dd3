# shellcheck shell=bash
# The log-in, which everybody meets, and behind it on loopback the UI, which knows no users. The container ends with the first of
# the two that ends.
set -euo pipefail

temporal-ui --root / --config etc/temporal-ui --env parity start &
ui=$!
oauth2-proxy --config /etc/temporal-ui/oauth2-proxy.cfg &
login=$!
trap 'trap "" TERM; kill -TERM "$ui" "$login" || true; wait; exit' TERM
wait -n || true
echo "the log-in or the UI has ended" >&2
exit 1

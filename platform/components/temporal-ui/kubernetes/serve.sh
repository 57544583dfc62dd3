# shellcheck shell=bash
# The log-in, which everybody meets, and behind it on loopback the UI, which knows no users. The container ends with the first of
# the two that ends.
set -euo pipefail

stop() {
  trap '' TERM
  kill -TERM $(jobs -p) 2> /dev/null || true
  wait
  exit
}
trap stop TERM

temporal-ui --root / --config etc/temporal-ui --env parity start &
oauth2-proxy --config /etc/temporal-ui/oauth2-proxy.cfg &
wait -n || true
echo "the log-in or the UI has ended" >&2
exit 1

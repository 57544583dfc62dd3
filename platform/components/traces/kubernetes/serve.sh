# shellcheck shell=bash
# The log-in, which everybody meets; behind it on loopback Zipkin, which knows no users; and the collector, which takes spans and
# gives none. The container ends with the first of them that ends.
set -euo pipefail

running=()
/opt/java/bin/java -Xms16m -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.io.tmpdir=/tmp \
  -Darmeria.ports[0].ip=127.0.0.1 -Darmeria.ports[0].port=9411 -Darmeria.ports[0].protocols[0]=http \
  -cp '/opt/zipkin/classes:/opt/zipkin/lib/*' zipkin.server.ZipkinServer &
running+=($!)
collector --config /etc/traces/collector.yaml &
running+=($!)
oauth2-proxy --config /etc/traces/oauth2-proxy.cfg &
running+=($!)
trap 'trap "" TERM; kill -TERM "${running[@]}" || true; wait; exit' TERM
wait -n || true
echo "the log-in, Zipkin or the collector has ended" >&2
exit 1

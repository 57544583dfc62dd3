# shellcheck shell=bash
# Puts every new connection from or to a pod before kube-network-policies, which evaluates the policies.
#   enforce.sh         does so until it is stopped
#   enforce.sh ready   says whether it does
# A queue that nobody listens to denies whatever comes to it. So the rules come when the daemon listens, are taken
# away when it is stopped, and stay when it is killed: until it listens again nothing new is allowed.
set -euo pipefail

queue=100
out=GPUAAS-POLICIES-OUT in=GPUAAS-POLICIES-IN

mangle() { iptables --wait 5 --table mangle "$@"; }

# Whoever is established has been judged. Root on the node is the kubelet, whose probes no policy keeps out.
# A resolver asks for two kinds of address from one port at once. Two packets of one connection that is not confirmed, both
# queued, clash in conntrack, and who asked waits 5 s for the one that is dropped (netfilter bug 1766): names are asked as without
# policies, of pods alone.
# What goes to the node itself passes no POSTROUTING: its API server and kubelet are judged on their way in.
chains() {
  iptables-restore --wait 5 --noflush <<END
*mangle
:$out - [0:0]
:$in - [0:0]
-A $out -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A $out -m owner --uid-owner 0 -j RETURN
-A $out -p udp --dport 53 -d $POD_CIDR -j RETURN
-A $out -s $POD_CIDR -j NFQUEUE --queue-num $queue
-A $out -d $POD_CIDR -j NFQUEUE --queue-num $queue
-A $in -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A $in -s $POD_CIDR -j NFQUEUE --queue-num $queue
COMMIT
END
}

hooked() { mangle -C "$1" -j "$2" 2> /dev/null; }
hook() { hooked "$1" "$2" || mangle -A "$1" -j "$2"; }
unhook() { while mangle -D "$1" -j "$2" 2> /dev/null; do :; done; }
both() { "$1" POSTROUTING "$out" && "$1" INPUT "$in"; }

listens() { grep -Eqs "^ *$queue " /proc/net/netfilter/nfnetlink_queue; }

# A kernel that takes no queue from iptables may take one from nftables, with which the daemon has rules of its own.
takes_iptables() { mangle -L "$out" -n > /dev/null 2>&1; }

if [ "${1:-}" = ready ]; then
  listens && { ! takes_iptables || both hooked; }
  exit
fi

if chains; then
  echo "policies are put into force by iptables; that the daemon's own nftables rules fail does not matter"
else
  echo "this kernel takes no queue from iptables; the daemon's own nftables rules remain" >&2
fi

# In a process group of its own: the shell would have it ignore the signal that it ends well with.
set -m
kube-network-policies --hostname-override="$NODE_NAME" --nfqueue-id="$queue" \
  --metrics-bind-address=127.0.0.1:9080 --logging-format=json &
daemon=$!

stop() {
  trap '' TERM
  both unhook
  kill -INT "$daemon"
  wait "$daemon"
  exit
}
trap stop TERM

until listens; do
  kill -0 "$daemon" || exit 1
  sleep 0.05
done
if takes_iptables; then both hook; fi
echo "policies are in force"
wait "$daemon"

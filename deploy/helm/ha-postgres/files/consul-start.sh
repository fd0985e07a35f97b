#!/bin/sh
# Runs Consul under a node id made from its name: a pod that returns with another address is the same node, and no conflict.
set -eu
umask 077
digest=$(printf %s "$CONSUL_NODE_NAME" | sha256sum | cut -c1-32)
part() { printf %s "$digest" | cut -c"$1"; }
id="$(part 1-8)-$(part 9-12)-$(part 13-16)-$(part 17-20)-$(part 21-32)"
set -- agent -config-file=/consul/config/agent.json -node="$CONSUL_NODE_NAME" -node-id="$id" -advertise="$POD_IP"
if [ -e /consul/gossip/gossip.json ]; then set -- "$@" -config-file=/consul/gossip/gossip.json; fi
if [ -n "${CONSUL_AGENT_TOKEN:-}" ]; then
  # In a file of its own: the command line can be read by the other containers of the pod.
  printf '{"acl":{"enabled":true,"tokens":{"default":"%s"}}}\n' "$CONSUL_AGENT_TOKEN" >/consul/data/token.json
  set -- "$@" -config-file=/consul/data/token.json
fi
unset CONSUL_AGENT_TOKEN
consul "$@" &
agent=$!
# A database pod that ends for good says so (hand-over.sh): its agent then leaves, by which the node may come back at another address at
# once. Otherwise the others keep a name for half a minute for whoever had it, and send no readers. An agent that is only started anew must
# not leave: that would end the node's sessions.
trap 'if [ -e /run/ha-postgres/ending ]; then kill -INT "$agent"; else kill -TERM "$agent"; fi' TERM INT
code=0
wait "$agent" || code=$?
# A signal ends a wait, not the agent.
while kill -0 "$agent" 2>/dev/null; do
  code=0
  wait "$agent" || code=$?
done
exit "$code"

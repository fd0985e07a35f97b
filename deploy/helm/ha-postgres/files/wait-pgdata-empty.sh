#!/bin/sh
# Keeps a DeadMaster's pod from starting, where it is told never to rejoin by itself, until an administrator has emptied its data
# directory and says so by /proceed. With `rejoin: safe` or `always` the running node sees to it, and hapg must be able to ask it.
set -eu
data=/var/lib/ha-postgres/data
state=/var/lib/ha-postgres/controller/controller.json
proceed="${PROCEED_FILE:-/proceed}"

is_dead_master() { [ -e "$state" ] && grep -q '"deadMaster":true' "$state"; }
is_empty() { [ ! -e "$data" ] || [ -z "$(ls -A "$data")" ]; }

if [ "$HAPG_REJOIN" != never ]; then
  echo "rejoin is $HAPG_REJOIN: the node itself decides whether its data may follow the Master's"
  exit 0
fi
if ! is_dead_master || is_empty; then
  echo 'this node is no DeadMaster, or its data directory is empty: nothing to wait for'
  exit 0
fi

while [ ! -e "$proceed" ]; do
  cat <<MESSAGE
$POD_NAME is a DeadMaster: another node became Master after it, and its data may hold commits that the new Master lacks.
With rejoin: never it does not follow by itself. Save what you need of $data, then empty it and let the pod go on:

  kubectl exec -n $POD_NAMESPACE $POD_NAME -c wait-pgdata-empty -- sh -c 'rm -rf $data && touch /proceed'

Leave /var/lib/ha-postgres/controller alone: it holds what this node has promised to the others.
MESSAGE
  waited=0
  while [ ! -e "$proceed" ] && [ "$waited" -lt 60 ]; do
    sleep 1
    waited=$((waited + 1))
  done
done
is_empty || echo "$data is not empty, but /proceed says to go on: the node will stay stopped until it is"

#!/bin/sh
# Before a database pod ends: if its node is the Master, another takes over first, and clients wait instead of being refused. Whatever
# comes of it, the pod ends; PostgreSQL is then stopped cleanly, and who takes over learns it by the release.
hapg switchover --from "$HAPG_NODE" --yes --wait "$HAND_OVER_TIMEOUT" || true
# Read by the start script of Consul, which ends last.
touch "${ENDING_FILE:-/run/ha-postgres/ending}"

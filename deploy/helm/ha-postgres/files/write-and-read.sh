#!/bin/sh
# helm test: writes through the port of the Master, and reads it through the port of the Replicas.
set -eu
token="written at $(date -u +%s) by $$"
master() { psql -X -q -A -t -v ON_ERROR_STOP=1 -p "$MASTER_PORT" -v token="$token"; }
standby() { psql -X -q -A -t -v ON_ERROR_STOP=1 -p "$STANDBY_PORT" -v token="$token"; }

tries=0
until master <<'SQL'
CREATE TABLE IF NOT EXISTS ha_postgres_helm_test (token text NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO ha_postgres_helm_test VALUES (:'token');
SQL
do
  tries=$((tries + 1))
  if [ "$tries" -ge 30 ]; then echo 'nothing could be written through the port of the Master'; exit 1; fi
  sleep 1
done
echo "port $MASTER_PORT: $token"

if [ "$HAS_STANDBYS" = true ]; then
  tries=0
  until [ "$(echo "SELECT pg_is_in_recovery() FROM ha_postgres_helm_test WHERE token = :'token' LIMIT 1" | standby)" = t ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then echo 'what was written does not come to the port of the Replicas'; exit 1; fi
    sleep 1
  done
  echo "port $STANDBY_PORT: read on a Replica"
fi
echo 'DROP TABLE ha_postgres_helm_test' | master

# Sourced by bash, once, while the first node makes the cluster: copies the schema of an existing database and subscribes to a publication of
# it. The rows follow when the cluster runs, and changes after them, until an administrator drops the subscription (docs/migration.md).

seed_quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/[\\\\']/\\\\&/g")"; }

echo "copying the schema of $SEED_NAME at $SEED_HOST:$SEED_PORT"
PGPASSWORD="$SEED_PASSWORD" pg_dump --host="$SEED_HOST" --port="$SEED_PORT" --username="$SEED_USER" --dbname="$SEED_NAME" \
  --schema-only --no-owner --no-privileges --no-publications --no-subscriptions >/tmp/seed-schema.sql
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet -f /tmp/seed-schema.sql
rm /tmp/seed-schema.sql

echo "subscribing to publication $SEED_PUBLICATION"
# By the environment: a command line can be read by others.
SEED_CONNECTION="host=$(seed_quoted "$SEED_HOST") port=$(seed_quoted "$SEED_PORT") dbname=$(seed_quoted "$SEED_NAME")"
SEED_CONNECTION="$SEED_CONNECTION user=$(seed_quoted "$SEED_USER") password=$(seed_quoted "$SEED_PASSWORD")"
export SEED_CONNECTION
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet <<'SQL'
\set connection `printf %s "$SEED_CONNECTION"`
\set publication `printf %s "$SEED_PUBLICATION"`
-- synchronous_commit: the old database forgets a change when it is told that this one has it. It is told so only after the Replicas have
-- confirmed, where they must.
CREATE SUBSCRIPTION seed CONNECTION :'connection' PUBLICATION :"publication" WITH (synchronous_commit = 'on');
SQL

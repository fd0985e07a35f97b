#!/bin/sh
# As the official image's: a sub-command or options alone are Consul's, `agent` finds its directories, root becomes `consul`.
set -e
if [ "${1#-}" != "$1" ]; then set -- consul "$@"; fi
if [ "$1" = agent ]; then
  shift
  set -- consul agent -data-dir=/consul/data -config-dir=/consul/config "$@"
elif consul --help "$1" 2>&1 | grep -q "consul $1"; then
  set -- consul "$@"
fi
if [ "$1" = consul ] && [ "$(id -u)" = 0 ]; then
  chown consul:consul /consul/data /consul/config
  exec setpriv --reuid=consul --regid=consul --clear-groups "$@"
fi
exec "$@"

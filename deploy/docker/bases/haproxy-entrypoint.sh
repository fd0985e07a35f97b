#!/bin/sh
# As the official image's: options alone are HAProxy's, and HAProxy runs in the foreground with a master process.
set -e
if [ "${1#-}" != "$1" ]; then set -- haproxy "$@"; fi
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"

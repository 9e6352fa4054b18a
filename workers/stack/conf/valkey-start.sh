#!/bin/sh
# Puts the users' passwords, as hashes, and the one database into the access list and becomes valkey-server with it;
# arguments go there. Databases are part of the list, which needs Valkey 9.1. Keys begin with `conclave:`, as they do
# unless CONCLAVE_KEY_PREFIX says otherwise; only workers see the counters of chords, below `conclave:results:`.
set -eu
umask 077
here=$(dirname "$0")
list=${VALKEY_ACL_FILE:-/tmp/valkey-users.acl}

hash_of() {
  printf %s "$1" | sha256sum | cut -d' ' -f1
}

bridge=$(hash_of "${VALKEY_BRIDGE_PASSWORD:?is not set}")
worker=$(hash_of "${VALKEY_WORKER_PASSWORD:?is not set}")
flower=$(hash_of "${VALKEY_FLOWER_PASSWORD:?is not set}")
observer=$(hash_of "${VALKEY_OBSERVER_PASSWORD:?is not set}")
page=$(hash_of "${VALKEY_PAGE_PASSWORD:?is not set}")

sed -e "s/@DATABASE@/${VALKEY_DATABASE:-0}/g" \
  -e "s/@BRIDGE@/$bridge/" -e "s/@WORKER@/$worker/" -e "s/@FLOWER@/$flower/" -e "s/@OBSERVER@/$observer/" \
  -e "s/@PAGE@/$page/" \
  "$here/valkey-users.acl" > "$list"
exec valkey-server "$here/valkey.conf" --aclfile "$list" "$@"

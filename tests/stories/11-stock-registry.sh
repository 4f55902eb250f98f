#!/usr/bin/env bash
# Story 11: Debian's docker-registry has its tokens from the index, and docker logs in, pushes and pulls there.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
index=$registry
readonly peer=localhost:5055

# keys COMMAND…: of the index that this story runs with.
keys() {
    if [[ $mode == berth ]]; then
        "$programs/berth" keys --data "$work/data" "$@"
    else
        INDEX_DATA=$work/index "$programs/index-service" keys "$@"
    fi
}
readonly mode=$1

say "docker-registry is given the index's keys, and where to send its clients"
keys bundle >"$work/bundle.pem"
cat >"$work/peer.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/peer}}
http: {addr: '127.0.0.1:5055'}
auth: {token: {realm: 'http://$index/token', service: berth, issuer: berth, rootcertbundle: $work/bundle.pem}}
YML
launch peer docker-registry serve "$work/peer.yml"
within 30 curl --output /dev/null "http://$peer/v2/" || fail "docker-registry does not get ready"

say "accounts of the index log in there, with the right password only"
registry=$index
add_account alice
add_account bob
expect_status 201 api alice PUT /repositories/alice/public '{"visibility":"public"}'
registry=$peer
log_in alice
log_in bob
expect_failure 'unauthorized' as mallory docker_login alice 'wrong password'

say "what the index grants is pushed and pulled, and nothing else"
expect_success push alice berth-test/note alice/note
expect_success pull alice alice/note
expect_failure 'denied|unauthorized' pull bob alice/note
expect_failure 'denied|unauthorized' push bob berth-test/note alice/note
expect_failure 'denied|unauthorized' pull anonymous alice/note
expect_success push alice berth-test/note alice/public
expect_success pull bob alice/public
expect_success pull anonymous alice/public
expect_failure 'denied|unauthorized' push anonymous berth-test/note alice/public

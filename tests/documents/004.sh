#!/usr/bin/env bash
# Document 004, scenario D: a registry without an index, on a network that leads nowhere. It asks nobody anything.
set -euo pipefail
source "$(dirname "$0")/../stories/lib.sh"

# In the network of the registry, which has nothing but itself.
inside() {
    nsenter --target "${pid_of[registry]}" --net "$@"
}

copy() {
    inside skopeo --insecure-policy copy --src-tls-verify=false --dest-tls-verify=false "$@"
}

say "it starts where there is no route"
docker save --output "$work/image.tar" berth-test/app
# shellcheck disable=SC2016 # the inner shell expands them
launch registry env REGISTRY_HTTP_ADDR=127.0.0.1:5000 REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="$work/storage" \
    unshare --net bash -c 'ip link set lo up && exec strace -D -f -qq -e trace=%network -o "$0" "$1" serve' \
    "$work/calls" "$programs/registry-service"
within 30 inside curl --silent --fail http://127.0.0.1:5000/readyz || fail "it does not get ready"
expect_equal "the routes" '' "$(inside ip route)"

say "push and pull"
expect_success copy "docker-archive:$work/image.tar" docker://127.0.0.1:5000/acme/app:v1
expect_success copy docker://127.0.0.1:5000/acme/app:v1 "dir:$work/pulled"
expect_success inside skopeo --insecure-policy inspect --tls-verify=false --format '{{.Digest}}' docker://127.0.0.1:5000/acme/app:v1
expect_equal "the digest" "$seen" "sha256:$(sha256sum <"$work/pulled/manifest.json" | cut --delimiter ' ' --fields 1)"
expect_success inside curl --silent http://127.0.0.1:5000/v2/_catalog
expect_equal "the catalog" '{"repositories":["acme/app"]}' "$seen"

say "it has called nobody"
calls=$(cat "$work/calls")
# It listens, which shows that somebody has watched.
expect_match ' bind\([0-9]+, \{sa_family=AF_INET,' "$calls"
expect_no_match ' (connect\(|send(to|msg|mmsg)\(.*\{sa_family=)' "$calls"

say "it has said that it is open, once and loudly"
expect_equal "the warnings" 1 "$(grep --count 'THIS REGISTRY IS OPEN' "$work/registry.log")"

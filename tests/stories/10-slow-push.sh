#!/usr/bin/env bash
# Story 10: a push takes longer than its token lives, by each client, and a right that is taken away ends it all the same.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
export INDEX_TOKEN_LIFETIME=5s
start_stack "$1"
add_account alice
add_account bob

# What clients send by way of this address takes its time: half a minute for what they push here.
readonly slow=localhost:5009 bytes=1500000 rate=50000
launch slow python3 "$stories/lib/slow.py" 5009 5000 "$rate"
within 10 curl "http://$slow/v2/" || fail "the slow address does not get ready"
head --bytes "$bytes" /dev/urandom >"$work/random"

# A layer that no registry has, and no compression makes small.
image() {
    head --bytes 16 /dev/urandom >>"$work/random"
    tar --create --directory "$work" random | docker import - "$1" >/dev/null
}
podman_here() {
    podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"
}
log_in_slowly() {
    as "$1" docker login --username "$1" --password-stdin "$slow" <<<"$(password_of "$1")"
}
expect_success log_in_slowly alice
expect_success log_in_slowly bob

# begin NAME COMMAND…: in the background.
declare -A pushing=()
begin() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 &
    pushing[$name]=$!
}

say "docker, podman and skopeo push for half a minute with tokens of five seconds"
image "$slow/alice/by-docker"
image berth-test/podman
docker save --output "$work/podman.tar" berth-test/podman
expect_success podman_here load --input "$work/podman.tar"
image berth-test/skopeo
docker save --output "$work/skopeo.tar" berth-test/skopeo
started=$SECONDS
begin docker as alice docker push "$slow/alice/by-docker"
begin podman as alice podman_here push --tls-verify=false localhost/berth-test/podman "$slow/alice/by-podman"
begin skopeo as alice skopeo copy --dest-tls-verify=false "docker-archive:$work/skopeo.tar" \
    "docker://$slow/alice/by-skopeo:latest"
for name in docker podman skopeo; do
    wait "${pushing[$name]}" || fail "$name could not push: $(cat "$work/$name.log")"
done
[[ $((SECONDS - started)) -ge 20 ]] || fail "the pushes took $((SECONDS - started)) s: they were not slow"
for name in docker podman skopeo; do
    expect_success as alice skopeo inspect --tls-verify=false "docker://$registry/alice/by-$name"
done

say "what is taken away in the middle ends the push at its next request"
take_token alice 'repository:alice/shared:pull,push'
expect_status 202 v2 POST /alice/shared/blobs/uploads/
expect_status 200 api alice PUT /repositories/alice/shared/-/grants/user:bob '{"role":"write"}'
image "$slow/alice/shared"
begin bob as bob docker push "$slow/alice/shared"
sleep 15
expect_status 204 api alice DELETE /repositories/alice/shared/-/grants/user:bob
! wait "${pushing[bob]}" || fail "bob's push went on to its end"
expect_match 'denied|unauthorized' "$(cat "$work/bob.log")"
take_token alice 'repository:alice/shared:pull'
expect_status 404 v2 GET /alice/shared/manifests/latest
docker image rm --force "$slow/alice/by-docker" "$slow/alice/shared" berth-test/podman berth-test/skopeo >/dev/null

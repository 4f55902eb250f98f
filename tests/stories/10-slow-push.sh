#!/usr/bin/env bash
# Story 10: a push takes longer than its token lives, by each client, and a right that is taken away ends it all the same.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
export INDEX_TOKEN_LIFETIME=5s
start_stack "$1"
add_account alice
add_account bob

# What clients send by way of this address takes its time: a minute and a half for what they push here, longer than a token
# of five seconds and the minute that a registry allows for clocks.
readonly slow=localhost:5009 bytes=1500000 rate=17000 allowed=65
launch slow python3 "$stories/lib/slow.py" 5009 5000 "$rate"
within 10 curl "http://$slow/v2/" || fail "the slow address does not get ready"
head --bytes "$bytes" /dev/urandom >"$work/random"

podman_here() {
    podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"
}
log_in_slowly() {
    as "$1" docker login --username "$1" --password-stdin "$slow" <<<"$(password_of "$1")"
}
expect_success log_in_slowly alice
expect_success log_in_slowly bob

# begin CLIENT PERSON REPOSITORY: pushes in the background, what no registry has and no compression makes small.
declare -A pushing=()
begin() {
    local client=$1 person=$2 target=$slow/$3 archive="$work/$1-$2.tar"
    local image=berth-test/$client-$person
    head --bytes 16 /dev/urandom >>"$work/random"
    tar --create --directory "$work" random | docker import - "$image" >/dev/null
    local push=()
    case $client in
        docker)
            docker tag "$image" "$target"
            push=(docker push "$target")
            ;;
        podman)
            docker save --output "$archive" "$image"
            expect_success podman_here load --input "$archive"
            push=(podman_here push --tls-verify=false "localhost/$image" "$target")
            ;;
        skopeo)
            docker save --output "$archive" "$image"
            push=(skopeo copy --dest-tls-verify=false "docker-archive:$archive" "docker://$target:latest")
            ;;
    esac
    as "$person" "${push[@]}" >"$work/$client-$person.log" 2>&1 &
    pushing[$client-$person]=$!
}

say "docker, podman and skopeo push for a minute and a half with tokens of five seconds; meanwhile bob may no longer"
readonly clients=(docker podman skopeo)
started=$SECONDS
for client in "${clients[@]}"; do
    take_token alice "repository:alice/shared-$client:pull,push"
    expect_status 202 v2 POST "/alice/shared-$client/blobs/uploads/"
    expect_status 200 api alice PUT "/repositories/alice/shared-$client/-/grants/user:bob" '{"role":"write"}'
    begin "$client" alice "alice/by-$client"
    begin "$client" bob "alice/shared-$client"
done
sleep 15
for client in "${clients[@]}"; do
    expect_status 204 api alice DELETE "/repositories/alice/shared-$client/-/grants/user:bob"
done
for client in "${clients[@]}"; do
    wait "${pushing[$client-alice]}" || fail "$client could not push: $(cat "$work/$client-alice.log")"
    [[ $((SECONDS - started)) -gt $allowed ]] || fail "$client took $((SECONDS - started)) s: it was not slow"
    expect_success as alice skopeo inspect --tls-verify=false "docker://$registry/alice/by-$client"
    ! wait "${pushing[$client-bob]}" || fail "bob's push by $client went on to its end"
    expect_match 'denied|unauthorized|authentication required' "$(cat "$work/$client-bob.log")"
    take_token alice "repository:alice/shared-$client:pull"
    expect_status 404 v2 GET "/alice/shared-$client/manifests/latest"
    docker image rm --force "berth-test/$client-alice" "berth-test/$client-bob" >/dev/null
done
docker image rm --force "$slow/alice/by-docker" "$slow/alice/shared-docker" >/dev/null

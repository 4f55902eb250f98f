#!/usr/bin/env bash
# Story 6: behind nginx, two replicas share all work, and what was acknowledged survives the death of any program.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account alice

# build_big NAME: 300 MB in three layers that do not compress.
build_big() {
    local context=$work/$1 layer
    mkdir "$context"
    echo 'FROM scratch' >"$context/Dockerfile"
    for layer in 1 2 3; do
        head -c 100M /dev/urandom >"$context/layer-$layer"
        echo "COPY layer-$layer /" >>"$context/Dockerfile"
    done
    echo 'CMD ["/layer-1"]' >>"$context/Dockerfile"
    docker build --quiet --tag "berth-test/$1" "$context"
    rm -rf "$context"
}

# served_by N REPOSITORY: how many of the repository's requests the replica answered well, by nginx's log.
served_by() {
    grep -cE "\"[A-Z]+ /v2/$2/[^\"]*\" 2[0-9]{2} .*upstream=([^ ]*, )?127\.0\.0\.$1:5000 " "$work/nginx.log" || true
}

# Succeeds once a replica has taken in a part of a push; leaves its number in $busy.
replica_is_busy() {
    for busy in 2 3; do
        [[ $(awk '$1 == "wchar:" { print $2 }' "/proc/${pid_of[replica-$busy]}/io") -lt 20000000 ]] || return 0
    done
    return 1
}

# push_cut_short: the push of berth-test/cut while the replica that is taking it in dies.
push_cut_short() {
    local push_pid
    push alice berth-test/cut alice/cut >"$work/push.out" 2>&1 &
    push_pid=$!
    within 60 replica_is_busy || fail "no replica takes in a layer"
    halt "replica-$busy" KILL
    gone "$push_pid" && fail "the push ended before the replica was killed"
    wait "$push_pid" || fail "the push failed: $(<"$work/push.out")"
}

restart() {
    halt replica-2 KILL
    halt replica-3 KILL
    halt index KILL
    start_index
    start_replica 2
    start_replica 3
}

say "one replica dies while it takes in a layer: docker tries again and ends well through the other"
build_big cut
push_cut_short
cat "$work/push.out"
expect_match 'Retrying in' "$(<"$work/push.out")"
start_replica "$busy"
pushed=$(image_id berth-test/cut)
docker image rm --force "$pushed"
expect_success pull alice alice/cut
expect_equal "the image id" "$pushed" "$(image_id "$registry/alice/cut")"

say "both replicas serve parts of one push, and of its pull"
build_big whole
pushed=$(image_id berth-test/whole)
expect_success push alice berth-test/whole alice/whole
docker image rm --force "$pushed"
expect_success pull alice alice/whole
for replica in 2 3; do
    [[ $(served_by "$replica" alice/whole) -gt 0 ]] || fail "replica $replica served nothing: $(<"$work/nginx.log")"
done

say "index and replicas are killed and started again: everything is still there"
restart
expect_success pull alice alice/whole
expect_equal "the image id" "$pushed" "$(image_id "$registry/alice/whole")"

say "without the index, what was confirmed before may still pull"
expect_success push alice berth-test/note alice/note:1
take_token alice 'repository:alice/note:pull,push'
for _ in {1..20}; do
    expect_status 200 v2 GET /alice/note/manifests/1
done
layer=$(jq --raw-output '.layers[0].digest' <<<"$body")
jq . <<<"$body" >"$work/second-manifest"
second=sha256:$(sha256sum "$work/second-manifest" | cut -d ' ' -f 1)
halt index KILL
sleep 3
for _ in {1..4}; do
    expect_status 200 v2 GET /alice/note/manifests/1
    expect_status 200 v2 GET "/alice/note/blobs/$layer"
done

say "but a new manifest is not acknowledged, and shows nowhere, not even when the index is back"
expect_status 503 v2 PUT /alice/note/manifests/2 --data-binary "@$work/second-manifest" \
    --header 'Content-Type: application/vnd.docker.distribution.manifest.v2+json'
start_index
# A replica asks an index that did not answer again after a moment.
sleep 3
take_token alice 'repository:alice/note:pull,push'
expect_status 404 v2 GET /alice/note/manifests/2
expect_status 404 v2 GET "/alice/note/manifests/$second"
expect_status 200 v2 GET /alice/note/tags/list
expect_equal "the tags" '["1"]' "$(jq --compact-output .tags <<<"$body")"
expect_status 200 api alice GET /repositories/alice/note/-/tags
expect_equal "the index's tags" '["1"]' "$(jq --compact-output '[.items[].name]' <<<"$body")"
expect_status 404 api alice GET "/repositories/alice/note/-/manifests/$second"

say "and the same manifest is taken now"
expect_status 201 v2 PUT /alice/note/manifests/2 --data-binary "@$work/second-manifest" \
    --header 'Content-Type: application/vnd.docker.distribution.manifest.v2+json'
expect_success pull alice alice/note:2

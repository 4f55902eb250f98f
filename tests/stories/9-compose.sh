#!/usr/bin/env bash
# Story 9: docker-compose.yml as it lies in the repository, from `up` to `down -v`, on port 80.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
registry=localhost
admin_password_file=$work/initial-admin-password
use_compose berth-story docker-compose.yml tests/stories/images/stand-ins.yml

# The addresses of the replicas that have answered since nginx started.
replicas_seen() {
    compose logs --no-color nginx | sed -nE 's/.* upstream=(.*, )?([0-9.]+:5000) .*/\2/p' | sort --unique
}

# all_replicas_seen COUNT: after a few more requests.
all_replicas_seen() {
    local _
    for _ in {1..10}; do
        curl --silent --output /dev/null "http://$registry/v2/"
    done
    [[ $(replicas_seen | wc -l) -ge $1 ]]
}

# registry_moved: bytes that the one registry's own process has read and written, files and all.
registry_moved() {
    local pid
    pid=$(docker container inspect --format '{{.State.Pid}}' "$(compose ps --quiet registry)")
    awk '/^[rw]char:/ { sum += $2 } END { printf "%.0f", sum }' "/proc/$pid/io"
}

# pull_large: leaves in $moved how many of them that took.
pull_large() {
    local before
    before=$(registry_moved)
    expect_status 200 v2 GET "/admin/large/blobs/$large"
    moved=$(($(registry_moved) - before))
    expect_equal "the blob" "$large" "sha256:$(sha256sum <"$work/body" | cut --delimiter ' ' --fields 1)"
}

say "the stack starts with one command"
expect_success compose up --detach --build --scale registry=2
wait_ready "$registry"
compose exec -T index cat /var/lib/berth/initial-admin-password >"$admin_password_file"
for service in index registry; do
    expect_equal "who $service runs as" 10001 "$(compose exec -T "$service" id -u | tr -d '\r')"
done

say "push and pull through port 80"
log_in admin
expect_success push admin berth-test/note library/hello-world
expect_success pull admin library/hello-world
expect_success push admin berth-test/app admin/app
expect_success pull admin admin/app
expect_success as admin docker search "$registry/hello"
expect_match '^library/hello-world ' "$seen"
expect_status 404 call POST /internal/v1/introspect --data '{}'
expect_status 404 call POST /internal/v1/move

say "a deleted repository is put away and comes back"
expect_status 204 api admin DELETE /repositories/admin/app
expect_failure 'denied|unauthorized' pull admin admin/app
expect_status 200 api admin POST /repositories/admin/app/-/restore
expect_success pull admin admin/app

say "both replicas serve"
within 15 all_replicas_seen 2 || fail "nginx has sent requests only to: $(replicas_seen)"

say "replicas come and go while it serves"
expect_success compose up --detach --scale registry=3
within 30 all_replicas_seen 3 || fail "nginx does not see the third replica: $(replicas_seen)"
expect_success compose up --detach --scale registry=1
for _ in {1..10}; do
    expect_status 401 call GET /v2/
done
expect_success pull admin library/hello-world

say "nginx sends a large blob from its file, after the registry has once read what is new"
readonly size=40000000
truncate --size "$size" "$work/large"
large=sha256:$(sha256sum <"$work/large" | cut --delimiter ' ' --fields 1)
take_token admin repository:admin/large:pull,push
expect_status 201 v2 POST "/admin/large/blobs/uploads/?digest=$large" \
    --header 'Content-Type: application/octet-stream' --data-binary "@$work/large"
pull_large
[[ $moved -ge $size ]] || fail "of $size bytes the registry looked at $moved"
pull_large
[[ $moved -lt $((size / 10)) ]] || fail "of $size bytes $moved went through the registry"

say "everything is still there after a stop and a start"
expect_success compose stop
expect_success compose up --detach
wait_ready "$registry"
expect_success pull admin library/hello-world

say "down -v leaves nothing"
expect_success compose down --volumes
expect_equal "the volumes left" '' "$(docker volume ls --quiet --filter name=berth-story)"

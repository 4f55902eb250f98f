#!/usr/bin/env bash
# Story 2: an image of several layers is pushed, removed here, pulled back, and still runs.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account alice
pushed=$(image_id berth-test/app)

say "push"
expect_success push alice berth-test/app alice/tools/app:1.0
expect_match '^1\.0: digest: sha256:[0-9a-f]{64} size: [0-9]+' "$seen"
digest=$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$seen" | tail -n 1)

say "a second push finds every layer there"
expect_success push alice berth-test/app alice/tools/app:1.0
expect_no_match ': Pushed' "$seen"

say "nothing of it is left here, and the pull brings it back"
docker image rm --force "$pushed"
expect_failure 'No such image' docker image inspect "$pushed"
expect_success pull alice alice/tools/app:1.0
expect_match "Digest: $digest" "$seen"
expect_match 'Pull complete' "$seen"
expect_equal "the image id" "$pushed" "$(image_id "$registry/alice/tools/app:1.0")"
docker tag "$registry/alice/tools/app:1.0" berth-test/app

say "it runs"
expect_success docker run --rm "$registry/alice/tools/app:1.0"
expect_match 'hello from berth' "$seen"

say "the same by digest, and a layer is mounted into another repository instead of sent again"
expect_success pull alice "alice/tools/app@$digest"
expect_success push alice berth-test/app alice/copy
expect_match 'Mounted from alice/tools/app' "$seen"

say "the index knows the checksums of what was pushed"
expect_status 200 api alice GET "/repositories/alice/tools/app/-/manifests/$digest"
expect_match "$pushed" "$body"
expect_status 200 api alice GET /repositories/alice/tools/app/-/tags
expect_match '"1\.0"' "$body"
expect_match "$digest" "$body"

say "deleted over REST it is refused to everybody, and restored it is pulled as it was"
docker image rm --force "$pushed"
expect_status 204 api alice DELETE /repositories/alice/tools/app
expect_failure 'denied|unauthorized' pull alice alice/tools/app:1.0
expect_status 200 api alice GET /namespaces/alice/deleted
expect_equal "what can be restored" '["alice/tools/app"]' "$(jq --compact-output '[.items[].name]' <<<"$body")"
expect_status 409 api alice PUT /repositories/alice/tools/app '{}'
expect_success pull alice alice/copy
docker image rm --force "$pushed"
expect_status 200 api alice POST /repositories/alice/tools/app/-/restore
expect_success pull alice alice/tools/app:1.0
expect_match "Digest: $digest" "$seen"
expect_equal "the image id" "$pushed" "$(image_id "$registry/alice/tools/app:1.0")"
docker tag "$registry/alice/tools/app:1.0" berth-test/app

say "renamed it is found under its new name only"
expect_status 200 api alice POST /repositories/alice/tools/app/-/rename '{"name":"alice/renamed"}'
expect_failure 'denied|unauthorized|not found' pull alice alice/tools/app:1.0
expect_success pull alice alice/renamed:1.0

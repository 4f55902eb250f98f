#!/usr/bin/env bash
# Story 5: skopeo and podman push, pull, copy and delete, manifests of several platforms included.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account alice

# podman with a storage of its own, so that nothing docker has can help it.
podman_here() {
    podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"
}
podman_login() {
    podman_here login --tls-verify=false --username "$1" --password-stdin "$registry" <<<"$2"
}
address() {
    printf 'docker://%s/%s' "$registry" "$1"
}
raw_manifest() {
    skopeo inspect --raw --tls-verify=false "$(address "$1")"
}

say "podman logs in with the right password only"
expect_failure 'unauthorized|invalid username/password' as mallory podman_login alice 'wrong password'
expect_success as podman podman_login alice "$(password_of alice)"

say "skopeo pushes, podman pulls every layer: the image is the same"
docker save --output "$work/app.tar" berth-test/app
expect_success as alice skopeo copy --dest-tls-verify=false "docker-archive:$work/app.tar" "$(address alice/app:1)"
expect_success as podman podman_here pull --tls-verify=false "$registry/alice/app:1"
expect_equal "the image id" "$(image_id berth-test/app)" \
    "sha256:$(podman_here image inspect --format '{{.Id}}' "$registry/alice/app:1")"

say "podman pushes, skopeo reads"
podman_here tag "$registry/alice/app:1" "$registry/alice/app:2"
expect_success as podman podman_here push --tls-verify=false "$registry/alice/app:2"
expect_success as alice skopeo list-tags --tls-verify=false "$(address alice/app)"
expect_equal "the tags" '1 2' "$(jq --raw-output '.Tags | join(" ")' <<<"$seen")"

say "an index of two platforms is pushed and copied whole"
expect_success podman_here build --no-cache --platform linux/amd64,linux/arm64 --manifest both "$stories/images/note"
expect_success as podman podman_here manifest push --all --tls-verify=false both "$(address alice/both:1)"
expect_success as alice skopeo copy --all --src-tls-verify=false --dest-tls-verify=false \
    "$(address alice/both:1)" "$(address alice/twin:1)"
index=$(as alice raw_manifest alice/twin:1)
expect_equal "the copy" "$(as alice raw_manifest alice/both:1)" "$index"
expect_equal "its platforms" 'amd64 arm64' \
    "$(jq --raw-output '[.manifests[].platform.architecture] | sort | join(" ")' <<<"$index")"
for digest in $(jq --raw-output '.manifests[].digest' <<<"$index"); do
    expect_success as alice skopeo copy --src-tls-verify=false "$(address "alice/twin@$digest")" "dir:$work/platform"
    rm -rf "$work/platform"
done

say "a tag is deleted, then a manifest: 202, and it is gone"
take_token alice 'repository:alice/app:pull,delete'
expect_status 200 v2 GET /alice/app/manifests/2
digest=sha256:$(sha256sum "$work/body" | cut -d ' ' -f 1)
expect_status 202 v2 DELETE /alice/app/manifests/2
expect_status 404 v2 GET /alice/app/manifests/2
expect_status 200 v2 GET "/alice/app/manifests/$digest"
expect_status 202 v2 DELETE "/alice/app/manifests/$digest"
expect_match '^[Dd]ocker-[Dd]istribution-[Aa]pi-[Vv]ersion: registry/2.0' "$headers"
expect_status 404 v2 GET "/alice/app/manifests/$digest"
expect_match 'MANIFEST_UNKNOWN' "$body"

say "skopeo deletes as well, with every tag of that manifest"
expect_success as alice skopeo delete --tls-verify=false "$(address alice/both:1)"
expect_failure 'manifest unknown' as alice skopeo inspect --tls-verify=false "$(address alice/both:1)"
take_token alice 'repository:alice/both:pull'
expect_status 200 v2 GET /alice/both/tags/list
expect_equal "the tags" '[]' "$(jq --compact-output .tags <<<"$body")"
expect_status 200 api alice GET /repositories/alice/both/-/tags
expect_equal "the index's tags" '[]' "$(jq --compact-output .items <<<"$body")"

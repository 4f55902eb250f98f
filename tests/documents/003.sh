#!/usr/bin/env bash
# Document 003: nginx and a registry by compose; every read of the API by curl; the soft delete and the hard one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
registry=localhost
readonly manifest_type='Accept: application/vnd.docker.distribution.manifest.v2+json'

use_compose berth-document deploy/compose.standalone.yml tests/documents/stand-ins.yml

# Bytes of blobs in the registry's volume.
stored() {
    compose exec -T registry du --summarize --bytes /var/lib/registry/docker/registry/v2/blobs | cut --fields 1
}

say "docker-compose up -d"
expect_success compose up -d
answers localhost
expect_equal "who it runs as" 10001 "$(compose exec -T registry id -u | tr -d '\r')"
expect_status 200 call GET /v2/_catalog
expect_equal "the catalog" '{"repositories":[]}' "$body"

say "push and pull"
expect_success docker tag berth-test/app localhost/library/hello-world
expect_success docker push localhost/library/hello-world
expect_success docker image remove localhost/library/hello-world
expect_success docker pull localhost/library/hello-world
expect_status 200 call GET /v2/_catalog
expect_equal "the catalog" '{"repositories":["library/hello-world"]}' "$body"
expect_status 200 call GET /v2/library/hello-world/tags/list
expect_equal "the tags" '{"name":"library/hello-world","tags":["latest"]}' "$body"

say "the manifest, and what it names"
expect_status 200 call GET /v2/library/hello-world/manifests/latest --header "$manifest_type"
expect_match '^content-type: application/vnd.docker.distribution.manifest.v2\+json$' "${headers,,}"
digest=$(sed -n 's/^docker-content-digest: //Ip' <<<"$headers")
expect_match "^etag: \"$digest\"$" "${headers,,}"
expect_match '^docker-distribution-api-version: registry/2.0$' "${headers,,}"
expect_equal "the manifest's digest" "$digest" "sha256:$(sha256sum <"$work/body" | cut --delimiter ' ' --fields 1)"
expect_equal "the config" "$(image_id berth-test/app)" "$(jq --raw-output .config.digest "$work/body")"
for blob in $(jq --raw-output '.config.digest, .layers[].digest' "$work/body"); do
    expect_status 200 call GET "/v2/library/hello-world/blobs/$blob"
    expect_equal "the blob" "$blob" "sha256:$(sha256sum <"$work/body" | cut --delimiter ' ' --fields 1)"
done

say "the soft delete"
expect_status 404 call DELETE "/v2/library/hello-world/manifests/sha256:$(printf '0%.0s' {1..64})"
expect_status 202 call DELETE "/v2/library/hello-world/manifests/$digest" --header "$manifest_type"
expect_match '^docker-distribution-api-version: registry/2.0$' "${headers,,}"
expect_status 200 call GET /v2/library/hello-world/tags/list
expect_equal "the tags" '{"name":"library/hello-world","tags":[]}' "$body"
expect_status 404 call GET /v2/library/hello-world/manifests/latest --header "$manifest_type"

say "the hard delete, first to see what would go"
before=$(stored)
expect_success docker exec "$(compose ps --quiet registry)" \
    /bin/registry garbage-collect --dry-run /etc/registry/config.yml
expect_match "^blob eligible for deletion: $digest" "$seen"
expect_match '^0 blobs marked, [1-9][0-9]* blobs and 0 manifests eligible for deletion' "$seen"
expect_equal "the bytes stored" "$before" "$(stored)"
expect_success compose exec -T registry /bin/registry garbage-collect /etc/registry/config.yml
[[ $(stored) -lt $((before / 10)) ]] || fail "$before bytes were stored, and $(stored) still are"

say "what is pushed again is there again, also after docker-compose restart, stop and down"
expect_success docker tag berth-test/app localhost/library/hello-world
expect_success docker push localhost/library/hello-world
expect_success compose restart
answers localhost
expect_success docker pull localhost/library/hello-world
expect_success compose stop
expect_success compose up -d
answers localhost
expect_success docker pull localhost/library/hello-world
expect_success compose down
expect_success compose up -d
answers localhost
expect_success docker pull localhost/library/hello-world

say "a volume that belongs to root, as an older registry leaves it"
expect_success compose down
expect_success compose run --rm -T --user 0 --entrypoint chown registry --recursive root:root /var/lib/registry
expect_success compose up -d registry
says_why() { compose logs --no-color registry | grep --quiet 'cannot be written'; }
within 30 says_why
export BERTH_USER=0:0
expect_success compose up -d
answers localhost
expect_success docker pull localhost/library/hello-world
expect_success compose down --volumes
expect_equal "the volumes left" '' "$(docker volume ls --quiet --filter name=berth-document)"

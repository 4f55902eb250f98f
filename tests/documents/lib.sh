# What the scripts of the documents have: the image of the registry, under the documents' own command lines. Sourced, not run.
# shellcheck shell=bash

source "$(dirname "${BASH_SOURCE[0]}")/../stories/lib.sh"
export DOCKER_CONFIG=$work/docker

# The one name in the documents' commands that is not theirs.
readonly image=berth-test/registry

DOCKER_BUILDKIT=0 docker build --quiet --tag "$image" --target registry --build-arg RUST_IMAGE=berth-test/rust \
    --build-arg DEBIAN_IMAGE=berth-test/debian --file "$repository/deploy/Dockerfile" "$repository"

# The container has the documents' name, so it must be nobody else's.
! docker container inspect registry >/dev/null 2>&1 || fail "a container named registry is there already"

tear_down() {
    docker container logs registry >"$work/registry.log" 2>&1
    docker container rm --force --volumes registry >/dev/null 2>&1
}

# answers ADDRESS: waits until the registry there does.
answers() {
    within 30 curl --silent --fail "http://$1/v2/" || fail "$1 does not answer"
}

volumes() {
    docker volume ls --quiet | sort
}

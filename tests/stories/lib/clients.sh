# Docker, skopeo and podman, each run as an account of the product. Sourced, not run.
# shellcheck shell=bash

# password_of USER: the first admin's is in a file, the others' follow a rule.
password_of() {
    if [[ $1 == admin ]]; then
        cat "$admin_password_file"
    else
        printf 'the password of %s' "$1"
    fi
}

# as USER COMMAND…: with the credentials of that account; `anonymous` never logs in and has none.
as() {
    local home=$work/clients/$1
    shift
    if [[ ! -e $home/config.json ]]; then
        mkdir -p "$home"
        printf '{}' >"$home/config.json"
    fi
    DOCKER_CONFIG=$home REGISTRY_AUTH_FILE=$home/config.json "$@"
}

# log_in USER: `docker login`, as a person would without a terminal.
log_in() {
    expect_success as "$1" docker_login "$1"
    expect_match 'Login Succeeded' "$seen"
}

# docker_login USER [PASSWORD]
docker_login() {
    docker login --username "$1" --password-stdin "$registry" <<<"${2:-$(password_of "$1")}"
}

# add_account USER: made by the admin, logged in.
add_account() {
    expect_status 201 api admin POST /admin/users "{\"name\":\"$1\",\"password\":\"$(password_of "$1")\"}"
    log_in "$1"
}

# push USER IMAGE REPOSITORY[:TAG]: tags a local image for the product and pushes it.
push() {
    docker tag "$2" "$registry/$3"
    as "$1" docker push "$registry/$3"
}

# pull USER REPOSITORY[:TAG]: nothing of that name is left here before, so the answer is the product's.
pull() {
    docker image rm --force "$registry/$2" >/dev/null 2>&1 || true
    as "$1" docker pull "$registry/$2"
}

image_id() {
    docker image inspect --format '{{.Id}}' "$1"
}

# bridge_address: the machine's own address in Docker's network. The daemon tells it only from its second start on.
bridge_address() {
    ip -4 -brief address show docker0 | awk '{ sub("/.*", "", $3); print $3 }'
}

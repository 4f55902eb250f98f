# The product, as one program or as the split ones behind nginx, with fresh data. Sourced, not run.
# shellcheck shell=bash

readonly programs=$repository/target/release

# start_stack berth|split
start_stack() {
    ! curl --silent --output /dev/null "http://$registry" || fail "something else serves $registry already"
    "start_$1"
    wait_ready "$registry"
}

# wait_ready ADDRESS
wait_ready() {
    within 30 curl --fail "http://$1/readyz" || fail "$1 does not get ready"
}

start_berth() {
    admin_password_file=$work/data/initial-admin-password
    launch berth "$programs/berth" serve --listen 127.0.0.1:5000 --data "$work/data"
}

# The addresses have the names that docker-compose.yml gives, so that deploy/nginx.conf serves here as it is, but for its
# own address: a DNS where nginx looks for Docker's knows one index and two replicas, each on a loopback address.
start_split() {
    admin_password_file=$work/index/initial-admin-password
    printf '%s\n' '127.0.0.2 registry' '127.0.0.3 registry' '127.0.0.4 index' >"$work/names"
    launch dns dnsmasq --keep-in-foreground --no-resolv --no-hosts --local=// --addn-hosts="$work/names" \
        --listen-address=127.0.0.11 --bind-interfaces --user=root --pid-file=
    start_index
    start_replica 2
    start_replica 3
    sed 's/listen 80;/listen 127.0.0.1:5000;/' "$repository/deploy/nginx.conf" >"$work/nginx.conf"
    launch nginx docker run --rm --network host --volume "$work/nginx.conf:/etc/nginx/nginx.conf:ro" \
        berth-test/debian nginx -g 'daemon off;'
}

start_index() {
    launch index env INDEX_HTTP_ADDR=127.0.0.4:5001 INDEX_PUBLIC_URL="http://$registry" INDEX_DATA="$work/index" \
        INDEX_INTERNAL_SECRET_PATH="$work/internal-secret" INDEX_REGISTRY_URL=http://127.0.0.2:5000 \
        "$programs/index-service"
    wait_ready 127.0.0.4:5001
}

# start_replica N: the one on 127.0.0.N, named replica-N.
start_replica() {
    launch "replica-$1" env REGISTRY_HTTP_ADDR="127.0.0.$1:5000" REGISTRY_INDEX_URL=http://127.0.0.4:5001 \
        REGISTRY_INDEX_SECRET_FILE="$work/internal-secret" REGISTRY_AUTH_TOKEN_REALM="http://$registry/token" \
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="$work/storage" "$programs/registry-service"
    wait_ready "127.0.0.$1:5000"
}

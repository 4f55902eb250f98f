#!/usr/bin/env bash
# Requests made from the document of the REST API itself (schemathesis), as an administrator of the instance and as an
# ordinary member, each against an instance of its own: nothing is answered that the document does not say, nothing with a
# 5xx, and nine operations in ten are answered with a success. Both at once, on two cores a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8
source tests/packages.sh
source tests/stories/lib/process.sh

readonly root=$PWD here=$PWD/tests/schemathesis
# What was installed is kept until other versions are asked for.
versions=$(sha256sum "$here/requirements.txt")
readonly venv=$PWD/target/schemathesis/${versions:0:16}
mkdir -p target
work=$(mktemp -d -p "$PWD/target" schemathesis.XXXXXX)
clean_up() {
    halt_all || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

install_schemathesis() {
    [[ ! -e $venv/complete ]] || return 0
    install_missing python3:python3
    # Debian parts it from python3, and it has no command of its own.
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing no-such-command:python3-venv
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    touch "$venv/complete"
}

free_port() {
    "$venv/bin/python" -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# start ROLE: an instance, which listens before it writes the first password, and the requests. No rate is limited: all come
# from one address.
start() {
    local role=$1 port url
    port=$(free_port)
    url=http://127.0.0.1:$port
    mkdir "$work/$role"
    launch "instance-$role" env -i PATH="$PATH" INDEX_PUBLIC_URL="$url" INDEX_SIGNUP=open INDEX_SIGN_UPS_PER_ADDRESS=0 \
        INDEX_WRONG_PASSWORDS_PER_ADDRESS=0 INDEX_WRONG_PASSWORDS_PER_ACCOUNT=0 \
        "$root/target/debug/berth" serve --listen "127.0.0.1:$port" --data "$work/$role/data"
    within 60 test -s "$work/$role/data/initial-admin-password" || {
        cat "$work/instance-$role.log" >&2
        return 1
    }
    cd "$work/$role"
    BERTH_URL=$url BERTH_ROLE=$role BERTH_ADMIN_PASSWORD=$(<data/initial-admin-password) BERTH_ANSWERS=answers.json \
        PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=hooks \
        launch "$role" "$venv/bin/schemathesis" run "$url/api/v1/openapi.json" --no-color --seed 1 --max-examples 5 \
        --phases examples,coverage,fuzzing --generation-database none --continue-on-failure --warnings off \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
    cd "$root"
}

# finish ROLE: what came of it.
finish() {
    local role=$1 status=0 pid=${pid_of[$1]}
    wait "$pid" || status=$?
    unset "pid_of[$role]"
    printf '\n== as %s ==\n' "$role"
    cat "$work/$role.log"
    "$venv/bin/python" "$here/verdict.py" "$role" docs/openapi.json "$work/$role/answers.json" || status=1
    return "$status"
}

# With the features that the tests are built with, so that little is built anew.
cargo build --quiet --workspace --bin berth
install_schemathesis
start admin
start member
result=0
for role in admin member; do finish "$role" || result=1; done
[[ $result == 0 ]]

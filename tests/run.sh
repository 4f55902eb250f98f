#!/usr/bin/env bash
# Every test of Berth, on a Debian 12 with Rust; as root, because it installs what it needs and starts a Docker daemon.
#
#   bash tests/run.sh             formatting, lints, unit and protocol tests, requests made from the API's document, and the
#                                 end-to-end stories
#   bash tests/run.sh --fast      all but the stories: no Docker, no release build
#   bash tests/run.sh --long      all, every fail point where else a fair part is tried, a soak, and the fuzz targets
#   bash tests/run.sh --story 6   one story; `--document 003` does the command lines of one document
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
source tests/packages.sh
source tests/stories/lib/docker.sh

readonly logs=target/test-logs
# Without the tests beside them, which would switch fail points on.
readonly shipped=(--package berth --package index-service --package registry-service)
steps_passed=0

log_of() {
    printf '%s/%s.log' "$logs" "${1//[^a-z0-9]/-}"
}

# step NAME COMMAND…: runs a program with its output in a log, of which the end is shown when it fails.
step() {
    local name=$1 log started=$SECONDS
    log=$(log_of "$name")
    shift
    printf '%-36s' "$name"
    if "$@" >"$log" 2>&1; then
        printf 'ok      %4d s\n' $((SECONDS - started))
        steps_passed=$((steps_passed + 1))
    else
        printf 'FAILED  %4d s; the end of %s:\n' $((SECONDS - started)) "$log"
        tail -n 100 "$log"
        printf '%d passed, 1 failed\n' "$steps_passed"
        exit 1
    fi
}

# run_tests NAME [FILTER…]: a step, and after it how many fail points were tried, and with which seed a soak is done again.
run_tests() {
    local name=$1
    shift
    if cargo nextest --version >/dev/null 2>&1; then
        step "$name" cargo nextest run --workspace --run-ignored all --no-fail-fast "$@"
    else
        step "$name" cargo test --workspace --all-targets --no-fail-fast -- --include-ignored --show-output "$@"
    fi
    grep --only-matching 'faults: .*' "$(log_of "$name")" | sort --unique || {
        printf 'nobody has counted fail points\n'
        exit 1
    }
}

# Without a daemon. No test may hide behind `#[ignore]`.
run_fast() {
    install_missing cc:build-essential c++:build-essential shellcheck:shellcheck nginx:nginx-light \
        docker-registry:docker-registry faketime:faketime sqlite3:sqlite3 script:bsdutils
    step "shell scripts" shellcheck .ci/run tests/*.sh tests/fuzz/*.sh tests/stories/*.sh tests/documents/*.sh \
        tests/stories/images/*.sh tests/schemathesis/*.sh benches/*.sh
    step "formatting" cargo fmt --all --check
    step "formatting of fuzz targets" cargo fmt --check --manifest-path tests/fuzz/Cargo.toml
    step "lints" cargo clippy --workspace --all-targets -- --deny warnings
    step "lints of what is shipped" cargo clippy "${shipped[@]}" -- --deny warnings
    # A workspace of its own, here with the versions of this one and what is built for it.
    cp Cargo.lock tests/fuzz/Cargo.lock
    step "lints of fuzz targets" cargo clippy --manifest-path tests/fuzz/Cargo.toml --all-targets \
        --target-dir "${CARGO_TARGET_DIR:-target}" -- --deny warnings
    run_tests "unit and protocol tests"
    step "documentation tests" cargo test --workspace --doc -- --include-ignored
    step "requests made from the document" bash tests/schemathesis/run.sh
}

# without_fail_points PROGRAM…: none of them looks at the variable that makes a disk fail.
without_fail_points() {
    local program
    for program in "$@"; do
        test -x "$program"
        ! grep --text BERTH_FAULTS "$program" || return 1
    done
}

# run_stories FILE…: each story against the one program and against the split ones; those about what only one of them has,
# against that.
run_stories() {
    local story name mode modes
    install_missing curl:curl jq:jq update-ca-certificates:ca-certificates debootstrap:debootstrap \
        dockerd:docker.io docker-compose:docker-compose dnsmasq:dnsmasq-base skopeo:skopeo podman:podman \
        htpasswd:apache2-utils openssl:openssl strace:strace nsenter:util-linux ip:iproute2 python3:python3 \
        docker-registry:docker-registry
    step "release build" cargo build --release "${shipped[@]}"
    step "no fail points in the release" without_fail_points target/release/{berth,registry-service}
    trap stop_docker EXIT
    start_docker
    step "stand-in images" bash tests/stories/images/make.sh
    for story in "$@"; do
        name=$(basename "$story" .sh)
        case $name in
            [0-9][0-9][0-9]) modes='document' ;;
            *-replicas) modes='split' ;;
            *-compose) modes='compose' ;;
            *) modes='berth split' ;;
        esac
        for mode in $modes; do
            step "story $name, $mode" bash "$story" "$mode"
        done
    done
}

mkdir -p "$logs"
case ${1:-} in
    '')
        run_fast
        run_stories tests/stories/[0-9]*-*.sh tests/documents/[0-9]*.sh
        ;;
    --fast) run_fast ;;
    --long)
        run_fast
        BERTH_TESTS_LONG=1 run_tests "every fail point, and a soak" faults:: crowds::
        step "fuzz targets" bash tests/fuzz/run.sh 180
        run_stories tests/stories/[0-9]*-*.sh tests/documents/[0-9]*.sh
        ;;
    --story) run_stories "tests/stories/${2:?which story}"-*.sh ;;
    --document) run_stories "tests/documents/${2:?which document}.sh" ;;
    *)
        sed -n '2,8p' "$0" >&2
        exit 2
        ;;
esac
printf '%d passed, 0 failed\n' "$steps_passed"

#!/usr/bin/env bash
# The collector: how long it takes and how much memory it needs, and what writers notice of it while it runs.
#
#   bash benches/collect.sh             a million blobs for the first, a hundred thousand for the second
#   bash benches/collect.sh --quick     a hundredth of it, to see that it runs
#   BENCH_DIR=/mnt bash …               on the disk that is mounted there: a million blobs are four million files and
#                                       directories, and some disks remove no more than two hundred of them a second
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
source tests/packages.sh
install_missing time:time

many=1000000 some=100000 seconds=20
# Longer than the writers need from a layer to the manifest that names it, and much shorter than the volume is old.
grace=5
case ${1:-} in
    '') ;;
    --quick) many=10000 some=1000 seconds=2 ;;
    *) echo "usage: bash benches/collect.sh [--quick]" >&2 && exit 2 ;;
esac

cargo build --release --package berth --package registry-service --package benches
readonly berth=$PWD/target/release/berth registry=$PWD/target/release/registry-service
readonly volume=$PWD/target/release/volume writes=$PWD/target/release/writes
readonly ready=$PWD/target/release/blob
work=$(mktemp -d -p "${BENCH_DIR:-$PWD/target}" collect.XXXXXX)
server='' writer=''
clean_up() {
    for child in $server $writer; do kill "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# collect FOLDER ARGUMENT…: prints seconds and MiB.
collect() {
    local folder=$1
    shift
    BERTH_DATA=$folder command time -f '%e s, %M KiB, %U s of CPU' -o "$work/time" \
        "$berth" gc "$@" >"$work/found"
    printf '%s; %s\n' "$(tail -n 1 "$work/found")" "$(cat "$work/time")"
}

echo "A volume of $many blobs, half of them garbage"
"$volume" "$work/many/registry" "$many"
printf '  dry run    %s\n' "$(collect "$work/many" --grace 0s --dry-run)"
printf '  collect    %s\n' "$(collect "$work/many" --grace 0s)"
printf '  again      %s\n' "$(collect "$work/many" --grace 0s)"
rm -rf "$work/many"

echo "Writers on a volume of $some blobs: kind, requests, median, p99 and slowest in ms"
"$volume" "$work/some/registry" "$some"
port=$((20000 + RANDOM % 10000))
env -i PATH="$PATH" REGISTRY_HTTP_ADDR="127.0.0.1:$port" REGISTRY_LOG_LEVEL=error \
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="$work/some/registry" "$registry" serve 2>"$work/log" &
server=$!
"$ready" ready "127.0.0.1:$port" >/dev/null

# beside COMMAND…: what writers notice while it runs. They end with an error if anything is refused.
beside() {
    rm -f "$work/ended"
    "$writes" "127.0.0.1:$port" bench/app "$work/ended" >"$work/noticed" &
    writer=$!
    "$@"
    touch "$work/ended"
    wait "$writer"
    writer=''
    sed 's/^/    /' "$work/noticed"
}

# collect_some FATE: collects beside the server and says what came of it. An error if there is nothing of that fate.
collect_some() {
    local told count
    told=$(collect "$work/some" --delete-untagged --grace "${grace}s")
    count=$(sed -n "s/.*\"$1\":{\"count\":\([0-9]*\).*/\1/p" <<<"$told")
    printf '  while one runs that has %s %s: %s\n' "$1" "$count" "${told##*; }"
    ((count >= some / 2)) || { echo "$1 too few, so nothing was measured: $told" >&2 && return 1; }
}

echo '  without a collector'
beside sleep "$seconds"
# What the first hides the second deletes, when it has been hidden for the grace.
beside collect_some hidden
sleep "$grace"
beside collect_some deleted

#!/usr/bin/env bash
# Changes in the index's database: how many a second are made durable when they come one after the other, and when they
# come together and share a commit. On a quiet machine; a minute.
#
#   bash benches/commits.sh [PROGRAM…]   of these programs in turns; without one, of the release build
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
source tests/packages.sh
install_missing curl:curl jq:jq wrk:wrk

if [[ $# == 0 ]]; then
    cargo build --quiet --release --package berth
    set -- target/release/berth
fi
readonly rounds=3 seconds=3 address=127.0.0.1:5077
readonly base=http://$address/api/v1
work=$(mktemp -d -p "$PWD/target" commits.XXXXXX)
server=''
clean_up() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Each request makes a repository of a new name.
cat >"$work/make.lua" <<'LUA'
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init() made = 0 end
function request()
    made = made + 1
    local name = string.format("/api/v1/repositories/admin/%s-%d-%d", os.getenv("ROUND"), number, made)
    return wrk.format("PUT", name, nil, "{}")
end
LUA

ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }

# changes ROUND CONNECTIONS: changes a second, and microseconds of the server's CPU time for each.
changes() {
    local before after
    before=$(ticks)
    ROUND=$1-$2 wrk -t1 -c"$2" -d"${seconds}s" -s "$work/make.lua" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' "http://$address" >"$work/wrk"
    after=$(ticks)
    ! grep -q Non-2xx "$work/wrk" || { cat "$work/wrk" >&2 && return 1; }
    awk -v ticks=$((after - before)) '/requests in/ { n = $1 } /^Requests\/sec/ { printf "%.0f %.0f\n", $2, ticks * 10000 / n }' \
        "$work/wrk"
}

printf '%-40s %12s %12s %12s\n' 'changes a second, CPU each' '1 at once' '8' '32'
for ((round = 0; round < rounds; round++)); do
    for program in "$@"; do
        rm -rf "$work/data"
        env -i PATH="$PATH" "$program" serve --listen "$address" --data "$work/data" >"$work/log" 2>&1 &
        server=$!
        until curl -sf -o /dev/null "http://$address/readyz"; do sleep 0.1; done
        token=$(curl -sSf -u "admin:$(<"$work/data/initial-admin-password")" -H 'Content-Type: application/json' \
            "$base/user/tokens" -d '{"name":"bench"}' | jq --raw-output .secret)
        printf '%-40s' "$program"
        for connections in 1 8 32; do
            read -r rate cpu < <(changes "$round" "$connections")
            printf ' %6s %3s us' "$rate" "$cpu"
        done
        printf '\n'
        kill "$server"
        wait "$server" || true
        server=''
    done
done

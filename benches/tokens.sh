#!/usr/bin/env bash
# The token server: registry tokens a second, of an empty instance and of a full one, whether time tells what a client may
# not know, and what pulls notice of a flood of passwords. On a quiet machine; a minute.
#
#   bash benches/tokens.sh           medians of three rounds
#   bash benches/tokens.sh --quick   one short round, to see that it runs
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C PATH=$PATH:/usr/sbin
source tests/packages.sh

# In a network of its own, as compare.sh.
if [[ ${1:-} != --alone ]]; then
    install_missing curl:curl jq:jq wrk:wrk sqlite3:sqlite3 unshare:util-linux ip:iproute2
    cargo build --quiet --release --package berth --package benches
    exec unshare --net bash benches/tokens.sh --alone "$@"
fi
shift
ip link set lo up

rounds=3 seconds=4
case ${1:-} in
    '') ;;
    --quick) rounds=1 seconds=1 ;;
    *) echo "usage: bash benches/tokens.sh [--quick]" >&2 && exit 2 ;;
esac

readonly berth=$PWD/target/release/berth blob=$PWD/target/release/blob address=127.0.0.1:5000
readonly base=http://$address/api/v1 manifest_type=application/vnd.oci.image.index.v1+json
work=$(mktemp -d -p "$PWD/target" tokens.XXXXXX)
server=''
clean_up() {
    local status=$?
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    [[ $status == 0 ]] || tail -n 5 "$work/log" >&2 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# What is measured is the work on each wrong password, so that every one of them is looked at.
start() {
    env -i PATH="$PATH" INDEX_WRONG_PASSWORDS_PER_ADDRESS=0 INDEX_WRONG_PASSWORDS_PER_ACCOUNT=0 \
        "$berth" serve --listen "$address" --data "$work/data" >"$work/log" 2>&1 &
    server=$!
    "$blob" ready "$address" >/dev/null
}
stop() {
    kill "$server"
    wait "$server"
    server=''
}
start
admin=admin:$(<"$work/data/initial-admin-password")
rest() { curl -sSf -u "$admin" -H 'Content-Type: application/json' "$@"; }
secret_of() { jq --raw-output .secret; }

rest -X POST "$base/orgs" -d '{"name":"acme"}' >/dev/null
for name in app other; do rest -X PUT "$base/repositories/acme/$name" -d '{}' >/dev/null; done
rest -X POST "$base/admin/users" -d '{"name":"stranger","password":"a long password"}' >/dev/null
person=admin:$(rest -X POST "$base/user/tokens" -d '{"name":"bench"}' | secret_of)
robot=acme+ci:$(rest -X POST "$base/orgs/acme/robots" -d '{"name":"ci"}' | secret_of)
rest -X PUT "$base/namespaces/acme/grants/robot:acme+ci" -d '{"role":"write"}' >/dev/null
stranger=stranger:$(curl -sSf -u 'stranger:a long password' -H 'Content-Type: application/json' -X POST "$base/user/tokens" \
    -d '{"name":"bench"}' | secret_of)

ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
basic() { printf 'Authorization: Basic %s' "$(printf '%s' "$1" | base64 --wrap=0)"; }

# ask HEADER PATH: requests a second, microseconds of the server's CPU time for each, and p99 in ms.
ask() {
    local before after
    before=$(ticks)
    wrk -t2 -c32 -d"${seconds}s" --latency -H "$1" "http://$address$2" >"$work/wrk"
    after=$(ticks)
    awk -v ticks=$((after - before)) '
        /requests in/ { n = $1 }
        /^ *99%/ { p99 = $2 ~ /ms$/ ? $2 + 0 : $2 ~ /us$/ ? $2 / 1000 : $2 * 1000 }
        /^Requests\/sec/ { rate = $2 }
        END { printf "%.0f %.1f %.2f\n", rate, ticks * 10000 / n, p99 }' "$work/wrk"
}

# rows (NAME HEADER PATH)...: the medians of the rounds, asked in turns: whatever else the machine does, all meet it.
rows() {
    local round row
    for ((round = 0; round < rounds; round++)); do
        for ((row = 1; row < $#; row += 3)); do
            printf '%s|%s\n' "${!row}" "$(ask "${@:row+1:2}")"
        done
    done | awk -F '|' '
        # What is the FIGUREth of them in the middle of its rounds?
        function median(row, figure,    i, j, of, held) {
            for (i = 1; i <= rounds[row]; i++) of[i] = figures[row, i, figure]
            for (i = 1; i < rounds[row]; i++)
                for (j = i + 1; j <= rounds[row]; j++)
                    if (of[j] < of[i]) { held = of[i]; of[i] = of[j]; of[j] = held }
            return of[int((rounds[row] + 1) / 2)]
        }
        !($1 in number) { name[++names] = $1; number[$1] = names }
        {
            row = number[$1]
            rounds[row]++
            split($2, figure, " ")
            for (i = 1; i <= 3; i++) figures[row, rounds[row], i] = figure[i] + 0
        }
        END {
            for (row = 1; row <= names; row++)
                printf "%-50s %8.0f/s %8.1f us %8.2f ms\n", name[row], median(row, 1), median(row, 2), median(row, 3)
        }'
}

token_path() { printf '/token?service=berth&scope=repository:%s:pull,push' "$1"; }

printf '%-50s %10s %11s %11s\n' '' 'a second' 'CPU each' 'p99'
rows 'token, access token (goal: 10,000/s)' "$(basic "$person")" "$(token_path acme/app)" \
    'token, robot' "$(basic "$robot")" "$(token_path acme/app)"

# Each account has a namespace with a repository in it, and somebody else may read that.
stop
sqlite3 "$work/data/index.sqlite" <<'SQL'
CREATE TEMP TABLE many AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n;
BEGIN;
INSERT INTO accounts (id, name, password_hash, created_at) SELECT 'a' || i, 'person' || i, '', 0 FROM many;
INSERT INTO namespaces (id, name, account_id, created_at) SELECT 'n' || i, 'person' || i, 'a' || i, 0 FROM many;
INSERT INTO repositories (id, name, namespace_id, visibility, state, created_by, created_at, updated_at)
    SELECT 'r' || i, 'person' || i || '/app', 'n' || i, 'private', 'ready', 'person' || i, 0, 0 FROM many;
INSERT INTO grants (id, repository_id, account_id, role, created_by, created_at)
    SELECT 'g' || i, 'r' || i, 'a' || (i % 100000 + 1), 'read', 'person' || i, 0 FROM many;
COMMIT;
SQL
start
rows 'token, beside 100,000 accounts and what is theirs' "$(basic "$person")" "$(token_path acme/app)"
rows 'token, stranger asks for what is private' "$(basic "$stranger")" "$(token_path acme/app)" \
    'token, stranger asks for what is absent' "$(basic "$stranger")" "$(token_path acme/no)"
wrong=berth_pat_$(printf 'x%.0s' {1..43})
rows 'refused, wrong secret beside a known name' "$(basic "admin:$wrong")" "$(token_path acme/app)" \
    'refused, wrong secret beside an unknown name' "$(basic "nobody:$wrong")" "$(token_path acme/app)"

# Of what a person reaches a namespace by there may be much: a hundred teams, and ten thousand grants that are others'.
stop
sqlite3 "$work/data/index.sqlite" <<'SQL'
CREATE TEMP TABLE many AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n;
CREATE TEMP TABLE big AS SELECT o.id AS organisation_id, n.id AS namespace_id
    FROM organisations o JOIN namespaces n ON n.organisation_id = o.id WHERE o.name = 'acme';
BEGIN;
INSERT INTO members (organisation_id, account_id, role, created_at)
    SELECT big.organisation_id, a.id, 'member', 0 FROM big, accounts a WHERE a.name = 'stranger';
INSERT INTO teams (id, organisation_id, name, created_at)
    SELECT 't' || i, organisation_id, 'team' || i, 0 FROM big, many WHERE i <= 100;
INSERT INTO team_members (team_id, account_id, created_at)
    SELECT 't' || i, a.id, 0 FROM many, accounts a WHERE i <= 100 AND a.name = 'stranger';
INSERT INTO grants (id, namespace_id, account_id, role, created_by, created_at)
    SELECT 'many' || i, namespace_id, 'a' || i, 'read', 'admin', 0 FROM big, many;
INSERT INTO grants (id, namespace_id, team_id, role, created_by, created_at)
    SELECT 'team' || i, namespace_id, 't' || i, 'write', 'admin', 0 FROM big, many WHERE i <= 100;
COMMIT;
SQL
start
rows 'token, member of 100 teams, beside 10,000 grants' "$(basic "$stranger")" "$(token_path acme/app)"

# In turns: whatever else the machine does, both meet it.
for ((number = 0; number < 20; number++)); do
    for name in admin nobody; do
        curl -sS -o /dev/null -w "$name %{time_total}\n" -u "$name:wrong password" "http://$address/token"
    done
done | awk '
    { time[$1] += $2 * 1000 / 20 }
    END { printf "\na wrong password: %.1f ms beside a known name, %.1f ms beside an unknown one\n", time["admin"], time["nobody"] }'

token=$(curl -sSf -u "$person" "http://$address$(token_path acme/app)" | jq --raw-output .token)
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[]}' "$manifest_type" >"$work/manifest"
curl -sSf -o /dev/null -X PUT -H "Authorization: Bearer $token" -H "Content-Type: $manifest_type" \
    --data-binary @"$work/manifest" "http://$address/v2/acme/app/manifests/v1"
printf '\n'
rows 'manifest by tag' "Authorization: Bearer $token" /v2/acme/app/manifests/v1
guessers=()
for ((guesser = 0; guesser < 8; guesser++)); do
    while [[ ! -e $work/enough ]]; do curl -sS -o /dev/null -u "admin:wrong password" "http://$address/token" || true; done &
    guessers+=($!)
done
rows 'the same, beside eight who guess passwords' "Authorization: Bearer $token" /v2/acme/app/manifests/v1
touch "$work/enough"
wait "${guessers[@]}"

#!/usr/bin/env bash
# Berth beside Debian's docker-registry: speed, CPU time of the server, memory, start. On a quiet machine, as root if a
# package is missing.
#
#   bash benches/compare.sh           medians of several rounds, in which the two take turns
#   bash benches/compare.sh --quick   one short round, to see that it runs
#
# Berth checks a token at every request and keeps its log on; the peer does neither.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
source tests/packages.sh

readonly servers=(berth peer)
readonly name=admin/app tag_count=100 small_bytes=2048
readonly manifest_type=application/vnd.docker.distribution.manifest.v2+json
readonly berth=$PWD/target/release/berth blob=$PWD/target/release/blob

layer_rounds=7 small_rounds=5 start_rounds=5 seconds=4 layer_bytes=$((512 << 20)) streams=8
case ${1:-} in
    '') ;;
    --quick) layer_rounds=1 small_rounds=1 start_rounds=1 seconds=1 ;;
    *) echo "usage: bash benches/compare.sh [--quick]" >&2 && exit 2 ;;
esac

declare -A pid=() address=() token=([berth]='' [peer]='')
ticks_per_second=$(getconf CLK_TCK)
mkdir -p target
work=$(mktemp -d -p "$PWD/target" compare.XXXXXX)

# Leaves nothing behind but, after a failure, the last words of the servers.
clean_up() {
    local status=$? server
    for server in "${!pid[@]}"; do stop "$server"; done
    [[ $status == 0 ]] || tail -n 5 "$work"/*.log >&2 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- the two servers

# free_port FROM: one of the thousand from there.
free_port() {
    local port
    while
        port=$(($1 + RANDOM % 1000))
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
    do :; done
    printf '%s' "$port"
}

write_peer_config() {
    cat >"$work/peer.yml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $work/peer}
  cache: {blobdescriptor: inmemory}
  delete: {enabled: true}
http: {addr: "${address[peer]}", secret: compare}
EOF
}

# start SERVER: spawns it and waits until it answers. Both without the variables of whoever runs this.
start() {
    local command=("$berth" serve --listen "${address[berth]}" --data "$work/berth")
    [[ $1 == berth ]] || command=(docker-registry serve "$work/peer.yml")
    env -i PATH="$PATH" "${command[@]}" >>"$work/$1.log" 2>&1 &
    pid[$1]=$!
    "$blob" ready "${address[$1]}" >/dev/null
}

stop() {
    kill "${pid[$1]}" 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

# Tokens live five minutes, longer than a row takes.
renew_token() {
    local password
    password=$(<"$work/berth/initial-admin-password")
    token[berth]=$(curl -sSf -u "admin:$password" \
        "http://${address[berth]}/token?service=berth&scope=repository:$name:pull,push" | jq -r .token)
}

# ---- measuring

# CPU time of the server so far, in clock ticks: fields 14 and 15, counted behind the name in brackets.
cpu_ticks() {
    local fields
    fields=$(<"/proc/${pid[$1]}/stat")
    read -ra fields <<<"${fields##*) }"
    printf '%s' $((fields[11] + fields[12]))
}

# record ROW UNIT SERVER VALUE
record() { printf '%s\t%s\t%s\t%s\n' "$@" >>"$work/results"; }

calculate() { awk "BEGIN { printf \"%.6g\", $1 }"; }

# measure_bytes ROW SERVER BYTES BLOB-ARGUMENTS…: speed and CPU time of moving so many bytes.
measure_bytes() {
    local row=$1 server=$2 bytes=$3 before took used
    shift 3
    before=$(cpu_ticks "$server")
    took=$(TOKEN=${token[$server]} "$blob" "$@")
    used=$(($(cpu_ticks "$server") - before))
    record "$row" 'GB/s' "$server" "$(calculate "$bytes / $took / 1e9")"
    record "$row" 'CPU s/GB' "$server" "$(calculate "$used / $ticks_per_second / ($bytes / 1e9)")"
}

# measure_requests ROW SERVER PATH: 32 connections that ask for the same thing.
measure_requests() {
    local row=$1 server=$2 url="http://${address[$2]}$3" before used report
    local headers=(--header "Accept: $manifest_type")
    [[ -z ${token[$server]} ]] || headers+=(--header "Authorization: Bearer ${token[$server]}")
    before=$(cpu_ticks "$server")
    report=$(wrk --threads 1 --connections 32 --duration "${seconds}s" --latency "${headers[@]}" "$url")
    used=$(($(cpu_ticks "$server") - before))
    if grep -E 'Non-2xx|Socket errors' <<<"$report"; then
        printf '%s: %s did not answer every request\n' "$row" "$server" >&2
        return 1
    fi
    record "$row" 'requests/s' "$server" "$(awk '/^Requests\/sec/ { print $2 }' <<<"$report")"
    record "$row" 'p99 ms' "$server" "$(awk '$1 == "99%" { print milliseconds($2) }
        function milliseconds(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }' <<<"$report")"
    record "$row" 'CPU us each' "$server" \
        "$(awk -v us="$(calculate "$used / $ticks_per_second * 1e6")" '/ requests in / { print us / $1 }' <<<"$report")"
}

# ---- the rows

# take_turns ROUNDS FUNCTION: the function for each server; who goes first changes from round to round.
take_turns() {
    local round
    for ((round = 0; round < $1; round++)); do
        "$2" "${servers[round % 2]}"
        "$2" "${servers[(round + 1) % 2]}"
    done
}

# At its first start Berth makes a database, a key and the first account with its password's hash; the peer makes nothing.
# The next start finds them, as every start but one does.
measure_start() {
    rm -rf "${work:?}/$1"
    mkdir "$work/$1"
    measure_one_start 'first start' "$1"
    measure_one_start 'next start' "$1"
}

measure_one_start() {
    local began=$EPOCHREALTIME
    start "$2"
    record "$1" 'ms to ready' "$2" "$(calculate "($EPOCHREALTIME - $began) * 1000")"
    sleep 4
    record "$1" 'MiB idle' "$2" "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/${pid[$2]}/status")"
    stop "$2"
}

# A new layer for every round: a registry may know a second push for what it is.
measure_layers() {
    local round server digest
    for ((round = 0; round < layer_rounds; round++)); do
        head -c "$layer_bytes" /dev/urandom >"$work/layer"
        digest=$(digest_of "$work/layer")
        renew_token
        for server in "${servers[round % 2]}" "${servers[(round + 1) % 2]}"; do
            sync # what the other wrote must not be in the way
            measure_bytes 'push 512 MiB' "$server" "$layer_bytes" \
                push "${address[$server]}" "$name" "$work/layer" "$digest"
        done
        sync
        for server in "${servers[round % 2]}" "${servers[(round + 1) % 2]}"; do
            measure_bytes 'pull, one by one' "$server" $((layer_bytes * 4)) \
                pull "${address[$server]}" "$name" "$digest" 1 4
            measure_bytes "pull, $streams at once" "$server" $((layer_bytes * streams)) \
                pull "${address[$server]}" "$name" "$digest" "$streams" 1
        done
    done
}

digest_of() { printf 'sha256:%s' "$(sha256sum <"$1" | cut -d ' ' -f 1)"; }

# An image of one small layer, whose config is the small blob.
make_small_image() {
    head -c 4096 /dev/urandom >"$work/small-layer"
    printf '{"architecture":"amd64","os":"linux","author":"%0*d"}' $((small_bytes - 49)) 0 >"$work/config"
    jq -n --arg type "$manifest_type" \
        --arg config "$(digest_of "$work/config")" --argjson config_size "$(stat -c %s "$work/config")" \
        --arg layer "$(digest_of "$work/small-layer")" '{
            schemaVersion: 2, mediaType: $type,
            config: {mediaType: "application/vnd.docker.container.image.v1+json", size: $config_size, digest: $config},
            layers: [{mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: 4096, digest: $layer}]
        }' >"$work/manifest"
}

# Pushed under many tags, once to each server.
push_small_image() {
    local file
    for file in config small-layer; do
        TOKEN=${token[$1]} "$blob" push "${address[$1]}" "$name" "$work/$file" "$(digest_of "$work/$file")" >/dev/null
    done
    curl -sSf -X PUT --data-binary "@$work/manifest" -H "Content-Type: $manifest_type" \
        ${token[$1]:+-H "Authorization: Bearer ${token[$1]}"} "http://${address[$1]}/v2/$name/manifests/t[1-$tag_count]"
}

measure_small() {
    renew_token
    measure_requests 'manifest by tag' "$1" "/v2/$name/manifests/t1"
    measure_requests 'small blob, 2 KB' "$1" "/v2/$name/blobs/$(digest_of "$work/config")"
    measure_requests "tags/list, $tag_count tags" "$1" "/v2/$name/tags/list"
}

# ---- the table

# The median of each figure, in the order in which they came. A ratio over 1 is good for Berth, whether more or less of it
# is better; less than 5 % apart is equal.
print_table() {
    sort -t $'\t' -k 4,4g "$work/results" | awk -F '\t' '
        { key = $1 FS $2 }
        NR == FNR { if (!(key in known)) { known[key]; rows[++row_count] = key }; next }
        { value[key, $3, ++count[key, $3]] = $4 }
        function median(key, server,   n, half) {
            n = count[key, server]; half = int((n + 1) / 2)
            return (value[key, server, half] + value[key, server, n + 1 - half]) / 2
        }
        function verdict(ratio) { return ratio >= 1.05 ? "better" : ratio > 0.95 ? "equal" : "SLOWER" }
        function digits(figure) { return sprintf(figure < 10 ? "%.3f" : figure < 1000 ? "%.1f" : "%.0f", figure) }
        END {
            line = "%-24s%-14s%12s%18s%9s  %s\n"
            printf line, "", "", "Berth", "docker-registry", "ratio", "Berth is"
            for (i = 1; i <= row_count; i++) {
                split(rows[i], row, FS)
                mine = median(rows[i], "berth"); theirs = median(rows[i], "peer")
                more_is_better = row[2] ~ /\/s$/
                ratio = more_is_better ? mine / theirs : mine ? theirs / mine : 1
                printf line, row[1], row[2], digits(mine), digits(theirs), sprintf("%.2f", ratio), verdict(ratio)
            }
        }' "$work/results" -
}

# ---- the run

install_what_is_missing() {
    local had_peer=yes
    command -v docker-registry >/dev/null || had_peer=no
    install_missing curl:curl jq:jq wrk:wrk docker-registry:docker-registry
    # Its package starts a registry on the port that is Berth's own.
    if [[ $had_peer == no && -d /run/systemd/system ]]; then systemctl disable --now docker-registry; fi
}

say() { printf '%s\n' "$*" >&2; }

main() {
    local server
    install_what_is_missing
    cargo build --quiet --release -p berth -p benches
    address=([berth]=127.0.0.1:$(free_port 20000) [peer]=127.0.0.1:$(free_port 21000))
    write_peer_config

    say "starting and stopping, $start_rounds times"
    take_turns "$start_rounds" measure_start
    for server in "${servers[@]}"; do start "$server"; done
    renew_token
    say "layers, $layer_rounds rounds"
    measure_layers
    say "small requests, $small_rounds rounds"
    make_small_image
    renew_token
    for server in "${servers[@]}"; do push_small_image "$server"; done
    take_turns "$small_rounds" measure_small
    print_table
}

main

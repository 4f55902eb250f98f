#!/usr/bin/env bash
# Berth beside Debian's docker-registry and beside what the machine can do at all: speed, CPU time of the server, memory,
# start. On a quiet machine, as root if a package is missing; some ten minutes.
#
#   bash benches/compare.sh           medians of several rounds, in which the two take turns
#   bash benches/compare.sh --quick   one short round, to see that it runs
#
# Berth checks a token at every request and keeps its log on; the peer does neither. The limits: nginx that sends the same
# file, a program that hashes and copies it, dd and sha256sum that do one of both, and a server of Berth's web framework
# with nothing behind its one route.
#
# The goals were set on a machine of which the limits are known (`goals`). Where they are others here, "goal here" lies as
# far from this machine's limit as the goal lies from that one's.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C PATH=$PATH:/usr/sbin
source tests/packages.sh

install_what_is_missing() {
    local had_peer=yes
    command -v docker-registry >/dev/null || had_peer=no
    install_missing curl:curl jq:jq wrk:wrk sqlite3:sqlite3 pgrep:procps unshare:util-linux ip:iproute2 \
        nginx:nginx-light docker-registry:docker-registry
    # Its package starts a registry on the port that is Berth's own.
    if [[ $had_peer == no && -d /run/systemd/system ]]; then systemctl disable --now docker-registry nginx || true; fi
}

# All of it in a network of its own, where no firewall looks at each packet: on a machine where Docker has run, connection
# tracking alone costs a sixth of a small request.
if [[ ${1:-} != --alone ]]; then
    install_what_is_missing
    cargo build --quiet --release -p berth -p registry-service -p benches
    exec unshare --net bash benches/compare.sh --alone "$@"
fi
shift
ip link set lo up

readonly servers=(berth peer)
readonly name=admin/app many=admin/many tag_count=100 many_count=100000 small_bytes=2048
readonly manifest_type=application/vnd.docker.distribution.manifest.v2+json
readonly berth=$PWD/target/release/berth alone=$PWD/target/release/registry-service blob=$PWD/target/release/blob bare=$PWD/target/release/bare
readonly location=/berth-blobs/ bare_row='nothing at all'

layer_rounds=5 small_rounds=3 start_rounds=3 seconds=4 layer_bytes=$((512 << 20)) streams=8
crowd_bytes=100000000 crowd_pulls=500 crowd_pushes=200 crowd_push_bytes=10000000
case ${1:-} in
    '') ;;
    --quick) layer_rounds=1 small_rounds=1 start_rounds=1 seconds=1 crowd_bytes=10000000 crowd_push_bytes=1000000 ;;
    *) echo "usage: bash benches/compare.sh [--quick]" >&2 && exit 2 ;;
esac

declare -A pid=() address=() token=([berth]='' [peer]='' [nginx]='' [bare]='' [alone]='') settings=([berth]='')
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

# write_config SERVER: what the peer and Berth's registry without an index both read.
write_config() {
    cat >"$work/$1.yml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $work/$1}
  cache: {blobdescriptor: inmemory}
  delete: {enabled: true}
http: {addr: "${address[$1]}", secret: compare}
EOF
}

# The compose stack's nginx, with its very file, before Berth; it also sends the blobs by itself, as files.
write_nginx_config() {
    local blobs=$work/berth/registry/docker/registry/v2/blobs/
    {
        printf 'daemon off;\npid %s/nginx.pid;\nuser root;\n' "$work"
        sed -e "s|listen 80;|listen ${address[nginx]};\n location /files/ { alias $blobs; sendfile on; tcp_nopush on; }|" \
            -e "s|registry:5000|${address[berth]}|" -e "s|index:5001|${address[berth]}|" \
            -e '/resolver 127.0.0.11/d' -e "s|/var/lib/registry/docker/registry/v2/blobs/|$blobs|" \
            -e "s|/dev/stdout|$work/nginx.access|" -e "s|/dev/stderr|$work/nginx.log|" deploy/nginx.conf
    } >"$work/nginx.conf"
}

# start SERVER: spawns it and waits until it answers. All without the variables of whoever runs this.
start() {
    local command=()
    case $1 in
        berth) command=("$berth" serve --listen "${address[berth]}" --data "$work/berth") ;;
        alone) command=("$alone" serve "$work/alone.yml") ;;
        peer) command=(docker-registry serve "$work/peer.yml") ;;
        nginx) command=(nginx -c "$work/nginx.conf" -p "$work") ;;
        bare) command=("$bare" "${address[bare]}") ;;
    esac
    env -i PATH="$PATH" ${settings[$1]:+"${settings[$1]}"} "${command[@]}" >>"$work/$1.log" 2>&1 &
    pid[$1]=$!
    "$blob" ready "${address[$1]}" >/dev/null
}

stop() {
    kill "${pid[$1]}" 2>/dev/null || true
    wait "${pid[$1]}" 2>/dev/null || true
    unset "pid[$1]"
}

# Tokens live five minutes, longer than a row takes. nginx hands them on.
renew_token() {
    local password scopes="scope=repository:$name:pull,push&scope=repository:$many:pull,push&scope=registry:catalog:*"
    password=$(<"$work/berth/initial-admin-password")
    token[berth]=$(curl -sSf -u "admin:$password" "http://${address[berth]}/token?service=berth&$scopes" | jq -r .token)
    token[nginx]=${token[berth]}
}

# ---- measuring

# CPU time of the server and its children so far, in clock ticks: fields 14 and 15, counted behind the name in brackets.
# What is sent through nginx is nginx's work and Berth's.
cpu_ticks() {
    local fields one ticks=0 all=("${pid[$1]}")
    [[ $1 != nginx ]] || mapfile -t -O 1 all < <(pgrep -P "${pid[nginx]}" && echo "${pid[berth]}")
    for one in "${all[@]}"; do
        fields=$(<"/proc/$one/stat")
        read -ra fields <<<"${fields##*) }"
        ((ticks += fields[11] + fields[12])) || true
    done
    printf '%s' "$ticks"
}

# The memory of a virtual machine is lent by its host page by page, and a page that is used for the first time costs more
# than the copy into it: three times the CPU time of a push. So every push finds pages that were used a moment ago.
warm_memory() {
    local number
    for number in 1 2 3 4; do cp "$work/layer" "$work/warm.$number"; done
    rm "$work"/warm.?
    sync # what the other wrote must not be in the way either
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

# share_limit ROW OTHER-ROW…: what was measured as the limit of one is that of others too.
share_limit() {
    local from=$1 to
    shift
    for to in "$@"; do sed -n "s|^$from\(\t.*\tlimit\t\)|$to\1|p" "$work/results" >>"$work/shared"; done
    cat "$work/shared" >>"$work/results"
    rm "$work/shared"
}

# measure_program ROW BYTES COMMAND…: a limit.
measure_program() {
    local row=$1 bytes=$2 began=$EPOCHREALTIME used
    shift 2
    TIMEFORMAT='%U + %S'
    used=$({ time "$@" >"$work/program.log" 2>&1; } 2>&1)
    record "$row" 'GB/s' limit "$(calculate "$bytes / ($EPOCHREALTIME - $began) / 1e9")"
    record "$row" 'CPU s/GB' limit "$(calculate "($used) / ($bytes / 1e9)")"
}

# measure_requests ROW SERVER PATH: 32 connections that ask for the same thing. Two threads ask: one alone is busy all the
# time before Berth is.
measure_requests() {
    local row=$1 server=$2 url="http://${address[$2]}$3" before used report
    local headers=(--header "Accept: $manifest_type")
    [[ -z ${token[$server]} ]] || headers+=(--header "Authorization: Bearer ${token[$server]}")
    before=$(cpu_ticks "$server")
    report=$(wrk --threads 2 --connections 32 --duration "${seconds}s" --latency "${headers[@]}" "$url")
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

# As the peer is: without an index.
measure_start_alone() {
    rm -rf "$work/alone"
    mkdir "$work/alone"
    measure_one_start 'first start, no index' alone
    sed -i $'s/\talone\t/\tberth\t/' "$work/results"
    rm -rf "$work/peer"
    mkdir "$work/peer"
    measure_one_start 'first start, no index' peer
}

measure_one_start() {
    local began=$EPOCHREALTIME
    start "$2"
    record "$1" 'ms to ready' "$2" "$(calculate "($EPOCHREALTIME - $began) * 1000")"
    sleep 4
    record "$1" 'MiB idle' "$2" "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/${pid[$2]}/status")"
    stop "$2"
}

# A new layer for every round: a registry may know a second push for what it is. Berth hashes what it sends for the first
# time, so one pull of each comes before those that are measured.
measure_layers() {
    local round server digest
    for ((round = 0; round < layer_rounds; round++)); do
        head -c "$layer_bytes" /dev/urandom >"$work/layer"
        digest=$(digest_of "$work/layer")
        renew_token
        warm_memory
        measure_program 'push 512 MiB' "$layer_bytes" "$blob" copy "$work/layer" "$work/copy"
        warm_memory
        measure_program 'dd of it' "$layer_bytes" dd if="$work/layer" of="$work/copy" bs=256k conv=fsync
        rm "$work/copy"
        measure_program 'sha256sum of it' "$layer_bytes" sha256sum "$work/layer"
        for server in "${servers[round % 2]}" "${servers[(round + 1) % 2]}"; do
            warm_memory
            measure_bytes 'push 512 MiB' "$server" "$layer_bytes" \
                push "${address[$server]}" "$name" "$work/layer" "$digest"
        done
        sync
        measure_bytes 'first pull, checked' berth "$layer_bytes" pull "${address[berth]}" "$name" "$digest" 1 1
        TOKEN='' "$blob" pull "${address[peer]}" "$name" "$digest" 1 1 >/dev/null
        for server in "${servers[round % 2]}" "${servers[(round + 1) % 2]}"; do
            measure_bytes 'pull, one by one' "$server" $((layer_bytes * 4)) \
                pull "${address[$server]}" "$name" "$digest" 1 4
            measure_bytes "pull, $streams at once" "$server" $((layer_bytes * streams)) \
                pull "${address[$server]}" "$name" "$digest" "$streams" 1
        done
    done
    last_layer=$digest
}

# The same files as a limit, and through Berth as in the compose stack, where nginx is told what to send.
measure_nginx() {
    local round hex=${last_layer#sha256:}
    stop berth
    settings[berth]=REGISTRY_HTTP_ACCEL=$location
    start berth
    start nginx
    renew_token
    TOKEN=${token[nginx]} "$blob" pull "${address[nginx]}" "$name" "$last_layer" 1 1 >/dev/null # checked, and from now on left to nginx
    for ((round = 0; round < layer_rounds; round++)); do
        measure_bytes "pull, $streams through nginx" nginx $((layer_bytes * streams)) \
            pull "${address[nginx]}" "$name" "$last_layer" "$streams" 1
    done
    sed -i $'s/\tnginx\t/\tberth\t/' "$work/results"
    for ((round = 0; round < layer_rounds; round++)); do
        measure_bytes "pull, $streams at once" nginx $((layer_bytes * streams)) \
            pull-path "${address[nginx]}" "/files/sha256/${hex:0:2}/$hex/data" "$streams"
    done
    sed -i $'s/\tnginx\t/\tlimit\t/' "$work/results"
    share_limit "pull, $streams at once" "pull, $streams through nginx"
    stop nginx
    stop berth
    settings[berth]=''
    start berth
    renew_token
}

# Many clients at once: the memory of the server at its highest.
measure_crowds() {
    local digest
    head -c "$crowd_bytes" /dev/urandom >"$work/crowd"
    digest=$(digest_of "$work/crowd")
    renew_token
    TOKEN=${token[$1]} "$blob" push "${address[$1]}" "$name" "$work/crowd" "$digest" >/dev/null
    measure_peak "$crowd_pulls pulls of $((crowd_bytes / 1000000)) MB" "$1" pull "${address[$1]}" "$name" "$digest" "$crowd_pulls" 1
    renew_token
    measure_peak "$crowd_pushes pushes of $((crowd_push_bytes / 1000000)) MB" "$1" \
        push-many "${address[$1]}" "$name" "$crowd_push_bytes" "$crowd_pushes"
}

# measure_peak ROW SERVER BLOB-ARGUMENTS…: of a server that was just started.
measure_peak() {
    local row=$1 server=$2
    shift 2
    stop "$server"
    start "$server"
    TOKEN=${token[$server]} "$blob" "$@" >/dev/null
    record "$row" 'MiB at most' "$server" "$(awk '/^VmHWM/ { print $2 / 1024 }' "/proc/${pid[$server]}/status")"
}

# A repository with very many tags, which lie there without having been pushed one by one; and an index that knows very many
# repositories.
make_many() {
    local server digest
    digest=$(digest_of "$work/manifest")
    for server in "${servers[@]}"; do
        push_small_image "$server" "$many" 1
        "$blob" tags "$(repositories_of "$server")/$many/_manifests/tags" "$many_count" "$digest" >/dev/null
    done
    stop berth
    sqlite3 "$work/berth/index.sqlite" "
        WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < $many_count)
        INSERT INTO repositories (id, name, namespace_id, visibility, state, created_by, created_at, updated_at)
        SELECT 'many-' || i, printf('admin/repository-%06d', i), (SELECT namespace_id FROM repositories WHERE name = '$name'),
            'private', 'ready', 'admin', 0, 0 FROM number"
    start berth
    renew_token
}

repositories_of() {
    case $1 in
        berth) printf '%s' "$work/berth/registry/docker/registry/v2/repositories" ;;
        peer) printf '%s' "$work/peer/docker/registry/v2/repositories" ;;
    esac
}

# measure_pages ROW SERVER TARGET: from the first page to the last.
measure_pages() {
    local took
    took=$(TOKEN=${token[$2]} "$blob" pages "${address[$2]}" "$3")
    record "$1" 'p95 ms' "$2" "$(calculate "$took * 1000")"
}

measure_many() {
    measure_pages 'page of 100,000 tags' "$1" "/v2/$many/tags/list?n=1000"
    [[ $1 == peer ]] || measure_pages 'page of 100,000 repos' berth "/v2/_catalog?n=1000"
}

# A registry without an index goes by the directories that lie there. Those of a repository in which nothing is do.
measure_many_alone() {
    local repositories=$work/alone/docker/registry/v2/repositories
    rm -rf "$work/alone"
    seq -f "$repositories/many/repository-%06g/_layers" "$many_count" | xargs mkdir -p
    start alone
    measure_pages 'the same, no index' alone "/v2/_catalog?n=1000"
    sed -i $'s/\talone\t/\tberth\t/' "$work/results"
    stop alone
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

# push_small_image SERVER REPOSITORY TAGS: pushed under so many tags, once to each server.
push_small_image() {
    local file
    for file in config small-layer; do
        TOKEN=${token[$1]} "$blob" push "${address[$1]}" "$2" "$work/$file" "$(digest_of "$work/$file")" >/dev/null
    done
    curl -sSf -X PUT --data-binary "@$work/manifest" -H "Content-Type: $manifest_type" \
        ${token[$1]:+-H "Authorization: Bearer ${token[$1]}"} "http://${address[$1]}/v2/$2/manifests/t[1-$3]"
}

# Beside Berth the limit of every small request: what the web framework does with nothing behind its one route.
measure_small() {
    renew_token
    [[ $1 != berth ]] || measure_requests "$bare_row" bare /v2/
    measure_requests 'manifest by tag' "$1" "/v2/$name/manifests/t1"
    measure_requests 'manifest by digest' "$1" "/v2/$name/manifests/$(digest_of "$work/manifest")"
    measure_requests 'small blob, 2 KB' "$1" "/v2/$name/blobs/$(digest_of "$work/config")"
    measure_requests "tags/list, $tag_count tags" "$1" "/v2/$name/tags/list"
}

# ---- the table

# What design and promise ask of Berth: row, unit, and the most or the least; and the limit of the machine that it was set
# on, where that is what it was set by.
goals() {
    cat <<EOF
push 512 MiB	CPU s/GB	1.3	0.92
pull, $streams at once	GB/s	3.3
pull, $streams at once	CPU s/GB	0.32
pull, $streams through nginx	CPU s/GB	0.15	0.11
manifest by tag	requests/s	70000	143000
manifest by tag	p99 ms	5
manifest by tag	CPU us each	16	6.6
manifest by digest	requests/s	80000	143000
small blob, 2 KB	requests/s	70000	143000
tags/list, $tag_count tags	requests/s	60000	143000
first start	ms to ready	200
first start	MiB idle	30
$crowd_pulls pulls of 100 MB	MiB at most	100
$crowd_pushes pushes of $((crowd_push_bytes / 1000000)) MB	MiB at most	100
page of 100,000 tags	p95 ms	20
page of 100,000 repos	p95 ms	20
the same, no index	p95 ms	20
EOF
}

# The median of each figure, in the order in which they came. A ratio over 1 is good for Berth, whether more or less of it
# is better; less than 5 % apart is equal.
print_table() {
    goals >"$work/goals"
    sort -t $'\t' -k 4,4g "$work/results" | awk -F '\t' '
        FILENAME ~ /goals$/ { goal[$1 FS $2] = $3; limit_there[$1 FS $2] = $4; next }
        { key = $1 FS $2 }
        FILENAME ~ /results$/ { if (!(key in known)) { known[key]; rows[++row_count] = key }; next }
        { value[key, $3, ++count[key, $3]] = $4 }
        function median(key, server,   n, half) {
            n = count[key, server]; half = int((n + 1) / 2)
            return n ? (value[key, server, half] + value[key, server, n + 1 - half]) / 2 : ""
        }
        function verdict(ratio) { return ratio >= 1.05 ? "better" : ratio > 0.95 ? "equal" : "SLOWER" }
        function reached(figure, wanted, more_is_better) {
            if (wanted == "" || figure == "") return ""
            return (more_is_better ? figure >= wanted : figure <= wanted) ? "reached" : "MISSED"
        }
        function digits(figure) {
            return figure == "" ? "-" : sprintf(figure < 10 ? "%.3f" : figure < 1000 ? "%.1f" : "%.0f", figure)
        }
        END {
            line = "%-26s%-14s%10s%10s %-8s%10s%10s %-8s%17s  %s\n"
            printf line, "", "", "Berth", "goal", "", "limit", "goal here", "", "docker-registry", "Berth is"
            for (i = 1; i <= row_count; i++) {
                key = rows[i]; split(key, row, FS); wanted = goal[key]
                mine = median(key, "berth"); theirs = median(key, "peer"); limit = median(key, "limit")
                more_is_better = row[2] ~ /\/s$/
                ratio = mine && theirs ? (more_is_better ? mine / theirs : theirs / mine) : ""
                here = limit && limit_there[key] ? wanted * limit / limit_there[key] : ""
                printf line, row[1], row[2], digits(mine), digits(wanted), reached(mine, wanted, more_is_better),
                    digits(limit), digits(here), reached(mine, here, more_is_better), digits(theirs),
                    ratio == "" ? "" : sprintf("%s, %.2f", verdict(ratio), ratio)
            }
        }' "$work/goals" "$work/results" -
}

# ---- the run

say() { printf '%s\n' "$*" >&2; }

main() {
    local server round
    address=([berth]=127.0.0.1:$(free_port 20000) [peer]=127.0.0.1:$(free_port 21000) [alone]=127.0.0.1:$(free_port 24000)
        [nginx]=127.0.0.1:$(free_port 22000) [bare]=127.0.0.1:$(free_port 23000))
    write_config peer
    write_config alone
    write_nginx_config

    say "starting and stopping, $start_rounds times"
    take_turns "$start_rounds" measure_start
    for ((round = 0; round < start_rounds; round++)); do measure_start_alone; done
    for server in "${servers[@]}"; do start "$server"; done
    renew_token
    say "layers, $layer_rounds rounds"
    measure_layers
    measure_nginx
    say "small requests, $small_rounds rounds"
    make_small_image
    renew_token
    for server in "${servers[@]}"; do push_small_image "$server" "$name" "$tag_count"; done
    sleep 3 # what changed a moment ago is read again at each request
    start bare
    take_turns "$small_rounds" measure_small
    stop bare
    sed -i $'s/\tbare\t/\tlimit\t/' "$work/results"
    share_limit "$bare_row" 'manifest by tag' 'manifest by digest' 'small blob, 2 KB' "tags/list, $tag_count tags"
    sed -i "/^$bare_row/d" "$work/results"
    say "crowds"
    for server in "${servers[@]}"; do measure_crowds "$server"; done
    say "long lists"
    make_many
    sleep 3
    for server in "${servers[@]}"; do measure_many "$server"; done
    measure_many_alone
    print_table
}

main

# Processes of a story in the background, each known by a name and stopped by its own id. Sourced, not run.
# shellcheck shell=bash

declare -A pid_of=()

# launch NAME COMMAND…: its output goes to $work/NAME.log.
launch() {
    local name=$1
    shift
    "$@" </dev/null >>"$work/$name.log" 2>&1 &
    pid_of[$name]=$!
}

# halt NAME [SIGNAL]: returns when it is gone. One that was gone before fails, and so does one that does not go: it is killed.
halt() {
    local pid=${pid_of[$1]} signal=${2:-TERM}
    unset "pid_of[$1]"
    kill -s "$signal" "$pid" || return 1
    if ! within 15 gone "$pid"; then
        kill -s KILL "$pid"
        printf '%s still ran 15 s after SIG%s\n' "$1" "$signal" >&2
        return 1
    fi
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

halt_all() {
    local name result=0
    for name in "${!pid_of[@]}"; do
        halt "$name" || result=1
    done
    return "$result"
}

# within SECONDS COMMAND…: repeats the command until it succeeds, quietly.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.1
    done
}

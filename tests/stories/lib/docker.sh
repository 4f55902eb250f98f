# The Docker daemon of the stories. Sourced, not run.
# shellcheck shell=bash

# Set only while a daemon of our own runs.
docker_pid=
docker_home=

# Uses the daemon that answers; starts one only if none does, with everything of it in a folder of its own.
start_docker() {
    local driver
    if docker ps >/dev/null 2>&1; then
        return
    fi
    docker_home=$(mktemp -d /var/tmp/berth-docker.XXXXXX)
    export DOCKER_HOST="unix://$docker_home/docker.sock"
    # overlay2 does not work on every file system, e.g. not on another overlay; vfs does.
    for driver in overlay2 vfs; do
        # With mounts of its own, none outlives it.
        unshare --mount dockerd --host "$DOCKER_HOST" --storage-driver "$driver" --data-root "$docker_home/data" \
            --exec-root "$docker_home/exec" --pidfile "$docker_home/pid" </dev/null >>"$docker_home/log" 2>&1 &
        docker_pid=$!
        if docker_answers; then
            return
        fi
        end_docker
    done
    tail -n 20 "$docker_home/log"
    printf 'no Docker daemon answers and none could be started\n' >&2
    return 1
}

# Waits for the daemon just started, as long as it lives.
docker_answers() {
    local _
    for _ in {1..120}; do
        docker ps >/dev/null 2>&1 && return 0
        kill -0 "$docker_pid" 2>/dev/null || return 1
        sleep 0.5
    done
    return 1
}

end_docker() {
    kill "$docker_pid" 2>/dev/null || true
    wait "$docker_pid" || true
    docker_pid=
}

# Stops the daemon that start_docker started, if it did.
stop_docker() {
    [[ -n $docker_pid ]] || return 0
    end_docker
    rm -rf --one-file-system "$docker_home"
}

# The product by compose, from the files that people are given. Sourced, not run.
# shellcheck shell=bash

# use_compose PROJECT FILE…: `compose` speaks of these files of the repository from now on, and what it starts is taken
# down at the end.
use_compose() {
    local file
    compose_of=(--project-name "$1")
    for file in "${@:2}"; do
        compose_of+=(--file "$repository/$file")
    done
    tear_down() {
        compose logs --no-color >"$work/compose.log" 2>&1
        compose down --volumes >/dev/null 2>&1
    }
}

compose() {
    local program=(docker-compose)
    if docker compose version >/dev/null 2>&1; then
        program=(docker compose)
    fi
    "${program[@]}" "${compose_of[@]}" "$@"
}

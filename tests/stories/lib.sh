# What every story has: a folder of its own, the helpers of lib/, and an end that stops what it started. A story sources
# this file, starts the product with `start_stack`, and speaks to it only from outside. Sourced, not run.
# shellcheck shell=bash

stories=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$stories/../.." && pwd)
work=$(mktemp -d /var/tmp/berth-story.XXXXXX)
readonly stories repository work

# Where the clients find the product, whichever programs serve it.
registry=localhost:5000

source "$stories/lib/process.sh"
source "$stories/lib/expect.sh"
source "$stories/lib/http.sh"
source "$stories/lib/clients.sh"
source "$stories/lib/stack.sh"
source "$stories/lib/compose.sh"

# A story that starts more than processes says here how that ends.
tear_down() {
    :
}

# A failed story shows the last words of each process.
finish() {
    local exit_code=$? log
    set +e
    tear_down
    halt_all || exit_code=1
    if [[ $exit_code -ne 0 ]]; then
        for log in "$work"/*.log; do
            [[ ! -e $log ]] || printf -- '--- %s\n%s\n' "${log##*/}" "$(tail -n 10 "$log")"
        done
    fi
    rm -rf --one-file-system "$work"
    exit "$exit_code"
}
trap finish EXIT

# What must be true; a refusal shows what was seen instead. Sourced, not run.
# shellcheck shell=bash

# say SENTENCE: the next step of the story.
say() {
    printf '\n## %s\n' "$*"
}

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# Runs a command; leaves its output in $seen and its exit code in $code.
observe() {
    code=0
    seen=$("$@" 2>&1) || code=$?
    printf '$ %s\n%s\n' "$*" "$seen"
}

# expect_success COMMAND…
expect_success() {
    observe "$@"
    [[ $code -eq 0 ]] || fail "'$*' ended with $code"
}

# expect_failure PATTERN COMMAND…: refused, with words that match.
expect_failure() {
    local pattern=$1
    shift
    observe "$@"
    [[ $code -ne 0 ]] || fail "'$*' was not refused"
    expect_match "$pattern" "$seen"
}

# expect_match PATTERN TEXT
expect_match() {
    grep -qE -- "$1" <<<"$2" || fail "nothing matches '$1' in: $2"
}

# expect_no_match PATTERN TEXT
expect_no_match() {
    ! grep -E -- "$1" <<<"$2" || fail "'$1' was seen"
}

# expect_equal WHAT WANTED SEEN
expect_equal() {
    [[ $2 == "$3" ]] || fail "$1: expected '$2', saw '$3'"
}

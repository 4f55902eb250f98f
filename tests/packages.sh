# Debian packages that the tests need. Sourced, not run.
# shellcheck shell=bash

# install_missing COMMAND:PACKAGE…: installs the package of each command that is not there, from wherever it came.
install_missing() {
    local need missing=()
    for need in "$@"; do
        command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    printf 'installing %s\n' "${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

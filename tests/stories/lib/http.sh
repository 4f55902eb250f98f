# Requests by curl. Each leaves its answer in $status, $headers and $body. Sourced, not run.
# shellcheck shell=bash

# call METHOD PATH CURL-OPTION…
call() {
    local method=$1 path=$2
    shift 2
    status=$(curl --silent --show-error --path-as-is --request "$method" --output "$work/body" \
        --dump-header "$work/headers" --write-out '%{http_code}' "$@" "http://$registry$path")
    headers=$(tr -d '\r' <"$work/headers")
    body=$(tr -d '\0' <"$work/body")
    printf '%s %s -> %s\n' "$method" "$path" "$status"
}

# call_as USER METHOD PATH CURL-OPTION…: with the account's password.
call_as() {
    local user=$1
    shift
    if [[ $user != anonymous ]]; then
        set -- "$@" --user "$user:$(password_of "$user")"
    fi
    call "$@"
}

# api USER METHOD PATH [JSON]: the index's REST API.
api() {
    local user=$1 method=$2 path=/api/v1$3
    if [[ $# -ge 4 ]]; then
        call_as "$user" "$method" "$path" --header 'Content-Type: application/json' --data "$4"
    else
        call_as "$user" "$method" "$path"
    fi
}

# expect_status CODE CALL…, e.g. `expect_status 201 api admin POST /orgs '{"name":"acme"}'`
expect_status() {
    local wanted=$1
    shift
    "$@"
    [[ $status == "$wanted" ]] || fail "'$*': expected $wanted, got $status: $body"
}

# take_token USER SCOPE: leaves a registry token in $token.
take_token() {
    expect_status 200 call_as "$1" GET "/token?service=berth&scope=$2"
    token=$(jq --raw-output .token <<<"$body")
}

# v2 METHOD PATH CURL-OPTION…: the registry's API with $token.
v2() {
    local method=$1 path=/v2$2
    shift 2
    call "$method" "$path" --header "Authorization: Bearer $token" \
        --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$@"
}

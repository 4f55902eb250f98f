#!/usr/bin/env bash
# Story 1: a person logs in with the right password, not with a wrong one, and logs out.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"

say "the first admin logs in with the password that lies in the data folder, and nobody else can read that file"
expect_equal "the mode of the password file" 600 "$(stat --format %a "$admin_password_file")"
log_in admin

say "a wrong password and an unknown name are refused with the same words"
expect_failure 'incorrect username or password' as mallory docker_login admin "not the password"
expect_failure 'incorrect username or password' as mallory docker_login nobody "not the password"

say "an empty password is not anonymous access"
expect_status 401 call GET '/token?service=berth' --user 'admin:'
expect_match 'incorrect username or password' "$body"
expect_status 401 call GET '/v2/' --user 'admin:'

say "the registry asks everybody without a token for one"
expect_status 401 call GET /v2/
expect_match '^[Ww][Ww][Ww]-[Aa]uthenticate: Bearer realm="http://localhost:5000/token",service="berth"' "$headers"
expect_match '^[Dd]ocker-[Dd]istribution-[Aa]pi-[Vv]ersion: registry/2.0' "$headers"

say "what index and registry say to each other is not to be had from outside, however it is spelt"
for path in /internal /internal/v1/introspect //internal/v1/introspect /%69nternal/v1/introspect \
    /api/%2e%2e/internal/v1/introspect /v2/..%2finternal/v1/introspect /api/v1/../../internal/v1/introspect; do
    expect_status 404 call POST "$path" --data '{}'
done

say "after docker logout a private image is out of reach"
push admin berth-test/note admin/note
expect_success as admin docker logout "$registry"
expect_failure 'denied|unauthorized' pull admin admin/note

#!/usr/bin/env bash
# Story 4: `docker search` finds what the searcher may read, and nothing else.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account alice
add_account bob
expect_success push alice berth-test/note alice/kettle
expect_success push alice berth-test/note alice/secret-recipe
expect_status 200 api alice PATCH /repositories/alice/kettle \
    '{"visibility":"public","description":"Boils water for everyone"}'

# finds USER TERM NAME, and its opposite.
finds() {
    expect_success as "$1" docker search "$registry/$2"
    expect_match "^$3 " "$seen"
}
finds_not() {
    expect_success as "$1" docker search "$registry/$2"
    expect_no_match "^$3 " "$seen"
}

say "a public one is found by name, namespace and description, by everybody"
for user in anonymous bob alice; do
    finds "$user" kettle alice/kettle
    finds "$user" alice/ alice/kettle
    finds "$user" 'boils water' alice/kettle
done
expect_match '^NAME +DESCRIPTION +STARS +OFFICIAL' "$seen"
expect_match '^alice/kettle +Boils water for everyone +0 ' "$seen"

say "a private one is found only by those who may read it"
finds alice recipe alice/secret-recipe
finds_not anonymous recipe alice/secret-recipe
finds_not bob recipe alice/secret-recipe
expect_status 200 api alice PUT /repositories/alice/secret-recipe/-/grants/user:bob '{"role":"read"}'
finds bob recipe alice/secret-recipe
expect_status 204 api alice DELETE /repositories/alice/secret-recipe/-/grants/user:bob
finds_not bob recipe alice/secret-recipe

say "one without a pushed image is not found yet"
expect_status 201 api alice PUT /repositories/alice/kettle-lid '{"visibility":"public"}'
finds_not alice kettle alice/kettle-lid

say "official is what an admin says"
finds alice kettle alice/kettle
expect_no_match '^alice/kettle .*\[OK\]' "$seen"
expect_status 200 api admin PATCH /repositories/alice/kettle '{"official":true}'
finds anonymous kettle alice/kettle
expect_match '^alice/kettle .*\[OK\]' "$seen"

say "wrong credentials find nothing"
expect_status 401 call GET '/v1/search?q=kettle' --user 'alice:wrong password'

#!/usr/bin/env bash
# Story 3: a repository is private until its owner says otherwise.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account alice
add_account bob
expect_success push alice berth-test/note alice/note

say "a stranger's pull and push are denied, with a way out named"
expect_failure "denied.*may require 'docker login'" pull bob alice/note
expect_failure 'denied: .+' push bob berth-test/note alice/note
expect_failure "denied.*may require 'docker login'" pull anonymous alice/note

say "so are they for what does not exist, with the same words"
absent=$(pull bob alice/none 2>&1 | sed 's/none/NAME/g') || true
private=$(pull bob alice/note 2>&1 | sed 's/note/NAME/g') || true
expect_equal "the answer" "$absent" "$private"

say "a pushed image whose owner makes it public is anybody's to pull, and still only the owner's to push"
expect_status 200 api alice PATCH /repositories/alice/note '{"visibility":"public"}'
expect_success pull anonymous alice/note
expect_success pull bob alice/note
expect_failure 'you may not do this there; docker login' push bob berth-test/note alice/note
expect_failure 'you may not do this there; docker login' push anonymous berth-test/note alice/note

say "wrong credentials are refused even then"
as liar true
jq --null-input --arg auth "$(printf 'alice:wrong password' | base64)" \
    "{auths: {\"$registry\": {auth: \$auth}}}" >"$work/clients/liar/config.json"
expect_failure 'incorrect username or password' pull liar alice/note

say "private again"
expect_status 200 api alice PATCH /repositories/alice/note '{"visibility":"private"}'
expect_failure 'denied' pull anonymous alice/note
expect_success pull alice alice/note

#!/usr/bin/env bash
# Story 8: names without a namespace, and `library`, belong to those with a grant on library.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account lena
add_account bob
expect_status 200 api admin PUT /namespaces/library/grants/user:lena '{"role":"write"}'

for name in ubuntu library/hello-world; do
    say "$name is pushed and pulled with a grant on library"
    expect_success push lena berth-test/note "$name"
    expect_success pull lena "$name"

    say "$name is refused to others"
    expect_failure 'denied' pull bob "$name"
    expect_failure 'denied' push bob berth-test/note "$name"
    expect_failure 'denied' pull anonymous "$name"
done

say "ubuntu and library/ubuntu are two"
expect_failure 'denied|not found|unknown' pull lena library/ubuntu

say "a namespace and a bare name cannot be the same"
expect_status 409 api bob POST /orgs '{"name":"ubuntu"}'
expect_failure 'denied' push lena berth-test/note bob

say "without the grant it ends"
expect_status 204 api admin DELETE /namespaces/library/grants/user:lena
for name in ubuntu library/hello-world; do
    expect_failure 'denied' pull lena "$name"
    expect_failure 'denied' push lena berth-test/note "$name"
done

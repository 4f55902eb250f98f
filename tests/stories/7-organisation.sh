#!/usr/bin/env bash
# Story 7: somebody who is no instance admin runs an organisation by curl alone, and docker obeys each step.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
start_stack "$1"
add_account olga
add_account paul
add_account eve

say "olga makes the organisation acme, eve the organisation evil"
expect_status 201 api olga POST /orgs '{"name":"acme"}'
expect_status 201 api eve POST /orgs '{"name":"evil"}'
expect_status 201 api olga PUT /repositories/acme/app '{"visibility":"private","description":"The product"}'
expect_success push olga berth-test/note acme/app
expect_failure 'denied' pull paul acme/app

say "paul may pull"
expect_status 200 api olga PUT /repositories/acme/app/-/grants/user:paul '{"role":"read"}'
expect_success pull paul acme/app
expect_failure 'you may not do this there.* decision [0-9a-f-]{36}' push paul berth-test/note acme/app:2

say "paul may push, but not give that to others"
expect_status 200 api olga PUT /repositories/acme/app/-/grants/user:paul '{"role":"write"}'
expect_success push paul berth-test/note acme/app:2
expect_failure 'denied' push paul berth-test/note acme/other
expect_status 403 api paul PUT /repositories/acme/app/-/grants/user:eve '{"role":"read"}'
expect_status 200 api olga GET /repositories/acme/app/-/grants
expect_equal "the grants" 'user:paul write' "$(jq --raw-output '.items[] | "\(.subject) \(.role)"' <<<"$body")"

# about NAME COMMAND…: what a command says, with the name it was asked about taken out, and what differs each time.
about() {
    local name=$1
    shift
    "$@" 2>&1 | sed -E "s/$name/NAME/g; /^[Dd]ate:/d; /^[Xx]-[Rr]equest-[Ii]d:/d; s/\"request_id\":\"[^\"]*\"//; s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g" || true
}
whole_answer() {
    sort <<<"$headers"
    printf '%s\n' "$body"
}
api_answer() {
    api "$@"
    whole_answer
}
registry_answer() {
    take_token "$1" "repository:$2:pull,push,delete"
    jq --raw-input --compact-output 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | .access' \
        <<<"$token"
    v2 GET "/$2/tags/list"
    whole_answer
}
search_answer() {
    call_as "$1" GET "/v1/search?q=$2"
    whole_answer
}
# same_as_absent COMMAND…: with ORG in place of the organisation's name.
same_as_absent() {
    local real absent
    real=$(about acme "${@//ORG/acme}")
    absent=$(about nope "${@//ORG/nope}")
    printf '%s\n' "$real"
    expect_equal "'$*'" "$absent" "$real"
}

say "eve, the owner of evil, sees what there would be to see if acme did not exist"
digest=sha256:$(printf 'x' | sha256sum | cut -d ' ' -f 1)
for path in /orgs/ORG /orgs/ORG/members /namespaces/ORG /namespaces/ORG/grants /repositories/ORG/app \
    /repositories/ORG/app/-/grants /repositories/ORG/app/-/tags "/repositories/ORG/app/-/manifests/$digest" \
    '/repositories?namespace=ORG' '/repositories?q=ORG'; do
    same_as_absent api_answer eve GET "$path"
    same_as_absent api_answer anonymous GET "$path"
done
same_as_absent api_answer eve PATCH /orgs/ORG '{"display_name":"mine"}'
same_as_absent api_answer eve DELETE /orgs/ORG
same_as_absent api_answer eve PUT /orgs/ORG/members/eve '{"role":"owner"}'
same_as_absent api_answer eve PUT /namespaces/ORG/grants/user:eve '{"role":"admin"}'
same_as_absent api_answer eve PUT /repositories/ORG/app '{"visibility":"public"}'
same_as_absent api_answer eve PUT /repositories/ORG/app/-/grants/user:eve '{"role":"read"}'
same_as_absent api_answer eve PATCH /repositories/ORG/app '{"visibility":"public"}'
same_as_absent api_answer eve DELETE /repositories/ORG/app
same_as_absent registry_answer eve ORG/app
same_as_absent registry_answer anonymous ORG/app
same_as_absent search_answer eve ORG
same_as_absent pull eve ORG/app
same_as_absent push eve berth-test/note ORG/app

say "what was given is taken away"
expect_status 204 api olga DELETE /repositories/acme/app/-/grants/user:paul
expect_failure 'denied' pull paul acme/app
expect_failure 'denied' push paul berth-test/note acme/app:3

say "a member of the organisation pulls, an owner does everything"
expect_status 200 api olga PUT /orgs/acme/members/paul '{"role":"member"}'
expect_success pull paul acme/app
expect_failure 'denied' push paul berth-test/note acme/other
expect_status 200 api olga PUT /orgs/acme/members/paul '{"role":"owner"}'
expect_success push paul berth-test/note acme/other
expect_status 204 api olga DELETE /orgs/acme/members/paul
expect_failure 'denied' pull paul acme/app

say "a team holds what it was granted, and so does who is in it"
expect_status 200 api olga PUT /orgs/acme/members/paul '{"role":"member"}'
expect_status 201 api olga POST /orgs/acme/teams '{"name":"dev"}'
expect_status 200 api olga PUT /namespaces/acme/grants/team:acme/dev '{"role":"write"}'
expect_failure 'denied' push paul berth-test/note acme/other:2
expect_status 200 api olga PUT /orgs/acme/teams/dev/members/paul
expect_success push paul berth-test/note acme/other:2
expect_status 204 api olga DELETE /orgs/acme/members/paul
expect_failure 'denied' push paul berth-test/note acme/other:3

say "docker logs in with an access token, and as a robot"
expect_status 201 api olga POST /user/tokens '{"name":"laptop","limits":[{"repository":"acme/other","role":"read"}]}'
laptop=$(jq --raw-output .id <<<"$body")
expect_success as laptop docker_login olga "$(jq --raw-output .secret <<<"$body")"
expect_success pull laptop acme/other
expect_failure 'denied' push laptop berth-test/note acme/other:3
expect_status 201 api olga POST /orgs/acme/robots '{"name":"ci"}'
expect_success as ci docker_login acme+ci "$(jq --raw-output .secret <<<"$body")"
expect_failure 'denied' push ci berth-test/note acme/other:3
expect_status 200 api olga PUT /namespaces/acme/grants/robot:acme+ci '{"role":"write"}'
expect_success push ci berth-test/note acme/other:3
expect_status 204 api olga DELETE "/user/tokens/$laptop"
expect_failure 'incorrect username or password' pull laptop acme/other
expect_status 204 api olga DELETE /orgs/acme/robots/ci
expect_failure 'incorrect username or password' push ci berth-test/note acme/other:4

say "olga lists and deletes"
expect_status 200 api olga GET '/repositories?namespace=acme'
expect_equal "the repositories" 'acme/app acme/other' "$(jq --raw-output '[.items[].name] | join(" ")' <<<"$body")"
expect_status 204 api olga DELETE /repositories/acme/app
expect_status 404 api olga GET /repositories/acme/app
expect_failure 'denied|not found|unknown' pull olga acme/app
expect_success pull olga acme/other

say "a disabled account is out at once"
expect_status 200 api admin PATCH /admin/users/olga '{"disabled":true}'
expect_failure 'disabled|denied|unauthorized' pull olga acme/other

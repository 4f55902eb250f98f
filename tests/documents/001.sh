#!/usr/bin/env bash
# Document 001: who may use a registry: a file of users, and ranges of addresses.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

say "a file of users"
mkdir "$work/auth"
htpasswd -Bbn testuser testpassword >"$work/auth/htpasswd"
expect_success docker run -d -p 5000:5000 --restart=always --name registry -v "$work/auth:/auth" \
    -e REGISTRY_AUTH=htpasswd -e 'REGISTRY_AUTH_HTPASSWD_REALM=Registry Realm' \
    -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd "$image"
within 30 curl --silent --output /dev/null http://localhost:5000/v2/ || fail "no registry"
expect_no_match 'THIS REGISTRY IS OPEN' "$(docker container logs registry 2>&1)"
expect_success docker tag berth-test/app localhost:5000/ubuntu
expect_failure 'no basic auth credentials' docker push localhost:5000/ubuntu

say "docker login"
expect_failure '[Uu]nauthorized' docker login -u testuser -p wrong localhost:5000
expect_failure '[Uu]nauthorized' docker login -u nobody -p testpassword localhost:5000
expect_success docker login -u testuser -p testpassword localhost:5000
expect_match 'Login Succeeded' "$seen"
expect_success docker push localhost:5000/ubuntu
expect_success docker image remove localhost:5000/ubuntu
expect_success docker pull localhost:5000/ubuntu

say "a user is added and another taken away while it serves"
htpasswd -Bbn other secret >"$work/auth/htpasswd"
within 30 docker login -u other -p secret localhost:5000 || fail "the file is not read again"
expect_success docker pull localhost:5000/ubuntu
expect_failure '[Uu]nauthorized' docker login -u testuser -p testpassword localhost:5000
expect_success docker logout localhost:5000
expect_failure 'no basic auth credentials' docker pull localhost:5000/ubuntu
expect_success docker container rm --force -v registry

say "without the file it does not start"
expect_failure '/auth/htpasswd cannot be read' docker run --rm -e REGISTRY_AUTH=htpasswd \
    -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd "$image"

say "only some addresses"
host=$(bridge_address)
expect_success docker run -d -p 5000:5000 --name registry -e REGISTRY_HTTP_ALLOW=192.0.2.0/24 "$image"
within 30 curl --silent --output /dev/null http://localhost:5000/v2/ || fail "no registry"
expect_failure 'does not serve your address' docker pull localhost:5000/ubuntu
expect_success docker container rm --force -v registry
expect_success docker run -d -p 5000:5000 --name registry -e "REGISTRY_HTTP_ALLOW=$host" "$image"
answers localhost:5000

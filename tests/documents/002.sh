#!/usr/bin/env bash
# Document 002: a private registry on another port; its catalog, and docker login where no password is needed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

say "run it with storage of one's own"
mkdir "$work/registry"
expect_success docker run -d -p 30001:5000 --name registry -v "$work/registry:/var/lib/registry" "$image"
answers 127.0.0.1:30001

say "the catalog is empty"
expect_success curl --silent http://127.0.0.1:30001/v2/_catalog
expect_equal "the catalog" '{"repositories":[]}' "$seen"

say "docker login succeeds although nobody is asked"
expect_success docker login -u user -p password 127.0.0.1:30001
expect_match 'Login Succeeded' "$seen"

say "push, and look again"
expect_success docker tag berth-test/app 127.0.0.1:30001/ubuntu
expect_success docker push 127.0.0.1:30001/ubuntu
expect_match 'latest: digest: sha256:[0-9a-f]{64} size: [0-9]+' "$seen"
expect_success curl --silent http://127.0.0.1:30001/v2/_catalog
expect_equal "the catalog" '{"repositories":["ubuntu"]}' "$seen"
expect_success docker image remove 127.0.0.1:30001/ubuntu
expect_success docker pull 127.0.0.1:30001/ubuntu
expect_equal "the image" "$(image_id berth-test/app)" "$(image_id 127.0.0.1:30001/ubuntu)"
expect_success docker logout 127.0.0.1:30001

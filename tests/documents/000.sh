#!/usr/bin/env bash
# Document 000: a registry of one's own in a container; its port, its storage, TLS.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

restarted() {
    [[ $(docker container inspect --format '{{.RestartCount}}' registry) -ge 1 ]]
}

healthy() {
    [[ $(docker container inspect --format '{{.State.Health.Status}}' registry) == healthy ]]
}

say "run it"
before=$(volumes)
expect_success docker run -d -p 5000:5000 --restart=always --name registry "$image"
answers localhost:5000
expect_match 'THIS REGISTRY IS OPEN' "$(docker container logs registry 2>&1)"
expect_equal "who it runs as" 0 "$(docker exec registry id -u)"
expect_equal "what outlives the container" /var/lib/registry \
    "$(docker container inspect --format '{{range .Mounts}}{{.Destination}}{{end}}' registry)"

say "copy an image to it, and back"
expect_success docker tag berth-test/app localhost:5000/my-ubuntu
expect_success docker push localhost:5000/my-ubuntu
expect_match 'digest: sha256:[0-9a-f]{64} size: [0-9]+' "$seen"
expect_success docker image remove localhost:5000/my-ubuntu
expect_success docker pull localhost:5000/my-ubuntu
expect_equal "the image" "$(image_id berth-test/app)" "$(image_id localhost:5000/my-ubuntu)"

say "it comes back when it dies"
kill -s KILL "$(docker container inspect --format '{{.State.Pid}}' registry)"
within 30 restarted || fail "it did not come back"
answers localhost:5000
expect_success docker pull localhost:5000/my-ubuntu

say "stop it, and delete all its data"
expect_success docker container stop registry
expect_success docker container start registry
answers localhost:5000
expect_success docker pull localhost:5000/my-ubuntu
expect_success docker container stop registry
expect_success docker container rm -v registry
expect_equal "the volumes" "$before" "$(volumes)"

say "another port"
expect_success docker run -d -p 5001:5000 --name registry "$image"
answers localhost:5001
expect_success docker container rm --force -v registry
expect_success docker run -d -e REGISTRY_HTTP_ADDR=0.0.0.0:5001 -p 5001:5001 --name registry "$image"
answers localhost:5001
expect_success docker container rm --force -v registry

say "storage of one's own"
mkdir "$work/registry"
expect_success docker run -d -p 5000:5000 --restart=always --name registry -v "$work/registry:/var/lib/registry" "$image"
answers localhost:5000
expect_success docker push localhost:5000/my-ubuntu
expect_success docker container rm --force -v registry
[[ -e $work/registry/docker/registry/v2/repositories/my-ubuntu/_manifests/tags/latest/current/link ]] ||
    fail "the storage is not where it was to be"

say "TLS, with a certificate of an authority that only the daemon is told of"
host=$(bridge_address)
certificates=/etc/docker/certs.d/$host
[[ -n $host && ! -e $certificates ]] || fail "$certificates is there already"
mkdir "$work/certs"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=authority' -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout "$work/certs/domain.key" -out "$work/domain.csr" 2>/dev/null
openssl x509 -req -in "$work/domain.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile <(printf 'subjectAltName=IP:%s' "$host") -out "$work/certs/domain.crt" 2>/dev/null
tear_down() {
    docker container logs registry >"$work/registry.log" 2>&1
    docker container rm --force --volumes registry >/dev/null 2>&1
    rm -rf "$certificates"
}
expect_success docker run -d --restart=always --name registry -v "$work/certs:/certs" -e REGISTRY_HTTP_ADDR=0.0.0.0:443 \
    -e REGISTRY_HTTP_TLS_CERTIFICATE=/certs/domain.crt -e REGISTRY_HTTP_TLS_KEY=/certs/domain.key -p 443:443 "$image"
within 30 curl --silent --fail --cacert "$work/ca.crt" "https://$host/v2/" || fail "no TLS on $host"
expect_success docker tag berth-test/app "$host/my-ubuntu"
expect_failure 'x509|certificate' docker push "$host/my-ubuntu"
mkdir -p "$certificates"
cp "$work/ca.crt" "$certificates/ca.crt"
expect_success docker push "$host/my-ubuntu"
expect_success docker image remove "$host/my-ubuntu"
expect_success docker pull "$host/my-ubuntu"
within 30 healthy || fail "the health check does not speak TLS"
expect_failure 'alert|error|unsupported' curl --silent --show-error --cacert "$work/ca.crt" --tls-max 1.1 "https://$host/v2/"

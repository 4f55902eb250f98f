#!/usr/bin/env bash
# Makes the images that the stories use. They stand in for the public ones, because no image can be pulled here: Debian is
# made from its own packages, and nginx and the compiler's image are that same Debian.
set -euo pipefail
cd "$(dirname "$0")"

# BuildKit would keep the layers that a story removes in its own cache, and a pull would find them there.
export DOCKER_BUILDKIT=0
readonly programs=../../../target/release
# The programs were linked against this machine's C library, so the stand-in is of the same release.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
readonly suite
readonly archive=/var/cache/berth-tests/debian-$suite.tar

# Kept between runs: it takes a minute to make.
make_archive() {
    local folder
    [[ ! -e $archive ]] || return 0
    mkdir -p "$(dirname "$archive")"
    folder=$(mktemp -d "$archive.XXXXXX")
    debootstrap --variant=minbase --include=nginx-light "$suite" "$folder/root"
    tar --create --file "$folder/archive" --directory "$folder/root" \
        --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/man/*' .
    mv "$folder/archive" "$archive"
    rm -rf --one-file-system "$folder"
}

make_rust_image() {
    local context
    context=$(mktemp -d)
    cp rust/* "$programs/index-service" "$programs/registry-service" /etc/ssl/certs/ca-certificates.crt "$context"
    docker build --tag berth-test/rust "$context"
    rm -rf "$context"
}

make_archive
docker import "$archive" berth-test/debian
docker build --tag berth-test/app app
docker build --tag berth-test/note note
make_rust_image

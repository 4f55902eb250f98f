#!/usr/bin/env bash
# Every fuzz target for some seconds: bash tests/fuzz/run.sh SECONDS. What a target fails on lies in target/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/packages.sh
install_missing c++:build-essential
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked --version 0.13.2 cargo-fuzz

# With the versions that are shipped.
cp Cargo.lock tests/fuzz/Cargo.lock

# Coverage is a feature of the compiler that its stable version hides; nothing here is unsafe, so no sanitizer is needed.
export RUSTC_BOOTSTRAP=1
for target in tests/fuzz/fuzz_targets/*.rs; do
    target=$(basename "$target" .rs)
    corpus=target/fuzz/corpus/$target
    mkdir -p "$corpus" "target/fuzz/artifacts/$target"
    cp --no-clobber tests/fuzz/seeds/"$target"/* "$corpus"
    cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none "$target" "$corpus" -- \
        -max_total_time="${1:?seconds}" -max_len=65536 -timeout=5 -print_final_stats=1 \
        -artifact_prefix="target/fuzz/artifacts/$target/"
done

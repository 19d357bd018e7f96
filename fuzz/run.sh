#!/usr/bin/env bash
# Fuzzes each target from its seeds for SECONDS, 30 unless said otherwise. A crash is a failure, and what
# crashed is in artifacts/.
#
#   fuzz/run.sh [SECONDS]
set -euo pipefail

seconds=${1:-30}
cd "$(dirname "$0")/.."

if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install cargo-fuzz --locked --version 0.13.2
fi

# The flags that the fuzzer needs are not stable; without a sanitizer, nothing else keeps the stable
# compiler from it.
export RUSTC_BOOTSTRAP=1

fuzz() {
    local target=$1 bytes_max=$2
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len="$bytes_max" -timeout=5 -print_final_stats=1
}

# As long as a token's text may be; parameters may be longer, but nothing new comes of it.
fuzz token_reader 5500
fuzz params_gate 4096

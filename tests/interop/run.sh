#!/bin/sh
# Other people's Biscuit libraries read farebox's tokens, and farebox reads what they append.
#
#   tests/vectors/farebox-1.json ─→ biscuit-python, biscuit-wasm ─→ narrowed tokens ─→ farebox token verify
#
# usage: tests/interop/run.sh [FAREBOX]
#
# FAREBOX is the binary, target/debug/farebox where it is left out. Needs python3 with venv, Node 20 with
# npm, and the network to PyPI and npm when it runs for the first time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
farebox=${1:-$root/target/debug/farebox}
vectors=$root/tests/vectors/farebox-1.json

stop() {
    echo "interop: $1" >&2
    exit 2
}

[ -x "$farebox" ] || stop "there is no $farebox: run cargo build, or name the binary"
command -v python3 >/dev/null || stop "there is no python3: apt-get install python3 python3-venv"
command -v node >/dev/null || stop "there is no node: install Node 20 or newer"
command -v npm >/dev/null || stop "there is no npm: it comes with Node 20"
python3 -c 'import ensurepip, venv' 2>/dev/null || [ -x "$here/.venv/bin/pip" ] ||
    stop "python3 makes no virtual environments: apt-get install python3-venv"

requirements=$here/python/requirements.txt
if ! cmp -s "$requirements" "$here/.venv/requirements.txt"; then
    rm -rf "$here/.venv"
    python3 -m venv "$here/.venv"
    "$here/.venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$requirements"
    cp "$requirements" "$here/.venv/requirements.txt"
fi
if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed"; then
    # Version 0.6.0 asks for Node 22, and runs on 20 with the flag below.
    (cd "$here" && npm ci --ignore-scripts --loglevel=error >/dev/null)
    cp "$here/package-lock.json" "$here/node_modules/.installed"
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT INT TERM
passed=0
failed=0

# Runs a program whose last line is `PASSED FAILED`, and adds both up.
count() {
    "$@" >"$out/said" || stop "this failed: $*"
    counts=$(tail -n 1 "$out/said")
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
}

appended=$here/appended.json
count "$here/.venv/bin/python" "$here/python/check.py" "$vectors" "$appended" "$out/python.jsonl"
count node --experimental-wasm-modules --no-warnings "$here/js/check.mjs" "$vectors" "$appended" "$out/js.jsonl"
count node "$here/js/verify.mjs" "$farebox" "$vectors" "$out/python.jsonl" "$out/js.jsonl"

echo "interop: $passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Other people's tools look at a running issuer.
#
#   farebox serve ─→ /openapi.json ─→ schemathesis, as each role ─→ every answer is one that the document has
#                 └→ /metrics ─→ promtool check metrics
#
# usage: tests/outside/run.sh [FAREBOX]
#
# FAREBOX is the binary, target/debug/farebox where it is left out. Needs python3 with venv, and the network to
# PyPI when it runs for the first time; promtool, or an apt-get to install it with.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
farebox=${1:-$root/target/debug/farebox}

stop() {
    echo "outside: $1" >&2
    exit 2
}

[[ -x $farebox ]] || stop "there is no $farebox: run cargo build, or name the binary"
command -v python3 >/dev/null || stop "there is no python3: apt-get install python3 python3-venv"
python3 -c 'import ensurepip, venv' 2>/dev/null || [[ -x $here/.venv/bin/pip ]] ||
    stop "python3 makes no virtual environments: apt-get install python3-venv"

if ! command -v promtool >/dev/null; then
    command -v apt-get >/dev/null || stop "no promtool here, and no apt-get to install it with"
    as_root=()
    # Asks for no password: nobody may be there to give it.
    [[ $EUID -eq 0 ]] || as_root=(sudo -n)
    {
        "${as_root[@]}" apt-get update -qq &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -qq -y --no-install-recommends prometheus
    } >&2 || stop "apt-get could not install prometheus, which brings promtool"
fi

requirements=$here/requirements.txt
if ! cmp -s "$requirements" "$here/.venv/requirements.txt"; then
    rm -rf "$here/.venv"
    python3 -m venv "$here/.venv"
    "$here/.venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$requirements"
    cp "$requirements" "$here/.venv/requirements.txt"
fi

work=$(mktemp -d)
issuer=
finish() {
    if [[ -n $issuer ]]; then
        kill "$issuer" 2>/dev/null || true
        wait "$issuer" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The issuer, on a free port; it says where it listens once it does.
mkdir "$work/policies"
cp "$here/policies.datalog" "$work/policies/all.datalog"
mkfifo "$work/said"
"$farebox" serve --listen 127.0.0.1:0 --data "$work/data" --policies "$work/policies" \
    --config "$here/farebox.toml" >"$work/said" 2>"$work/log" &
issuer=$!
exec 3<"$work/said"
url=
while read -r line <&3; do
    case $line in "listening "*) url=${line#listening } && break ;; esac
done
[[ -n $url ]] || { cat "$work/log" >&2 && stop "the issuer did not start"; }

caller() {
    "$farebox" caller new "$@" --data "$work/data" --json |
        python3 -c 'import json, sys; said = json.load(sys.stdin); print(said.get("key") or said["secret"])'
}

# Waits until the issuer knows a key.
known() {
    for _ in $(seq 100); do
        # 401 until it does; 403 where a role may not list grants, and it does.
        python3 - "$url/v1/grants" "$1" <<'PY' && return 0
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Bearer {sys.argv[2]}"})
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as refused:
    sys.exit(refused.code == 401)
PY
        sleep 0.1
    done
    stop "the issuer does not know a caller that was made for it"
}

admin=$(cat "$work/data/api-key")
mint=$(caller mint --role mint)
spend=$(caller spend --role spend --spends-for payments-api)
revoke=$(caller revoke --role revoke)
read_only=$(caller read --role read)
# One that may do both halves follows the links from a grant to its use.
both=$(caller both --role mint,spend,read,revoke,approve --spends-for payments-api --group finance)
approve=$(caller approve --role approve --group finance)
for key in "$mint" "$spend" "$revoke" "$read_only" "$both" "$approve"; do known "$key"; done

# Everything that it knows to check but what does not hold of any such API: a hundred letters fit the pattern of a
# key, and are none (positive_data_acceptance); and nothing here is created, changed and deleted like a file.
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks+=,response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance
checks+=,missing_required_header,ignored_auth

# /v1/record/stream never ends, which no client that reads whole answers can follow: tests/serve has it.
look() {
    local role=$1 key=$2 seconds=$3
    echo "outside: schemathesis as $role"
    (cd "$work" && OUTSIDE_URL=$url OUTSIDE_MINT=$mint OUTSIDE_BOTH=$both OUTSIDE_APPROVE=$approve \
        PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=hooks \
        "$here/.venv/bin/schemathesis" run "$url/openapi.json" \
        --header "Authorization: Bearer $key" \
        --exclude-path /v1/record/stream \
        --seed 20 --max-examples 40 --max-time "$seconds" --workers 1 --no-color --warnings off \
        --generation-database none --request-timeout 20 --continue-on-failure \
        --checks "$checks")
}

look "all that is not the administrator" "$both" 30
look administrator "$admin" 12
look mint "$mint" 8
look spend "$spend" 8
look revoke "$revoke" 8
look read "$read_only" 8
look approve "$approve" 8

kill -0 "$issuer" || { cat "$work/log" >&2 && stop "the issuer has ended under it"; }
if grep -E "panicked|ERROR" "$work/log" >&2; then
    stop "the issuer's log has what it should not"
fi

python3 -c 'import sys, urllib.request as web; print(web.urlopen(sys.argv[1]).read().decode(), end="")' \
    "$url/metrics" >"$work/metrics"
# A route that never did what it is for was not looked at: its answers were refusals, all of them.
while read -r method route; do
    grep -qF "{method=\"$method\",route=\"$route\",status=\"2" "$work/metrics" ||
        stop "nothing that $method $route was asked for was done"
done <<'ROUTES'
POST /v1/grants
GET /v1/grants
GET /v1/grants/{id}
POST /v1/grants/{id}/settle
POST /v1/grants/{id}/token
POST /v1/spend
GET /v1/approvals
GET /v1/approvals/{id}
POST /v1/approvals/{id}/decisions
POST /v1/approvals/{id}/withdraw
POST /v1/plans
GET /v1/plans/{id}
POST /v1/plans/{id}/decisions
POST /v1/revocations
GET /v1/blocks
POST /v1/blocks
POST /v1/blocks/lift
GET /v1/record
GET /v1/record/export
GET /problems/{code}
ROUTES
promtool check metrics <"$work/metrics"
echo "outside: $(grep -c '^farebox_' "$work/metrics") numbers, as Prometheus wants them"

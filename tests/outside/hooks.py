"""What a generator cannot know is put into every other request: a use that was taken, for whoever settles; a request that
waits, for whoever decides on it, takes it back or collects it; a plan, for whoever looks at one. The others stay as they
are, and so does what is meant to be refused."""

import itertools
import json
import os
import urllib.error
import urllib.request

import schemathesis
from schemathesis import GenerationMode

KNOWN = ("action", "resource", "params", "purpose", "ttl_seconds")
TRANSFER = {"action": "payments.transfer", "resource": "account/42", "audience": "payments-api", "params": {"amount": 7}}
WIRE = {**TRANSFER, "action": "payments.wire"}
turns = itertools.count()


def ask(key, path, body=None):
    """What the issuer answers a caller of the test."""
    request = urllib.request.Request(
        os.environ["OUTSIDE_URL"] + path,
        method="POST",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + os.environ["OUTSIDE_" + key], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def spent():
    minted = ask("BOTH", "/v1/grants", TRANSFER)
    ask("BOTH", "/v1/spend", {**TRANSFER, "token": minted["token"], "attempt": "one"})
    return minted["grant"]


def waiting(by):
    return ask(by, "/v1/grants", WIRE)["grant"]


def approved():
    grant = waiting("BOTH")
    ask("APPROVE", f"/v1/approvals/{grant}/decisions", {"decision": "approve", "reason": "a test"})
    return grant


def plan(by):
    step = {**WIRE, "step": "one"}
    return ask(by, "/v1/plans", {"workflow": "run-1", "steps": [step]})["plan"]


# What stands in the path of a route, so that there is something to be done.
FOUND = {
    ("POST", "/v1/grants/{id}/settle"): spent,
    ("POST", "/v1/grants/{id}/token"): approved,
    ("GET", "/v1/approvals/{id}"): lambda: waiting("MINT"),
    ("POST", "/v1/approvals/{id}/decisions"): lambda: waiting("MINT"),
    ("POST", "/v1/approvals/{id}/withdraw"): lambda: waiting("BOTH"),
    ("GET", "/v1/plans/{id}"): lambda: plan("MINT"),
    ("POST", "/v1/plans/{id}/decisions"): lambda: plan("MINT"),
}


@schemathesis.hook
def map_case(context, case):
    if isinstance(case.query, dict) and str(case.query.get("wait_seconds", "")).isdigit():
        # Nobody decides while it waits.
        case.query["wait_seconds"] = min(int(case.query["wait_seconds"]), 1)
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE or next(turns) % 2:
        return case
    route = (case.method, case.path)
    if route in FOUND and isinstance(case.path_parameters, dict):
        try:
            case.path_parameters["id"] = FOUND[route]()
        except urllib.error.HTTPError:
            # The administrator's turn blocks and revokes whatever it likes: then nothing is to be had.
            return case
    if route == ("POST", "/v1/grants/{id}/settle") and isinstance(case.body, dict):
        case.body["attempt"] = "one"
    if route == ("POST", "/v1/approvals/{id}/decisions") and isinstance(case.body, dict):
        # Nobody here has a key of its own, and one group is asked.
        case.body = {name: case.body[name] for name in ("decision", "reason") if name in case.body}
    if route == ("POST", "/v1/plans/{id}/decisions") and isinstance(case.body, dict):
        case.body.pop("group", None)
    if route == ("POST", "/v1/plans") and isinstance(case.body, dict):
        case.body["steps"] = [{**WIRE, "step": "one"}, {**TRANSFER, "step": "two", "after": ["one"]}]
    if route == ("POST", "/v1/grants") and isinstance(case.body, dict):
        plain = {name: case.body[name] for name in KNOWN if case.body.get(name) is not None}
        case.body = {"params": {}, **plain, "audience": "payments-api"}
    return case

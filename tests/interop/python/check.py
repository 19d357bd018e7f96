"""biscuit-python reads farebox's token vectors, and narrows tokens for farebox to read.

usage: check.py VECTORS APPENDED OUT

VECTORS is tests/vectors/farebox-1.json, APPENDED says what to append, and OUT gets one JSON line for each
request that a token narrowed here is to be presented with. The last line printed is `PASSED FAILED`.
"""

import json
import re
import sys
from datetime import timedelta

import biscuit_auth as biscuit

LIBRARY = "biscuit-python 0.4.0"
INT_MAX = 2**53 - 1
# What a verifier is set up to take is no Datalog, so that a stranger's verifier takes it.
BEYOND_DATALOG = {"stores"}
# Whoever reads such tokens believes a signature that nobody made.
UNSIGNED = {"signature", "proof"}

passed, failed = 0, 0


def check(held, what):
    global passed, failed
    if held:
        passed += 1
    else:
        failed += 1
        print(f"{LIBRARY}: {what}", file=sys.stderr)


def read(case):
    keys = {k["id"]: k["hex"] for k in case["issuer_keys"] if k["state"] == "trusted"}
    provider = lambda key_id: biscuit.PublicKey(f"ed25519/{keys[key_id]}")
    return biscuit.Biscuit.from_base64(case["token"], provider)


def authorize(token, facts):
    """Whether a plain authorizer takes the token with these facts."""
    builder = biscuit.AuthorizerBuilder("".join(f"{fact};" for fact in facts) + "allow if true;")
    limits = builder.limits()
    limits.max_facts, limits.max_time = 100_000, timedelta(seconds=10)
    builder.set_limits(limits)
    authorizer = builder.build(token)
    try:
        authorizer.authorize()
    except biscuit.AuthorizationError:
        return False
    grants = authorizer.query(biscuit.Rule("found($g) <- grant($g)"))
    return len(grants) == 1


def readable(case):
    try:
        return read(case)
    except Exception:  # Whatever it raises, it did not take the token.
        return None


def flipped(fact):
    """The fact with another hexadecimal value."""
    return re.sub(r"hex:(.)", lambda m: f"hex:{int(m[1], 16) ^ 1:x}", fact)


def changed(fact):
    """The fact with each of its values changed in turn, or both ways where either must be refused."""
    name = fact.split("(")[0]
    if name == "time":
        return [["time(2000-01-01T00:00:00Z)"], ["time(9000-01-01T00:00:00Z)"]]
    if name == "request":
        texts = re.findall(r'"[^"]*"', fact)
        return [[fact.replace(text, text[:-1] + '.other"')] for text in texts] + [[flipped(fact)]]
    if name in ("once", "fresh", "proved"):
        return [[flipped(fact)]]
    if name == "int":
        return [[re.sub(r"-?\d+\)$", f"{value})", fact) for value in (INT_MAX, -INT_MAX)]]
    if name == "text":
        return [[fact.replace(', "', ', "~', 1)]]
    if name == "output_max":
        return [[re.sub(r"\d+\)$", lambda m: f"{int(m[0][:-1]) + d})", fact)] for d in (1, -1)]
    if name == "output_one_of":
        return [[fact.replace("{", '{"more", ')]]
    raise ValueError(fact)


def check_verified(case):
    name, facts = case["name"], case["facts"]
    token = readable(case)
    if token is None:
        check(False, f"{name} cannot be read")
        return
    check(authorize(token, facts), f"{name} is refused")
    for fact in facts:
        others = [other for other in facts if other != fact]
        needed = fact in case["needs"]
        check(authorize(token, others) != needed, f"{name} without {fact}: needed is {needed}")
        if needed:
            for either in changed(fact):
                assert fact not in either, fact
                refused = [not authorize(token, others + [change]) for change in either]
                check(any(refused), f"{name} is accepted with {either}")


def check_refused(case):
    name, flaw = case["name"], case.get("flaw")
    token = readable(case)
    if flaw in UNSIGNED:
        check(token is None, f"{name} is read")
    elif flaw not in BEYOND_DATALOG and case["facts"]:
        check(token is None or not authorize(token, case["facts"]), f"{name} is accepted")


def key_of(keys, name):
    seed = bytes.fromhex(keys[name]["seed"])
    return biscuit.PrivateKey.from_bytes(seed, biscuit.Algorithm.Ed25519)


def append(case, item, keys):
    """The case's token with the blocks that the item says, as base64url without padding."""
    token = read(case)
    if said := item.get("third_party"):
        by = key_of(keys, said["by"])
        block = token.third_party_request().create_block(by, biscuit.BlockBuilder(said["code"]))
        public = biscuit.KeyPair.from_private_key(by).public_key
        token = token.append_third_party(public, block)
    for code in item["blocks"]:
        code = code.replace("WORKER", keys["worker"]["public"])
        token = token.append(biscuit.BlockBuilder(code))
    # The library pads, and farebox takes one text for one token.
    return token.to_base64().rstrip("=")


def main(vectors, appended, out):
    with open(vectors, encoding="utf-8") as file:
        vectors = json.load(file)
    with open(appended, encoding="utf-8") as file:
        appended = json.load(file)
    for case in vectors["cases"]:
        (check_verified if case["result"] == "verified" else check_refused)(case)
    cases = {case["name"]: case for case in vectors["cases"]}
    keys = {key["name"]: key for key in vectors["keys"]}
    with open(out, "w", encoding="utf-8") as file:
        for item in appended:
            case = cases[item["on"]]
            token = append(case, item, keys)
            for presented in item["presented"]:
                line = {"library": LIBRARY, "name": item["name"], "on": item["on"], "token": token}
                print(json.dumps(line | {"presented": presented}), file=file)
    print(passed, failed)


main(*sys.argv[1:])

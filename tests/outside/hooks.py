"""Every other request for a grant is one that leads to a use: for the API that the callers of this test may spend
for, with nothing that a generator cannot know (a holder's key, a third party's statement, an earlier grant)."""

import schemathesis
from schemathesis import GenerationMode

KNOWN = ("action", "resource", "params", "purpose", "ttl_seconds")


@schemathesis.hook
def map_case(context, case):
    if case.method != "POST" or case.path != "/v1/grants" or not isinstance(case.body, dict):
        return case
    # What is meant to be refused stays as it is.
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return case
    audience = case.body.get("audience")
    if isinstance(audience, str) and len(audience) % 2 == 1:
        plain = {name: case.body[name] for name in KNOWN if case.body.get(name) is not None}
        case.body = {"params": {}, **plain, "audience": "payments-api"}
    return case

//! The codes of what goes wrong: each stable for good, with its status and the page that explains it.

use axum::http::StatusCode;
use farebox_verifier::Refusal;

/// What went wrong, by its stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    name: &'static str,
    status: u16,
    title: &'static str,
    page: &'static str,
}

impl Code {
    pub(super) fn name(self) -> &'static str {
        self.name
    }

    pub(super) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn title(self) -> &'static str {
        self.title
    }

    /// What it means, and what whoever reads it does about it.
    pub(super) fn page(self) -> &'static str {
        self.page
    }
}

macro_rules! codes {
    ($($constant:ident $name:literal $status:literal $title:literal $page:literal)*) => {
        $(
            #[doc = $title]
            pub(super) const $constant: Code =
                Code { name: $name, status: $status, title: $title, page: $page };
        )*

        /// All of them.
        pub(super) const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    BAD_TOKEN "bad-token" 401 "This is no token, or it is not signed as it must be."
        "The text is no farebox token, was damaged on its way, was signed by nobody who is trusted, or says something that the layout does not have. Ask for a fresh token; if that one is refused too, compare the issuer's keys with those that the API trusts."
    UNKNOWN_KEY "unknown-key" 401 "The token is signed with a key that is not trusted here."
        "The key was retired, or the API has not heard of it yet. Ask for a fresh token; make sure that the API follows /.well-known/farebox-keys."
    EXPIRED "expired" 401 "The token's time is over."
        "A token lives about a minute. Ask for one right before each step, and compare the clocks if a fresh one is refused."
    NOT_YET_VALID "not-yet-valid" 401 "The token's time has not come."
        "The clocks of issuer and API differ by more than thirty seconds. Set them right."
    WRONG_AUDIENCE "wrong-audience" 403 "The token is for another API."
        "A token names the one API that may take it. Ask for one that names this API."
    WRONG_ACTION "wrong-action" 403 "The token is for another action."
        "A token names one action. Each action needs a token of its own."
    WRONG_RESOURCE "wrong-resource" 403 "The token is for another resource."
        "A token names one resource. Each one needs a token of its own."
    WRONG_PARAMS "wrong-params" 403 "The token is for other parameters."
        "The parameters are bound by their digest. Send exactly those that the grant was asked with, or ask for bounds where a value is not known yet."
    HOLDER_PROOF_MISSING "holder-proof-missing" 401 "A key that the token is bound to was not proved."
        "The token is bound to a holder's key. Sign the request with it, in the header Farebox-Proof."
    HOLDER_PROOF_INVALID "holder-proof-invalid" 401 "A proof of a key does not hold."
        "The proof is older than thirty seconds, or over another request or token. Make one for each request."
    CAVEAT_FAILED "caveat-failed" 403 "A caveat of the token does not hold for this request."
        "The token carries a condition, from its policy, its bounds or its holder, that this request does not meet."
    FEED_STALE "feed-stale" 503 "The API has not heard for too long what was revoked: nothing is done."
        "An API that verifies without a store follows the issuer's signed feed of revocations, and refuses what it cannot look up there. Asking again later is safe; its operator looks whether GET /v1/revocations/feed is reached, and whether the clocks agree."
    ALREADY_SPENT "already-spent" 401 "The token was used."
        "Each token works once. If it was not you who used it, tell your security staff: somebody else holds a copy. A step that is to be run again needs a token of its own."
    REVOKED "revoked" 401 "The grant was revoked."
        "Somebody with the right to has revoked this grant, or all grants of its agent, workflow, audience, action, policy or key."
    UNKNOWN_GRANT "unknown-grant" 401 "The grant store knows no such grant."
        "No such grant was registered, it has been over for long, or its content is not what was registered."
    FENCED "fenced" 401 "The grant belongs to a life of its store that is over."
        "The store restarted or failed over since the token was minted, and nobody can tell whether it was spent. If this was its first presentation, ask for a fresh token; else the step counts as unknown, and the next request names it in retry_of."
    PREDECESSOR_UNSETTLED "predecessor-unsettled" 409 "A step before this one has not succeeded."
        "Wait until the steps named in `after` have settled as succeeded. One that failed never will."
    OUTPUT_REFUSED "output-refused" 403 "The result is withheld: it breaks a caveat of the token."
        "The action was run, and its result shows more than the grant allows. It was withheld; staff see it."
    STORE_DOWN "store-down" 503 "The grant store or the record did not answer: nothing is granted."
        "Nobody can tell whether anything was done. Asking again with the same Idempotency-Key is safe; a token whose use was in doubt is used up."
    OVER_BUDGET "over-budget" 403 "The policy's budget has not so much left."
        "The rule that allows this counts what is granted in a window, and the window's limit would be passed. `left` and `until` say how much is left, and when the window ends."
    APPROVAL_REFUSED "approval-refused" 403 "An approver refused the request."
        "A person whose word the policy asks for said no. The record tells who, and why."
    APPROVAL_EXPIRED "approval-expired" 403 "Nobody decided, or nobody collected, in time."
        "Ask again; the approvers see the new request."
    EVIDENCE_INVALID "evidence-invalid" 403 "A statement that came as evidence does not hold."
        "Each statement must be signed by a third party that is known here, for exactly this request and this agent, and be fresh. One that is not refuses the whole request."
    BLOCKED "blocked" 403 "Staff have blocked this agent, workflow, audience, action, policy or key."
        "Nothing is granted until the block is lifted. GET /v1/blocks shows it, with its reason, to those who may read."
    POLICY_ERROR "policy-error" 403 "A policy could not be evaluated for this request."
        "A statement of the policies failed: values of two types compared, a number too large. It counts as denied. `rule` names the statement; its authors are alarmed."
    POLICY_TIMEOUT "policy-timeout" 503 "The policies took too long."
        "The decision was cut off at its limit. Asking again may help; `farebox policy check` finds rules that join too widely."
    DENIED "denied" 403 "No policy allows this."
        "`rule` names the rule that denied it, if one did; else nothing allowed it. `farebox policy explain` shows the nearest rule, and where it stopped."
    FORBIDDEN "forbidden" 403 "You may not do this."
        "Your role does not include it, or it concerns what is somebody else's."
    UNGUARDED "unguarded" 500 "This action is set up wrongly."
        "The route's handler would act without a spent token. Nothing was done."
    INTERNAL "internal" 500 "farebox failed."
        "This is a defect of farebox or of its machine. The issuer's log has the request's id."
    UNAUTHENTICATED "unauthenticated" 401 "Nobody knows who you are."
        "Send an API key or a JWT of a configured source as `Authorization: Bearer …`. The issuer's log says why one was not taken."
    BAD_REQUEST "bad-request" 400 "The request makes no sense here."
        "`detail` says which member, and what is wrong with it."
    TOO_LARGE "too-large" 413 "The request is larger than this route takes."
        "Every body, header and list has a limit; the OpenAPI document says which."
    RATE_LIMITED "rate-limited" 429 "You ask too often, or have too much outstanding."
        "Wait as long as Retry-After says."
    IDEMPOTENCY_CONFLICT "idempotency-conflict" 409 "The same key or attempt was used for something else, or is at work now."
        "An Idempotency-Key stands for one request, and an attempt for one outcome. If the first request is still at work, ask again in a moment; else take a fresh key."
}

/// The code of this name.
pub(super) fn named(name: &str) -> Option<Code> {
    ALL.iter().copied().find(|code| code.name() == name)
}

/// The code of a refused token. `tests::every_refusal_of_a_token_has_its_page` holds the two lists together.
pub(super) fn of_refusal(refusal: &Refusal) -> Code {
    named(refusal.code()).unwrap_or(BAD_TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_codes_have_one_name() {
        for (at, code) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(at + 1).all(|other| other.name() != code.name()), "{code:?}");
            assert!(!code.page().is_empty() && code.title().ends_with('.'), "{code:?}");
        }
    }

    #[test]
    fn every_refusal_of_a_token_has_its_page() {
        let refusals = [
            "bad-token",
            "unknown-key",
            "expired",
            "not-yet-valid",
            "wrong-audience",
            "wrong-action",
            "wrong-resource",
            "wrong-params",
            "holder-proof-missing",
            "holder-proof-invalid",
            "caveat-failed",
            "feed-stale",
            "already-spent",
            "revoked",
            "unknown-grant",
            "fenced",
            "predecessor-unsettled",
            "output-refused",
            "store-down",
        ];
        for name in refusals {
            assert!(named(name).is_some(), "{name}");
        }
    }
}

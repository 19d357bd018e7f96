//! Why something was not granted, or not done.

use farebox_verifier::{GrantId, Outcome, Refusal, UnixSeconds};

use crate::store::desk::RequestState;

/// Why an issuer refuses what it is asked. What is shown holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It makes no sense, or does not fit the catalogue of actions.
    #[error("{what}")]
    BadRequest {
        /// What is wrong with it.
        what: String,
    },
    /// It is not the caller's to ask.
    #[error("{what}")]
    Forbidden {
        /// What may not be done.
        what: &'static str,
    },
    /// No policy allows it, or one denies it.
    #[error("{why}")]
    Denied {
        /// The rule that decided, where one did.
        rule: Option<String>,
        /// What is told.
        why: String,
    },
    /// A policy could not be evaluated.
    #[error("a policy failed on this request")]
    PolicyError {
        /// The statement.
        rule: Option<String>,
    },
    /// The policies took too long.
    #[error("the policies took too long")]
    PolicyTimeout,
    /// A statement of a third party does not hold.
    #[error("{why}")]
    EvidenceInvalid {
        /// Which, and why.
        why: String,
    },
    /// Staff have blocked what it belongs to.
    #[error("blocked by staff")]
    Blocked,
    /// A budget has not so much left, or is not counted yet.
    #[error("budget {budget:?} has not so much left")]
    OverBudget {
        /// Which.
        budget: String,
        /// What is left, where that is known.
        left: Option<u64>,
        /// When its window ends.
        until: Option<UnixSeconds>,
    },
    /// An approver said no.
    #[error("an approver refused the request")]
    ApprovalRefused,
    /// Nobody decided, or nobody collected, in time.
    #[error("the request ended at {until}: nobody decided, or nobody collected, in time")]
    ApprovalExpired {
        /// When.
        until: UnixSeconds,
    },
    /// The request has been decided, or this person has decided on it.
    #[error("{}", decided_words(*state))]
    Decided {
        /// Where the request stands.
        state: RequestState,
    },
    /// No approval of that group is missing.
    #[error("no approval of this group is missing")]
    NotNeeded,
    /// A step before it cannot be waited for.
    #[error("{why}")]
    Predecessor {
        /// Why.
        why: &'static str,
    },
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyConflict,
    /// The first request with this key is at work.
    #[error("the first request with this Idempotency-Key is still at work")]
    KeyBusy,
    /// The key's grant is over, and no other one comes of it.
    #[error("this Idempotency-Key was used for grant {grant}, which is over")]
    KeyOver {
        /// Which.
        grant: GrantId,
    },
    /// The grant belongs to a life of its store that is over.
    #[error("the grant's store has begun another life: nobody can tell whether it was spent")]
    Fenced {
        /// Which.
        grant: GrantId,
    },
    /// There is no such grant, or it is not the caller's to see.
    #[error("no such grant")]
    Unknown,
    /// It was settled with another outcome.
    #[error("the grant was settled as {}", settled.word())]
    SettledOtherwise {
        /// With which.
        settled: Outcome,
    },
    /// The attempt did not spend the grant.
    #[error("the grant was not spent by this attempt of this caller")]
    NotSpent,
    /// As much is outstanding as may be.
    #[error("as much is outstanding as may be")]
    Full,
    /// As many of its keys are remembered as may be.
    #[error("as many of your Idempotency-Keys are remembered as may be: they are for a day")]
    KeysFull,
    /// So many requests of this caller were left in doubt that no more ids are given up for it now.
    #[error(
        "too many of your requests came to nothing: ask later, or with a fresh Idempotency-Key"
    )]
    TooManyGivenUp,
    /// The store did not answer.
    #[error("the grant store did not answer")]
    StoreDown,
    /// No key signs any more: the last one was retired.
    #[error("no key of this issuer signs")]
    NoSigner,
    /// The record cannot be written: nothing is done that it would not tell.
    #[error("the record cannot be written")]
    RecordDown,
    /// A defect.
    #[error("{what}")]
    Internal {
        /// For the log.
        what: &'static str,
    },
    /// The token was refused.
    #[error(transparent)]
    Token(#[from] Refusal),
}

impl Refused {
    /// The name that programs see, for good.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refused::BadRequest { .. } => "bad-request",
            Refused::Forbidden { .. } | Refused::NotSpent => "forbidden",
            Refused::Denied { .. } => "denied",
            Refused::PolicyError { .. } => "policy-error",
            Refused::PolicyTimeout => "policy-timeout",
            Refused::EvidenceInvalid { .. } => "evidence-invalid",
            Refused::Blocked => "blocked",
            Refused::OverBudget { .. } => "over-budget",
            Refused::Predecessor { .. } => "predecessor-unsettled",
            Refused::ApprovalRefused => "approval-refused",
            Refused::ApprovalExpired { .. } => "approval-expired",
            Refused::KeyConflict
            | Refused::Decided { .. }
            | Refused::NotNeeded
            | Refused::KeyBusy
            | Refused::KeyOver { .. }
            | Refused::SettledOtherwise { .. } => "idempotency-conflict",
            Refused::Fenced { .. } => "fenced",
            Refused::Unknown => "unknown-grant",
            Refused::Full | Refused::KeysFull | Refused::TooManyGivenUp => "rate-limited",
            Refused::StoreDown | Refused::RecordDown | Refused::NoSigner => "store-down",
            Refused::Internal { .. } => "internal",
            Refused::Token(refusal) => refusal.code(),
        }
    }

    /// Whether a grant that was refused so is registered nowhere, and never will be: it was refused before any store
    /// was asked for it, or by the store itself.
    pub(super) fn leaves_nothing(&self) -> bool {
        matches!(
            self,
            Refused::BadRequest { .. }
                | Refused::Denied { .. }
                | Refused::Blocked
                | Refused::OverBudget { .. }
                | Refused::Predecessor { .. }
                | Refused::Full
        )
    }

    pub(super) fn bad_request(what: impl Into<String>) -> Refused {
        Refused::BadRequest { what: what.into() }
    }
}

fn decided_words(state: RequestState) -> String {
    match state {
        // The request still waits: it is this person who has spoken.
        RequestState::Pending => "this approver, or the person behind it, has decided".to_owned(),
        state => format!("the request is {}", state.word()),
    }
}

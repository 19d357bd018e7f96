//! What the gate tells the log. A grant is named, and so are its agent and action: never the token, a
//! proof, an attempt or a parameter.

use axum::http::StatusCode;
use tracing::field::display;
use tracing::{debug, error, warn};

use super::problem::{Fault, Problem};
use crate::grant::{Grant, GrantId};
use crate::name::{Action, Agent};
use crate::store::{Outcome, SettleError};

/// Whom an event is about.
#[derive(Clone, Debug)]
pub(super) struct About {
    action: Action,
    /// None as long as nobody's signature vouches for them.
    known: Option<(GrantId, Agent)>,
}

impl About {
    pub(super) fn action(action: &Action) -> About {
        About { action: action.clone(), known: None }
    }

    pub(super) fn grant(grant: &Grant) -> About {
        About { action: grant.action.clone(), known: Some((grant.id, grant.agent.clone())) }
    }
}

/// Writes one event, about somebody.
macro_rules! tell {
    ($level:ident, $about:expr, $($rest:tt)+) => {{
        let (grant, agent) = $about.known.as_ref().map(|(g, a)| (display(g), display(a))).unzip();
        $level!(action = %$about.action, grant, agent, $($rest)+)
    }};
}

/// A request ended at the gate.
pub(super) fn ended(about: &About, fault: &Fault, problem: &Problem) {
    let code = problem.code();
    match problem.status() {
        // Ours to mend, or at least to look at.
        StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => tell!(error, about, code, "ended: {fault}"),
        _ => tell!(warn, about, code, "refused: {fault}"),
    }
}

/// A handler asked for a grant where there is none.
pub(super) fn unguarded() {
    error!(code = "unguarded", "{}", Fault::Unguarded);
}

/// The store took a report.
pub(super) fn settled(about: &About, outcome: Outcome) {
    match outcome {
        Outcome::Unknown => tell!(error, about, outcome = outcome.word(), "settled"),
        _ => tell!(debug, about, outcome = outcome.word(), "settled"),
    }
}

/// A reply goes out before the store took the report.
pub(super) fn settling_on(about: &About, outcome: Outcome) {
    tell!(warn, about, outcome = outcome.word(), "reply goes out unsettled; settling goes on");
}

/// The store will not take a report, or there is no waiting for it any more.
pub(super) fn unsettled(about: &About, outcome: Outcome, why: Unsettled) {
    tell!(error, about, outcome = outcome.word(), "not settled: {why}");
}

/// Why a grant is left to end as unknown.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unsettled {
    #[error(transparent)]
    Refused(#[from] SettleError),
    #[error("too many settlings wait for the store")]
    QueueFull,
    #[error("grant store did not answer until its limit for settling")]
    TooLate,
    #[error("this API stopped while the grant store did not answer")]
    Stopped,
}

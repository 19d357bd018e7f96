//! From spend to settle: a task of its own, which a caller that hangs up does not stop.
//!
//! ```text
//! caller    ── admitted ──┐                                  ┌── reply
//! task                    └─ spend ─┐            ┌─ settle ──┘
//! action                            └─ handler ──┘            (in a task below it: it may panic or hang)
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Limited};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

use super::events::About;
use super::measure::Measured;
use super::problem::Fault;
use super::route::{Route, Spending};
use super::slot::Slot;
use super::take;
use crate::caveat::Caveat;
use crate::passage::{Home, Verified};
use crate::refusal::Refusal;
use crate::store::Outcome;

/// A handler that waits for its request.
pub(super) type Action = Box<dyn FnOnce(Request) -> Acting + Send>;
/// A handler that was called.
pub(super) type Acting = Pin<Box<dyn Future<Output = Response> + Send>>;

/// One run of an action.
pub(super) struct Run {
    pub(super) route: Arc<Route>,
    pub(super) about: About,
}

/// How an action ended.
enum Ended {
    Returned(Result<Response, Withheld>),
    Panicked,
    TimedOut,
    Halted,
    /// It was to look first, and looked at nothing.
    Unspent,
}

/// A result that breaks a caveat.
struct Withheld {
    status: StatusCode,
    caveat: Box<Caveat>,
}

impl Run {
    /// Spends, runs, settles, and only then answers.
    pub(super) async fn run(
        self,
        verified: Verified,
        request: Request,
        action: Action,
    ) -> Response {
        let gate = &self.route.gate;
        let home = Home::default();
        let ended = match self.act(verified.with_home(home.clone()), request, action).await {
            Ok(ended) => ended,
            Err(refusal) => return gate.answer(&refusal.into(), &self.about),
        };
        let (answer, outcome) = judge(ended);
        if let Some(spent) = home.close(gate.tasks.report_late(self.about.clone())) {
            gate.tasks.settle(spent, outcome, gate.deadlines.settle, &self.about).await;
        }
        answer.unwrap_or_else(|fault| gate.answer(&fault, &self.about))
    }

    async fn act(
        &self,
        verified: Verified,
        mut request: Request,
        action: Action,
    ) -> Result<Ended, Refusal> {
        let outputs: Vec<Caveat> = verified.outputs().cloned().collect();
        // Each slot is emptied once the action has ended, whoever else still holds it.
        match self.route.spending {
            Spending::First => {
                let gate = &self.route.gate;
                let spent = take(verified, &gate.store, gate.deadlines.spend).await?;
                let slot = Slot::put(spent, &mut request);
                let ended = self.watch(action, request, outputs).await;
                drop(slot.take());
                Ok(ended)
            }
            Spending::ByHandler => {
                let slot = Slot::put(verified, &mut request);
                let ended = self.watch(action, request, outputs).await;
                // A handler that never took the token can have spent nothing, however often it is called.
                let untaken = slot.take().is_some();
                let done =
                    matches!(&ended, Ended::Returned(Ok(reply)) if reply.status().is_success());
                Ok(if untaken && done { Ended::Unspent } else { ended })
            }
        }
    }

    /// Runs the action in a task below this one, so that neither a panic nor a handler that blocks its
    /// thread keeps this one from settling.
    async fn watch(&self, action: Action, request: Request, outputs: Vec<Caveat>) -> Ended {
        let Route { gate, run_max, result_bytes_max: bytes_max, .. } = &*self.route;
        let bytes_max = *bytes_max;
        let act = async move { hold(action(request).await, &outputs, bytes_max).await };
        let mut actions = JoinSet::new();
        actions.spawn(act.in_current_span());
        let ended = tokio::select! {
            returned = actions.join_next() => match returned {
                Some(Ok(result)) => Ended::Returned(result),
                Some(Err(_)) | None => Ended::Panicked,
            },
            () = sleep(*run_max) => Ended::TimedOut,
            () = gate.tasks.halted() => Ended::Halted,
        };
        // What was cut off lets go of its grant, which then comes home; what blocks does so later.
        let _still_blocked = timeout(gate.deadlines.settle, actions.shutdown()).await;
        ended
    }
}

fn judge(ended: Ended) -> (Result<Response, Fault>, Outcome) {
    match ended {
        // After a reply that is none yet, a connection would act on without the gate.
        Ended::Returned(Ok(response)) if response.status().is_informational() => {
            (Err(Fault::Upgraded), Outcome::Unknown)
        }
        Ended::Returned(Err(Withheld { status, .. })) if status.is_informational() => {
            (Err(Fault::Upgraded), Outcome::Unknown)
        }
        Ended::Returned(Ok(response)) if response.status().is_success() => {
            (Ok(response), Outcome::Succeeded)
        }
        Ended::Returned(Ok(response)) => (Ok(response), Outcome::Failed),
        Ended::Returned(Err(Withheld { status, caveat })) if status.is_success() => {
            (Err(Refusal::OutputRefused(caveat).into()), Outcome::OutputRefused)
        }
        // That it failed may be said, and not with which words.
        Ended::Returned(Err(withheld)) => (Ok(withheld.status.into_response()), Outcome::Failed),
        Ended::Panicked => (Err(Fault::Panicked), Outcome::Unknown),
        Ended::TimedOut => (Err(Fault::TimedOut), Outcome::Unknown),
        Ended::Halted => (Err(Fault::Stopping), Outcome::Unknown),
        Ended::Unspent => (Err(Fault::Unspent), Outcome::Unknown),
    }
}

/// Lets a result out that keeps all caveats. One that none speaks of is not touched: it may be a stream.
async fn hold(
    response: Response,
    caveats: &[Caveat],
    bytes_max: usize,
) -> Result<Response, Withheld> {
    let Some(first) = caveats.first() else { return Ok(response) };
    let status = response.status();
    let withheld = |caveat: &Caveat| Withheld { status, caveat: Box::new(caveat.clone()) };
    let (parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, bytes_max).collect().await else {
        return Err(withheld(first));
    };
    // Trailers are not measured, so they do not go on.
    let body = body.to_bytes();
    let measured = Measured::of(&parts, &body);
    match caveats.iter().find(|caveat| !measured.keeps(caveat)) {
        Some(broken) => Err(withheld(broken)),
        None => Ok(Response::from_parts(parts, body.into())),
    }
}

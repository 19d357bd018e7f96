//! One request's way through the gate, in the order of the checks.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use tracing::Instrument as _;

use super::arrival::Arrival;
use super::credentials;
use super::events::About;
use super::problem::Fault;
use super::route::Route;
use super::run::{Action, Run};
use crate::caveat::Outputs;
use crate::passage::Verified;
use crate::verifier;

/// Lets a request through to its action, or answers why not.
pub(super) async fn pass(route: Arc<Route>, request: Request, action: Action) -> Response {
    let mut about = About::action(&route.action);
    let gate = &route.gate;
    let (verified, request) = match admit(&route, request, &mut about).await {
        Ok(admitted) => admitted,
        Err(fault) => return gate.answer(&fault, &about),
    };
    let Some(_entered) = gate.tasks.enter() else {
        return gate.answer(&Fault::Stopping, &about);
    };
    let run = Run { route: Arc::clone(&route), about: about.clone() };
    let reply = gate.tasks.run(run.run(verified, request, action).in_current_span());
    reply.await.unwrap_or_else(|| gate.answer(&Fault::Panicked, &about))
}

/// Everything before the spend. A caller that hangs up here has done nothing.
async fn admit(
    route: &Route,
    request: Request,
    about: &mut About,
) -> Result<(Verified, Request), Fault> {
    let gate = &route.gate;
    let mut request = request;
    // Before the body: who has no token of ours holds none of our memory.
    let (presented, proofs) = credentials::take(request.headers_mut())?;
    let authentic = gate.verifier.authenticate(presented)?;
    // Now the names in the token are no longer anybody's words.
    *about = About::grant(authentic.grant());
    gate.verifier.expect(&authentic, &gate.audience, &route.action)?;
    let arrival = Arrival::read(request, &route.template, &route.sources, route.limits).await?;
    let request = verifier::Request {
        audience: &gate.audience,
        action: &route.action,
        resource: &arrival.resource,
        sent: arrival.sent(),
        proofs: &proofs,
        outputs: Outputs::Enforced,
    };
    let verified = gate.verifier.decide(authentic, &request)?;
    Ok((verified, arrival.into_request()))
}

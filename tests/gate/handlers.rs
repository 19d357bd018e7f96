//! Handlers that look first, and handlers that stand where no gate is.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use farebox_verifier::gate::{Gate, Problem};
use farebox_verifier::{Outcome, SpendError, Spent, Verified};

use super::fixture::{Api, PARAMS, TRANSFERS, grant};
use super::http::Call;

/// Routes whose handlers look first, and then do what their path says.
async fn api() -> Api {
    async fn spends(State(gate): State<Gate>, verified: Verified) -> Result<String, Problem> {
        let spent = gate.spend(verified).await?;
        Ok(format!("spent at {}", spent.spent_at()))
    }
    async fn fails(State(gate): State<Gate>, verified: Verified) -> Result<StatusCode, Problem> {
        let _spent = gate.spend(verified).await?;
        Ok(StatusCode::BAD_GATEWAY)
    }
    async fn declines(verified: Verified) -> (StatusCode, String) {
        (StatusCode::CONFLICT, verified.grant().resource.to_string())
    }
    async fn hangs(State(gate): State<Gate>, verified: Verified) -> Result<(), Problem> {
        let _spent = gate.spend(verified).await?;
        std::future::pending().await
    }
    async fn takes_spent(_: Spent) {}
    async fn takes_both(_: Spent, _: Spent) {}
    Api::serve(|gate| {
        let route = || gate.action("payments.transfer").on("account/{id}").json();
        let looks = || route().look_first();
        let soon_cut_off = looks().run_within(Duration::from_millis(500));
        Router::new()
            .route(TRANSFERS, looks().post(spends))
            .route("/fails/{id}", looks().post(fails))
            .route("/declines/{id}", looks().post(declines))
            .route("/hangs/{id}", soon_cut_off.post(hangs))
            .route("/confused/{id}", looks().post(takes_spent))
            .route("/twice/{id}", route().post(takes_both))
            .route("/spent", post(takes_spent))
            .route("/verified", post(declines))
            .with_state(gate.clone())
    })
    .await
}

fn call(path: &str) -> Call {
    Call::post(path).json(PARAMS)
}

#[tokio::test]
async fn a_handler_that_looks_first_spends_once_and_settles_by_its_reply() {
    let api = api().await;
    for (path, status, outcome) in [
        ("/accounts/42/transfers", 200, Outcome::Succeeded),
        ("/fails/42", 502, Outcome::Failed),
        ("/hangs/42", 504, Outcome::Unknown),
    ] {
        let grant = grant(PARAMS);
        let token = api.mint(&grant);
        assert_eq!(api.send(call(path).bearer(&token)).await.status, status);
        assert_eq!(api.store.outcome(grant.id).await, outcome, "{path}");
        let again = api.send(call(path).bearer(&token)).await;
        assert_eq!(again.refused(), (401, "already-spent".into()));
    }
}

#[tokio::test]
async fn a_handler_that_declines_leaves_the_token_unused() {
    let api = api().await;
    let token = api.token();
    let declined = api.send(call("/declines/42").bearer(&token)).await;
    assert_eq!((declined.status, declined.text()), (409, "account/42"));
    assert_eq!(api.store.spent(), 0);
    assert_eq!(api.send(call("/accounts/42/transfers").bearer(&token)).await.status, 200);
}

#[tokio::test]
async fn a_use_that_the_store_does_not_give_a_handler_is_its_reply() {
    let api = api().await;
    api.store.refuse([SpendError::Fenced]);
    let reply = api.send(call("/accounts/42/transfers").bearer(&api.token())).await;
    assert_eq!(reply.refused(), (401, "fenced".into()));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
}

#[tokio::test]
async fn a_handler_that_no_gate_guards_does_not_run() {
    let api = api().await;
    for path in ["/spent", "/verified"] {
        let reply = api.send(call(path).bearer(&api.token())).await;
        assert_eq!(reply.refused(), (500, "unguarded".into()), "{path}");
    }
    assert_eq!(api.store.spent(), 0);
}

#[tokio::test]
async fn a_handler_that_asks_for_what_its_route_has_not_does_not_run() {
    let api = api().await;
    let confused = api.send(call("/confused/42").bearer(&api.token())).await;
    assert_eq!(confused.refused(), (500, "unguarded".into()));
    assert_eq!(api.store.spent(), 0);
    let grant = grant(PARAMS);
    let twice = api.send(call("/twice/42").bearer(&api.mint(&grant))).await;
    assert_eq!(twice.refused(), (500, "unguarded".into()));
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Failed)]);
}

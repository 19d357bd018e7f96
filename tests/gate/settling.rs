//! Reports: before the reply where the store takes them, after it where it does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use farebox_verifier::gate::Gate;
use farebox_verifier::{Outcome, SettleError, Spent};

use super::fixture::{Api, PARAMS, TRANSFERS, grant, soon, transfer};
use super::http::{Call, Reply};
use super::running::Mark;

/// A place where a handler leaves its grant for later.
type Shelf = Arc<Mutex<Option<Spent>>>;

/// An API whose replies wait for no deaf store.
async fn api(routes: impl FnOnce(&Gate) -> Router) -> Api {
    Api::serve_with(|gate| gate.settle_within(Duration::from_millis(10)), routes).await
}

#[tokio::test]
async fn a_reply_waits_for_its_report() {
    let (asked, answer) = (Mark::new(), Mark::new());
    let api = Api::serve_with(
        |gate| gate.settle_within(Duration::from_secs(60)),
        |gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            Router::new().route(TRANSFERS, route.post(|| async { "done" }))
        },
    )
    .await;
    api.store.hold_reports(asked.clone(), answer.clone());
    let mut stream = transfer(&api.token()).begin(api.address).await;
    asked.reached().await;
    // By the time that another call is answered, this one's reply would have come.
    assert_eq!(api.send(Call::post("/accounts/42/transfers")).await.status, 401);
    let early = stream.try_read(&mut [0]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    answer.set();
    assert_eq!(Reply::read(&mut stream).await.text(), "done");
}

#[tokio::test]
async fn a_report_that_the_store_does_not_take_is_made_again_after_the_reply() {
    let api = api(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(|| async { "done" }))
    })
    .await;
    api.store.fall_deaf();
    let grant = grant(PARAMS);
    let reply = api.transfer(&api.mint(&grant)).await;
    assert_eq!((reply.status, reply.text()), (200, "done"));
    api.store.unheard().await;
    assert!(api.store.heard().settled.is_empty());
    api.store.hear();
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_handler_says_what_its_status_cannot() {
    let api = api(|gate| {
        let handler = |spent: Spent| async move {
            let settled = spent.settle(Outcome::Void).await.unwrap();
            settled.outcome().word()
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.text(), "void");
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Void)]);
}

#[tokio::test]
async fn what_a_handler_said_counts_though_the_store_did_not_hear_it() {
    let api = api(|gate| {
        let handler = |spent: Spent| async move {
            let unsettled = spent.settle(Outcome::Void).await.unwrap_err();
            assert_eq!(unsettled.why(), SettleError::Down);
            StatusCode::INTERNAL_SERVER_ERROR
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    api.store.fall_deaf();
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.status, 500);
    api.store.hear();
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Void);
}

#[tokio::test]
async fn a_job_that_ends_after_the_reply_settles_for_itself() {
    let shelf = Shelf::default();
    let kept = shelf.clone();
    let api = api(|gate| {
        let handler = |spent: Spent| async move {
            *kept.lock().unwrap() = Some(spent.later());
            StatusCode::ACCEPTED
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.status, 202);
    assert!(api.store.heard().settled.is_empty());
    let spent = shelf.lock().unwrap().take().unwrap();
    spent.settle(Outcome::Failed).await.unwrap();
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Failed)]);
}

#[tokio::test]
async fn a_grant_that_is_let_go_of_after_the_reply_is_unknown() {
    let shelf = Shelf::default();
    let kept = shelf.clone();
    let api = api(|gate| {
        let handler = |spent: Spent| async move {
            // Without `later`: the gate still expects it back.
            *kept.lock().unwrap() = Some(spent);
            StatusCode::ACCEPTED
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.status, 202);
    assert!(api.store.heard().settled.is_empty());
    // On a thread that knows of no runtime.
    let spent = shelf.lock().unwrap().take();
    std::thread::spawn(move || drop(spent)).join().unwrap();
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Unknown);
}

#[tokio::test]
async fn a_grant_that_nobody_took_settles_though_the_request_lives_on() {
    async fn keeps(request: Request) -> Response {
        let mut response = "done".into_response();
        *response.extensions_mut() = request.extensions().clone();
        response
    }
    let api = api(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(keeps))
    })
    .await;
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.text(), "done");
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_report_that_the_store_refuses_is_not_made_again() {
    for refusal in [SettleError::Fenced, SettleError::NotSpent] {
        let api = api(|gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            Router::new().route(TRANSFERS, route.post(|| async { "done" }))
        })
        .await;
        api.store.refuse_reports([refusal]);
        assert_eq!(api.transfer(&api.token()).await.status, 200);
        // With a report under way, this would wait for it.
        soon(api.gate.stop(Duration::from_secs(60))).await;
        assert!(api.store.heard().settled.is_empty());
        assert_eq!(api.store.heard().unheard, 1);
    }
}

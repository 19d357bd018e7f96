//! A graceful stop.

use std::time::Duration;

use axum::Router;
use farebox_verifier::Outcome;

use super::fixture::{Api, PARAMS, TRANSFERS, grant, soon, transfer};
use super::http::Reply;
use super::running::Mark;

const LONG: Duration = Duration::from_secs(60);

/// An API whose action goes on when it is told to.
async fn api(begun: Mark, go_on: Mark) -> Api {
    Api::serve(|gate| {
        let handler = || async move {
            begun.set();
            go_on.reached().await;
            "done"
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await
}

#[tokio::test]
async fn a_stop_begins_nothing_and_waits_for_what_runs() {
    let (begun, go_on) = (Mark::new(), Mark::new());
    let api = api(begun.clone(), go_on.clone()).await;
    let grant = grant(PARAMS);
    let mut running = transfer(&api.mint(&grant)).begin(api.address).await;
    begun.reached().await;
    let mut stop = std::pin::pin!(api.gate.stop(LONG));
    tokio::select! {
        biased;
        () = &mut stop => panic!("something runs"),
        () = std::future::ready(()) => {}
    }
    let late = api.token();
    assert_eq!(api.transfer(&late).await.refused(), (503, "internal".into()));
    assert_eq!(api.store.spent(), 1);
    go_on.set();
    soon(stop).await;
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Succeeded)]);
    assert_eq!(Reply::read(&mut running).await.text(), "done");
}

#[tokio::test]
async fn what_runs_at_the_end_of_a_stop_is_cut_off_and_unknown() {
    let (begun, go_on) = (Mark::new(), Mark::new());
    let api = api(begun.clone(), go_on).await;
    let grant = grant(PARAMS);
    let mut running = transfer(&api.mint(&grant)).begin(api.address).await;
    begun.reached().await;
    soon(api.gate.stop(Duration::from_millis(10))).await;
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Unknown)]);
    assert_eq!(Reply::read(&mut running).await.refused(), (503, "internal".into()));
}

#[tokio::test]
async fn a_stop_waits_for_reports_that_the_store_has_not_taken() {
    let (begun, go_on) = (Mark::new(), Mark::new());
    let api = api(begun, go_on.clone()).await;
    api.store.fall_deaf();
    // A reply that waits a second for the report is worth it: a shorter wait would be a race.
    go_on.set();
    let grant = grant(PARAMS);
    assert_eq!(api.transfer(&api.mint(&grant)).await.text(), "done");
    api.store.unheard().await;
    let mut stop = std::pin::pin!(api.gate.stop(LONG));
    tokio::select! {
        biased;
        () = &mut stop => panic!("a report is missing"),
        () = std::future::ready(()) => {}
    }
    api.store.hear();
    soon(stop).await;
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Succeeded)]);
}

#[tokio::test]
async fn a_stop_ends_though_the_store_stays_away() {
    let (begun, go_on) = (Mark::new(), Mark::new());
    let api = api(begun, go_on.clone()).await;
    api.store.fall_deaf();
    go_on.set();
    assert_eq!(api.transfer(&api.token()).await.status, 200);
    soon(api.gate.stop(Duration::from_millis(10))).await;
    assert!(api.store.heard().settled.is_empty());
}

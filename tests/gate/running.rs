//! Actions that run: once, to their end, and never unreported.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use farebox_verifier::{Outcome, Spent};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::fixture::{Api, PARAMS, TRANSFERS, grant, soon, transfer};

/// Marks that a test waits for: each is passed as often as it was set.
#[derive(Clone)]
pub(crate) struct Mark(Arc<Semaphore>);

impl Mark {
    pub(crate) fn new() -> Mark {
        Mark(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn set(&self) {
        self.0.add_permits(1);
    }

    pub(crate) async fn reached(&self) {
        soon(self.0.acquire()).await.unwrap().forget();
    }
}

/// Sets its mark when it is dropped.
pub(crate) struct OnDrop(pub(crate) Mark);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_on_64_connections_runs_its_action_once() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        let handler = move || async move { counted.fetch_add(1, Ordering::SeqCst).to_string() };
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let call = transfer(&api.token());
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let (call, address) = (call.clone(), api.address);
        calls.spawn(async move { call.send(address).await });
    }
    let replies = soon(calls.join_all()).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    let replays = replies.iter().filter(|reply| reply.status == 401);
    assert!(replays.clone().all(|reply| reply.problem("code") == "already-spent"));
    assert_eq!((replays.count(), runs.load(Ordering::SeqCst), api.store.spent()), (63, 1, 1));
}

#[tokio::test]
async fn a_caller_that_hangs_up_stops_nothing() {
    let (begun, go_on, hung_up) = (Mark::new(), Mark::new(), Mark::new());
    let marks = (begun.clone(), go_on.clone(), hung_up.clone());
    let api = Api::serve(|gate| {
        let (begun, go_on, hung_up) = marks;
        let handler = || async move {
            begun.set();
            go_on.reached().await;
            "done"
        };
        let route = gate.action("payments.transfer").on("account/{id}").json().post(handler);
        // Sees how the server drops the request when its connection is closed.
        let seen = from_fn(move |request: Request, next: Next| {
            let dropped = OnDrop(hung_up.clone());
            async move {
                let reply = next.run(request).await;
                drop(dropped);
                reply
            }
        });
        Router::new().route(TRANSFERS, route.layer(seen))
    })
    .await;
    let grant = grant(PARAMS);
    let stream = transfer(&api.mint(&grant)).begin(api.address).await;
    begun.reached().await;
    drop(stream);
    hung_up.reached().await;
    assert!(api.store.heard().settled.is_empty());
    go_on.set();
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Succeeded);
}

#[tokio::test]
async fn a_panic_is_unknown_whoever_holds_the_grant() {
    let api = Api::serve(|gate| {
        let route = || gate.action("payments.transfer").on("account/{id}").json();
        async fn panics() {
            panic!("as a handler does")
        }
        async fn panics_with(_spent: Spent) {
            panic!("as a handler does")
        }
        Router::new()
            .route(TRANSFERS, route().post(panics))
            .route("/held/{id}", route().post(panics_with))
    })
    .await;
    for path in ["/accounts/42/transfers", "/held/42"] {
        let grant = grant(PARAMS);
        let call = super::http::Call::post(path).bearer(&api.mint(&grant)).json(PARAMS);
        assert_eq!(api.send(call).await.refused(), (500, "internal".into()));
        assert_eq!(api.store.heard().settled.last(), Some(&(grant.id, Outcome::Unknown)));
    }
}

#[tokio::test]
async fn an_action_that_takes_too_long_is_cut_off_and_unknown() {
    let cut_off = Mark::new();
    let seen = cut_off.clone();
    let api = Api::serve(|gate| {
        let handler = |_spent: Spent| async move {
            let _dropped = OnDrop(seen);
            std::future::pending::<()>().await;
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.run_within(Duration::from_millis(20)).post(handler))
    })
    .await;
    let grant = grant(PARAMS);
    let reply = api.transfer(&api.mint(&grant)).await;
    assert_eq!(reply.refused(), (504, "internal".into()));
    cut_off.reached().await;
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Unknown)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_blocks_its_thread_is_answered_for_and_reported_when_it_lets_go() {
    let (let_go, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let api = Api::serve_with(
        |gate| gate.settle_within(Duration::from_millis(20)),
        |gate| {
            let handler = |spent: Spent| async move {
                blocked.lock().unwrap().recv().unwrap();
                drop(spent);
                "too late"
            };
            let route = gate.action("payments.transfer").on("account/{id}").json();
            let route = route.run_within(Duration::from_millis(20));
            Router::new().route(TRANSFERS, route.post(handler))
        },
    )
    .await;
    let grant = grant(PARAMS);
    let reply = api.transfer(&api.mint(&grant)).await;
    assert_eq!(reply.refused(), (504, "internal".into()));
    assert!(api.store.heard().settled.is_empty());
    let_go.send(()).unwrap();
    assert_eq!(api.store.outcome(grant.id).await, Outcome::Unknown);
}

#[tokio::test]
async fn a_store_that_does_not_answer_in_time_is_down_and_nothing_runs() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let api = Api::serve_with(
        |gate| gate.spend_within(Duration::from_millis(20)),
        |gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            let handler = move || async move { counted.fetch_add(1, Ordering::SeqCst).to_string() };
            Router::new().route(TRANSFERS, route.post(handler))
        },
    )
    .await;
    api.store.fall_mute();
    let token = api.token();
    assert_eq!(api.transfer(&token).await.refused(), (503, "store-down".into()));
    // It was taken, and nobody heard: so it is used up.
    assert_eq!(api.transfer(&token).await.refused(), (401, "already-spent".into()));
    assert_eq!((api.store.spent(), runs.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn requests_of_different_grants_run_at_once() {
    let (begun, go_on) = (Mark::new(), Mark::new());
    let marks = (begun.clone(), go_on.clone());
    let api = Api::serve(|gate| {
        let (begun, go_on) = marks;
        let handler = || async move {
            begun.set();
            go_on.reached().await;
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let mut calls = JoinSet::new();
    for _ in 0..32 {
        let (call, address) = (transfer(&api.token()), api.address);
        calls.spawn(async move { call.send(address).await.status });
    }
    for _ in 0..32 {
        begun.reached().await;
    }
    (0..32).for_each(|_| go_on.set());
    assert_eq!(soon(calls.join_all()).await, [200; 32]);
}

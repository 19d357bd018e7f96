//! Output caveats, held against what handlers return.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use farebox_verifier::gate::Measures;
use farebox_verifier::token::{TokenText, narrow};
use farebox_verifier::{Caveat, CaveatText, Grant, OneOf, Outcome, OutputName, Spent};
use serde_json::json;

use super::fixture::{Api, PARAMS, TRANSFERS, grant};
use super::http::Call;

fn max(name: &str, max: i64) -> Caveat {
    Caveat::OutputMax(OutputName::parse(name).unwrap(), max)
}

fn one_of(name: &str, texts: &[&str]) -> Caveat {
    let texts = texts.iter().map(|text| CaveatText::parse(text).unwrap());
    Caveat::OutputOneOf(OutputName::parse(name).unwrap(), OneOf::new(texts).unwrap())
}

fn with(caveats: impl Into<Vec<Caveat>>) -> Grant {
    Grant { caveats: caveats.into(), ..grant(PARAMS) }
}

/// An API whose action returns this.
async fn api<R: IntoResponse + 'static>(
    result: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Api {
    Api::serve(|gate| {
        let handler = move || async move { result().into_response() };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.result_bytes_max(4096).post(handler))
    })
    .await
}

fn report() -> impl IntoResponse {
    let measures = Measures::new().number("rows", 3).text("classification", "public");
    let rows = json!([{"to": "acme"}, {"to": "initech"}, {"to": "acme"}]);
    (measures, Json(json!({"total": 12, "currency": "EUR", "rows": rows, "tags": ["a", "b"]})))
}

#[tokio::test]
async fn a_result_that_keeps_its_caveats_is_let_out_whole() {
    let api = api(report).await;
    let plain = api.transfer(&api.token()).await;
    let kept = [
        vec![max("bytes", 200), max("rows", 3), max("/rows", 3), max("/total", 12)],
        vec![one_of("classification", &["public", "internal"]), one_of("/currency", &["EUR"])],
        vec![one_of("/tags", &["a", "b", "c"]), one_of("/rows/1/to", &["initech"])],
    ];
    for caveats in kept {
        let grant = with(caveats);
        let reply = api.transfer(&api.mint(&grant)).await;
        assert_eq!((reply.status, reply.text()), (200, plain.text()));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(api.store.outcome(grant.id).await, Outcome::Succeeded);
    }
}

#[tokio::test]
async fn a_result_that_breaks_a_caveat_is_withheld() {
    let api = api(report).await;
    let broken = [
        max("bytes", 20),
        max("rows", 2),
        max("/rows", 2),
        max("/total", 11),
        max("/currency", 99),
        max("/nothing", 99),
        max("columns", 99),
        one_of("classification", &["internal"]),
        one_of("/currency", &["USD"]),
        one_of("/tags", &["a"]),
        one_of("/rows", &["acme"]),
        one_of("owner", &["acme"]),
    ];
    for caveat in broken {
        let grant = with([max("bytes", 200), caveat.clone()]);
        let reply = api.transfer(&api.mint(&grant)).await;
        assert_eq!(reply.refused(), (403, "output-refused".into()), "{caveat}");
        assert!(!reply.text().contains("EUR"));
        assert_eq!(api.store.outcome(grant.id).await, Outcome::OutputRefused);
    }
}

#[tokio::test]
async fn a_caveat_that_a_holder_added_holds_too() {
    let api = api(report).await;
    let grant = grant(PARAMS);
    let token = narrow(&api.mint(&grant), &[max("rows", 2)]).unwrap();
    assert_eq!(api.transfer(&token).await.refused(), (403, "output-refused".into()));
}

#[tokio::test]
async fn a_result_that_is_no_json_has_no_places() {
    let api = api(|| "three rows").await;
    let refused = api.transfer(&api.mint(&with([max("/rows", 9)]))).await;
    assert_eq!(refused.refused(), (403, "output-refused".into()));
    assert_eq!(api.transfer(&api.mint(&with([max("bytes", 10)]))).await.text(), "three rows");
}

#[tokio::test]
async fn a_result_over_the_limit_is_withheld_and_a_free_one_is_not_measured() {
    let api = api(|| "x".repeat(4097)).await;
    let refused = api.transfer(&api.mint(&with([max("bytes", 9999)]))).await;
    assert_eq!(refused.refused(), (403, "output-refused".into()));
    assert_eq!(api.transfer(&api.token()).await.body.len(), 4097);
}

#[tokio::test]
async fn a_result_that_breaks_off_is_withheld() {
    let api = api(|| {
        let parts = [Ok("some "), Err(std::io::Error::other("broke off"))];
        Body::from_stream(Parts(parts.into_iter().collect()))
    })
    .await;
    let grant = with([max("bytes", 99)]);
    let reply = api.transfer(&api.mint(&grant)).await;
    assert_eq!(reply.refused(), (403, "output-refused".into()));
    assert_eq!(api.store.outcome(grant.id).await, Outcome::OutputRefused);
}

/// A body that comes in parts.
struct Parts(std::collections::VecDeque<std::io::Result<&'static str>>);

impl futures_core::Stream for Parts {
    type Item = std::io::Result<&'static str>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn an_encoded_result_is_withheld() {
    let api = api(|| ([("content-encoding", "gzip")], "{}")).await;
    let refused = api.transfer(&api.mint(&with([max("bytes", 99)]))).await;
    assert_eq!(refused.refused(), (403, "output-refused".into()));
}

#[tokio::test]
async fn a_failure_keeps_its_status_and_loses_words_that_break_a_caveat() {
    let api = api(|| (StatusCode::NOT_FOUND, [("x-secret", "x")], "no account 42")).await;
    let free = api.transfer(&api.token()).await;
    assert_eq!((free.status, free.text()), (404, "no account 42"));
    let kept = with([max("bytes", 13)]);
    let reply = api.transfer(&api.mint(&kept)).await;
    assert_eq!((reply.status, reply.text()), (404, "no account 42"));
    let broken = with([max("bytes", 12)]);
    let reply = api.transfer(&api.mint(&broken)).await;
    assert_eq!((reply.status, reply.text(), reply.header("x-secret")), (404, "", None));
    for grant in [kept, broken] {
        assert_eq!(api.store.outcome(grant.id).await, Outcome::Failed);
    }
}

#[tokio::test]
async fn a_handler_sees_what_its_result_will_be_held_to() {
    let api = Api::serve(|gate| {
        let handler = |spent: Spent| async move {
            spent.outputs().iter().map(ToString::to_string).collect::<String>()
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let reply = api.transfer(&api.mint(&with([max("bytes", 99)]))).await;
    assert_eq!(reply.text(), "the result's bytes is at most 99");
}

#[tokio::test]
async fn a_result_is_withheld_whatever_its_handler_did_with_the_grant() {
    async fn settles(spent: Spent) -> Response {
        spent.settle(Outcome::Succeeded).await.unwrap();
        "a long result".into_response()
    }
    async fn keeps(spent: Spent) -> Response {
        drop(spent.later());
        "a long result".into_response()
    }
    let api = Api::serve(|gate| {
        let route = || gate.action("payments.transfer").on("account/{id}").json();
        Router::new()
            .route("/settles/{id}", route().post(settles))
            .route("/keeps/{id}", route().post(keeps))
            .route("/looks/{id}", route().look_first().post(|| async { "a long result" }))
    })
    .await;
    let token = || -> TokenText { api.mint(&with([max("bytes", 3)])) };
    for path in ["/settles/42", "/keeps/42", "/looks/42"] {
        let reply = api.send(Call::post(path).json(PARAMS).bearer(&token())).await;
        assert_eq!(reply.refused(), (403, "output-refused".into()), "{path}");
    }
}

#[tokio::test]
async fn a_handler_that_was_to_look_first_and_took_no_token_is_found_at_once() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route("/looks/{id}", route.look_first().post(|| async { "done" }))
    })
    .await;
    let token = api.mint(&with([]));
    let reply = api.send(Call::post("/looks/42").json(PARAMS).bearer(&token)).await;
    assert_eq!(reply.refused(), (500, "unguarded".into()));
}

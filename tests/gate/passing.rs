//! Requests that pass.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use farebox_verifier::token::TokenText;
use farebox_verifier::{Outcome, ParamsDigest, Resource, Spent};
use serde_json::Value;

use super::fixture::{Api, PARAMS, TRANSFERS, grant, transfer};
use super::http::Call;

#[tokio::test]
async fn an_action_runs_once_and_settles_as_succeeded() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(|| async { "done" }))
    })
    .await;
    let grant = grant(PARAMS);
    let token = api.mint(&grant);
    let reply = api.transfer(&token).await;
    assert_eq!((reply.status, reply.text()), (200, "done"));
    // Settled before the reply, so there is nothing to await.
    assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Succeeded)]);
    let again = api.transfer(&token).await;
    assert_eq!(again.refused(), (401, "already-spent".into()));
    assert_eq!(api.store.spent(), 1);
}

#[tokio::test]
async fn a_status_that_is_no_success_settles_as_failed() {
    for status in [302, 304, 404, 422, 500, 999] {
        let status = StatusCode::from_u16(status).unwrap();
        let api = Api::serve(|gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            Router::new().route(TRANSFERS, route.post(move || async move { status }))
        })
        .await;
        let grant = grant(PARAMS);
        assert_eq!(api.transfer(&api.mint(&grant)).await.status, status.as_u16());
        assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Failed)]);
    }
}

#[tokio::test]
async fn an_action_that_would_go_on_beyond_its_reply_is_cut_off() {
    for bytes_max in [None, Some(0)] {
        let api = Api::serve(|gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            let upgrade = || async { StatusCode::SWITCHING_PROTOCOLS };
            Router::new().route(TRANSFERS, route.post(upgrade))
        })
        .await;
        let name = farebox_verifier::OutputName::parse("bytes").unwrap();
        let caveats = bytes_max.map(|max| farebox_verifier::Caveat::OutputMax(name, max));
        let grant =
            farebox_verifier::Grant { caveats: caveats.into_iter().collect(), ..grant(PARAMS) };
        let reply = api.transfer(&api.mint(&grant)).await;
        assert_eq!(reply.refused(), (500, "internal".into()));
        assert_eq!(api.store.heard().settled, [(grant.id, Outcome::Unknown)]);
    }
}

#[tokio::test]
async fn a_handler_gets_what_was_sent_and_its_grant_and_its_state() {
    type Sent = (Path<String>, Query<Vec<(String, String)>>);
    async fn echo(
        State(name): State<&'static str>,
        (Path(id), Query(query)): Sent,
        spent: Spent,
        Json(body): Json<Value>,
    ) -> String {
        format!("{name} {id} {query:?} {} {body}", spent.grant().agent)
    }
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json().query();
        Router::new().route(TRANSFERS, route.post(echo)).with_state("bank")
    })
    .await;
    let token = api.mint(&grant(r#"{"body":{"n":1.50},"query":{"a":"x y"}}"#));
    let call = Call::post("/accounts/4%32/transfers?a=x+y").bearer(&token).json(r#"{"n":1.50}"#);
    let reply = api.send(call).await;
    let want = r#"bank 42 [("a", "x y")] spiffe://acme/agents/billing {"n":1.5}"#;
    assert_eq!(reply.text(), want);
}

#[tokio::test]
async fn what_is_read_is_what_is_bound() {
    let api = Api::serve(|gate| {
        let on = |template: &str| gate.action("payments.transfer").on(template);
        let done = || async { "done" };
        Router::new()
            .route("/none", on("account/42").get(done))
            .route("/path/{a}/{b}", on("account/42").path().get(done))
            .route("/named/{id}/{b}", on("account/{id}").path().get(done))
            .route("/query", on("account/42").query().get(done))
            .route("/json", on("account/42").json().put(done))
            .route("/two/{a}", on("account/42").path().query().delete(done))
            .route("/all/{a}", on("account/42").json().path().query().patch(done))
    })
    .await;
    let body = r#"{ "x" : [1, null] }"#;
    let table = [
        (Call::get("/none"), "{}"),
        (Call::get("/none?"), "{}"),
        (Call::get("/path/1/x%2Fy"), r#"{"a":"1","b":"x/y"}"#),
        (Call::get("/named/42/2"), r#"{"id":"42","b":"2"}"#),
        (Call::get("/query?n=1&m=%C3%BC"), r#"{"n":"1","m":"ü"}"#),
        (Call::get("/query"), "{}"),
        (Call::new("PUT", "/json").json(body), r#"{"x":[1,null]}"#),
        (Call::new("PUT", "/json").json("[1]"), "[1]"),
        (Call::new("PUT", "/json"), "{}"),
        (Call::new("DELETE", "/two/1?n=2"), r#"{"path":{"a":"1"},"query":{"n":"2"}}"#),
        (
            Call::new("PATCH", "/all/1?n=2").json(body),
            r#"{"body":{"x":[1,null]},"path":{"a":"1"},"query":{"n":"2"}}"#,
        ),
    ];
    for (call, params) in table {
        let reply = api.send(call.bearer(&api.mint(&grant(params)))).await;
        assert_eq!(reply.status, 200, "{params} {}", reply.text());
    }
}

#[tokio::test]
async fn a_raw_body_is_bound_by_its_bytes() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").raw();
        Router::new().route(TRANSFERS, route.post(|body: axum::body::Bytes| async { body }))
    })
    .await;
    let bytes = [0, 159, 146, 150, b'{'];
    let mut grant = grant(PARAMS);
    grant.params = ParamsDigest::of_bytes(&bytes);
    let call = Call::post("/accounts/42/transfers").bearer(&api.mint(&grant));
    let other = api.send(call.clone().body(&[0, 159])).await;
    assert_eq!(other.refused(), (403, "wrong-params".into()));
    let reply = api.send(call.body(&bytes)).await;
    assert_eq!((reply.status, reply.body), (200, bytes.to_vec()));
}

#[tokio::test]
async fn a_token_comes_in_either_header_and_no_handler_sees_it() {
    let api = Api::serve(|gate| {
        let seen = |headers: HeaderMap| async move {
            let names = ["farebox-token", "farebox-proof", "authorization"];
            names.map(|name| headers.get(name).map_or("-", |v| v.to_str().unwrap())).join(" ")
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(seen))
    })
    .await;
    let call = || Call::post("/accounts/42/transfers").json(PARAMS);
    let bearer = |scheme: &str, token: &TokenText| format!("{scheme} {}", token.expose());
    // Of a stranger's key: nobody asked for it, and nobody needs it.
    let proof = format!("{}E.1800000000.{}", "B".repeat(42), "A".repeat(86));
    let own = call().header("Farebox-Token", api.token().expose());
    let table = [
        (call().bearer(&api.token()), "- - -"),
        (call().header("authorization", &bearer("bEARER ", &api.token())), "- - -"),
        (own, "- - -"),
        (call().bearer(&api.token()).header("farebox-proof", &proof), "- - -"),
        // What another layer reads stays where it is.
        (
            call().header("Farebox-Token", api.token().expose()).header("authorization", "Basic x"),
            "- - Basic x",
        ),
    ];
    for (call, want) in table {
        assert_eq!(api.send(call).await.text(), want);
    }
}

#[tokio::test]
async fn a_route_may_be_nested() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("tenant/{tenant}/account/{id}").json();
        let accounts = Router::new().route(TRANSFERS, route.post(|| async { "done" }));
        Router::new().nest("/tenants/{tenant}", accounts)
    })
    .await;
    let mut grant = grant(PARAMS);
    grant.resource = Resource::parse("tenant/acme/account/42").unwrap();
    let token = api.mint(&grant);
    let call = |tenant| {
        Call::post(&format!("/tenants/{tenant}/accounts/42/transfers")).json(PARAMS).bearer(&token)
    };
    assert_eq!(api.send(call("initech")).await.refused(), (403, "wrong-resource".into()));
    assert_eq!(api.send(call("acme")).await.text(), "done");
}

#[tokio::test]
async fn a_route_takes_other_methods_beside_it() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        let list = get(|| async { "list" });
        Router::new().route(TRANSFERS, route.post(|| async { "done" }).merge(list))
    })
    .await;
    assert_eq!(api.send(Call::get("/accounts/42/transfers")).await.text(), "list");
    assert_eq!(api.transfer(&api.token()).await.text(), "done");
}

#[tokio::test]
async fn two_requests_on_one_connection_are_two_requests() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(|| async { "done" }))
    })
    .await;
    let token = api.token();
    let (first, replay) = (transfer(&token), transfer(&token));
    let bytes = [first.bytes_kept(), replay.bytes_kept(), transfer(&api.token()).bytes()].concat();
    let mut stream = tokio::net::TcpStream::connect(api.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await.unwrap();
    let replies = super::http::Reply::read_all(&mut stream).await;
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 401, 200]);
}

//! Requests that cannot be read: none of them costs the token.

use std::time::Duration;

use axum::body::Bytes;
use axum::{Json, Router};
use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::{Audience, Grant, ParamsDigest, Resource, Window};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::fixture::{Api, NOW, PARAMS, TRANSFERS, grant, transfer};
use super::http::{Call, Reply, exchange};

async fn api() -> Api {
    Api::serve(|gate| {
        let on = |template: &str| gate.action("payments.transfer").on(template);
        let done = || async { "done" };
        Router::new()
            .route(TRANSFERS, on("account/{id}").json().post(done))
            .route("/none/{id}", on("account/{id}").post(done))
            .route("/query/{id}", on("account/{id}").query().post(done))
            .route("/unbound/{id}/{more}", on("account/{id}").post(done))
            .route("/unknown/{id}", on("account/{account}").path().post(done))
            .route("/small", on("account/42").json().body_bytes_max(16).post(done))
            .route("/raw", on("account/42").raw().body_bytes_max(3 << 20).post(length))
    })
    .await
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

/// Sends each call with a token that covers it, and sees it refused and not spent.
async fn refuse(api: &Api, status: u16, calls: impl IntoIterator<Item = Call>) -> Vec<String> {
    let mut details = Vec::new();
    for call in calls {
        let reply = api.send(call.bearer(&api.token())).await;
        let code = if status == 413 { "too-large" } else { "bad-request" };
        assert_eq!(reply.refused(), (status, code.into()));
        details.push(reply.problem("detail"));
    }
    assert_eq!(api.store.spent(), 0);
    details
}

fn post() -> Call {
    Call::post("/accounts/42/transfers")
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let api = api().await;
    let plain = post().body(PARAMS.as_bytes());
    let calls = [
        plain.clone(),
        plain.clone().header("content-type", "text/plain"),
        plain.clone().header("content-type", "application/x-www-form-urlencoded"),
        plain.clone().header("content-type", "application/json; charset=utf-16"),
        // axum's own extractor takes neither, and would say so when the token is spent.
        plain.clone().header("content-type", "application/json ; charset=utf-8"),
        plain.clone().header("content-type", "application/json;\tcharset=utf-8"),
        post().json(PARAMS).header("content-type", "application/json"),
        post().header("content-type", "text/plain"),
    ];
    for detail in refuse(&api, 400, calls).await {
        assert_eq!(detail, "body is not declared as JSON by exactly one content type");
    }
    for good in ["application/vnd.acme+json", "application/json;charset=UTF-8"] {
        let call = plain.clone().header("content-type", good).bearer(&api.token());
        assert_eq!(api.send(call).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn a_body_that_readers_take_differently_is_refused() {
    let api = api().await;
    let bodies = [
        (r#"{"amount": 4000, "amount": 1}"#, "duplicate key"),
        (r#"{"amount": 9007199254740993}"#, "number out of range"),
        (r#"{"amount": 4000"#, "unexpected end"),
        (r#"{} {}"#, "text after the end of the value"),
        ("\u{feff}{}", "byte order mark"),
        (r#""\ud800""#, "lone surrogate"),
        (&"[".repeat(64), "nesting too deep"),
    ];
    for (body, kind) in bodies {
        let details = refuse(&api, 400, [post().json(body)]).await;
        assert_eq!(details, [format!("body is no JSON that every reader takes alike: {kind}")]);
    }
}

#[tokio::test]
async fn an_encoded_body_is_refused() {
    let api = api().await;
    let encoded = |encoding| post().json(PARAMS).header("content-encoding", encoding);
    refuse(&api, 400, ["gzip", "br", "identity, gzip", ""].map(encoded)).await;
    let plain = encoded("Identity").bearer(&api.token());
    assert_eq!(api.send(plain).await.status, 200);
}

#[tokio::test]
async fn what_a_route_does_not_read_must_be_empty() {
    let api = api().await;
    let chunked = Call::post("/none/42").header("transfer-encoding", "chunked");
    let calls = [
        Call::post("/none/42?a=1"),
        Call::post("/accounts/42/transfers?a").json(PARAMS),
        Call::post("/none/42").body(b"x"),
        Call::post("/none/42").json("{}"),
        Call::post("/query/42?a=1").body(b"{}"),
    ];
    refuse(&api, 400, calls).await;
    let bytes = |body: &str| {
        let head = chunked.clone().bearer(&api.mint(&grant("{}"))).head(0);
        format!("{head}connection: close\r\n\r\n{body}")
    };
    let full = exchange(api.address, bytes("1\r\nx\r\n0\r\n\r\n").as_bytes()).await;
    assert_eq!(full.refused(), (400, "bad-request".into()));
    let empty = exchange(api.address, bytes("0\r\n\r\n").as_bytes()).await;
    assert_eq!(empty.status, 200);
}

#[tokio::test]
async fn a_captured_value_that_would_make_another_resource_is_refused() {
    let api = api().await;
    let paths = ["42%2F7", "%2F", "..%2f42", "4%0A2", "%E2%80%AE42", "%ff", "4%C0%AF2"];
    refuse(&api, 400, paths.map(|id| Call::post(&format!("/none/{id}")))).await;
    // Nor does it help to hold a token for what it would make.
    let mut two = grant("{}");
    two.resource = Resource::parse("account/42/7").unwrap();
    let reply = api.send(Call::post("/none/42%2F7").bearer(&api.mint(&two))).await;
    assert_eq!(reply.refused(), (400, "bad-request".into()));
}

#[tokio::test]
async fn a_query_that_readers_take_differently_is_refused() {
    let api = api().await;
    let queries = ["a=1&a=2", "a=1&%61=2", "a&a", "a=%f", "a=%", "a=%ff"];
    refuse(&api, 400, queries.map(|query| Call::post(&format!("/query/42?{query}")))).await;
}

#[tokio::test]
async fn a_route_that_captures_other_values_than_it_names_is_closed() {
    let api = api().await;
    for path in ["/unbound/42/7", "/unknown/42"] {
        let reply = api.send(Call::post(path).bearer(&api.mint(&grant("{}")))).await;
        assert_eq!(reply.refused(), (500, "internal".into()), "{path}");
    }
    assert_eq!(api.store.spent(), 0);
}

#[tokio::test]
async fn a_gate_where_its_path_is_not_the_routes_own_is_closed() {
    let api = Api::serve(|gate| {
        let post = |template: &str| gate.action("payments.transfer").on(template).post(|| async {});
        let accounts = Router::new().route("/accounts/{id}", post("account/{id}"));
        Router::new()
            .nest("/tenants/{id}", accounts)
            .nest_service("/service", post("account/42"))
            .fallback_service(post("account/42"))
    })
    .await;
    // Twice the same name, and paths that no route names.
    for path in ["/tenants/42/accounts/7", "/service/anything", "/anything"] {
        let reply = api.send(Call::post(path).bearer(&api.mint(&grant("{}")))).await;
        assert_eq!(reply.refused(), (500, "internal".into()), "{path}");
    }
    assert_eq!(api.store.spent(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let api = api().await;
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let head = Call::post("/small").json("").bearer(&api.token()).head(17);
    // Not one byte of the body is sent, and the refusal comes all the same.
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(Reply::read(&mut stream).await.refused(), (413, "too-large".into()));
    // Of a body that does not say its length, no more is read than the limit.
    let head = Call::post("/small").json("").bearer(&api.token());
    let head = head.header("transfer-encoding", "chunked").head(0);
    let body = "8\r\n[1,2,3,4\r\n9\r\n,5,6,7,8]\r\n0\r\n\r\n";
    let bytes = format!("{head}connection: close\r\n\r\n{body}");
    let reply = exchange(api.address, bytes.as_bytes()).await;
    assert_eq!(reply.refused(), (413, "too-large".into()));
    let fits =
        Call::post("/small").json("[1,2,3,4,5,6,78]").bearer(&api.mint(&grant("[1,2,3,4,5,6,78]")));
    assert_eq!(api.send(fits).await.status, 200);
}

#[tokio::test]
async fn no_body_is_read_of_whoever_brings_no_living_token_for_this_action() {
    let api = api().await;
    let forged = Signer::new(api.signer.id(), PrivateKey::generate().unwrap());
    let forged = forged.mint(&grant("{}")).unwrap();
    let ledger = Audience::parse("ledger-api").unwrap();
    let elsewhere = api.mint(&Grant { audience: ledger, ..grant("{}") });
    let window = Window::minted(NOW.minus(90), 60).unwrap();
    let expired = api.mint(&Grant { window, ..grant("{}") });
    for (call, expected) in [
        (post().json("").bearer(&elsewhere), (403, "wrong-audience".into())),
        (post().json("").bearer(&expired), (401, "expired".into())),
        (post().json(""), (401, "unauthenticated".into())),
        (post().json("").bearer(&forged), (401, "bad-token".into())),
    ] {
        let mut stream = TcpStream::connect(api.address).await.unwrap();
        let head = call.head(1 << 20);
        // Not one byte of the body is sent, and the refusal comes all the same.
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(Reply::read(&mut stream).await.refused(), expected);
    }
}

#[tokio::test]
async fn a_route_may_take_more_than_axum_takes_by_itself() {
    let api = api().await;
    let bytes = vec![b'x'; 3 << 20];
    let token = |bytes: &[u8]| {
        let params = ParamsDigest::of_bytes(bytes);
        api.mint(&Grant { params, ..grant("{}") })
    };
    let call = Call::post("/raw").bearer(&token(&bytes)).body(&bytes);
    assert_eq!(api.send(call).await.text(), "3145728");
    let longest = format!("\"{}\"", "x".repeat((1 << 20) - 2));
    let call = post().json(&longest).bearer(&api.mint(&grant(&longest)));
    assert_eq!(api.send(call).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_cut_off_spends_nothing() {
    let api = api().await;
    let token = api.token();
    let call = transfer(&token);
    let bytes = call.bytes();
    for cut in [1, 5, PARAMS.len() - 1] {
        let mut stream = TcpStream::connect(api.address).await.unwrap();
        stream.write_all(&bytes[..bytes.len() - cut]).await.unwrap();
        stream.shutdown().await.unwrap();
        // Whether it is answered or not: the connection ends, and with it all that the API did.
        let replies = Reply::read_all(&mut stream).await;
        assert!(replies.iter().all(|reply| reply.status == 400), "{replies:?}");
    }
    assert_eq!(api.store.spent(), 0);
    assert_eq!(api.send(call).await.status, 200);
}

#[tokio::test]
async fn a_length_that_lies_spends_nothing() {
    let api = api().await;
    let send = |claimed: usize| {
        let head = transfer(&api.token()).head(claimed);
        format!("{head}\r\n{PARAMS}")
    };
    // Shorter than the body: what follows is no request.
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(send(PARAMS.len() - 1).as_bytes()).await.unwrap();
    let replies = Reply::read_all(&mut stream).await;
    assert!(replies.iter().all(|reply| reply.status == 400), "{replies:?}");
    // Two lengths are two requests to two readers.
    let call = transfer(&api.token()).header("content-length", "1");
    assert_eq!(api.send(call).await.status, 400);
    let call = transfer(&api.token()).header("content-length", "-1");
    assert_eq!(api.send(call).await.status, 400);
    assert_eq!(api.store.spent(), 0);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_spends_nothing() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json();
        let route = route.read_within(Duration::from_millis(300));
        Router::new().route(TRANSFERS, route.post(|| async { "done" }))
    })
    .await;
    let call = transfer(&api.token());
    let bytes = call.bytes();
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(&bytes[..bytes.len() - 1]).await.unwrap();
    assert_eq!(Reply::read(&mut stream).await.refused(), (408, "bad-request".into()));
    assert_eq!(api.store.spent(), 0);
    assert_eq!(api.send(call).await.status, 200);
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_before_it_costs_the_token() {
    #[derive(Deserialize)]
    struct Transfer {
        amount: u64,
    }
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}").json_as::<Transfer>();
        let handler = |Json(transfer): Json<Transfer>| async move { transfer.amount.to_string() };
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    let calls = [r#"{"amount": "4000"}"#, r#"{"to": "acme"}"#, "[]", "4000"];
    let mut calls: Vec<_> = calls.map(|body| post().json(body)).into();
    calls.push(post());
    for detail in refuse(&api, 400, calls).await {
        assert_eq!(detail, "body has not the members that this route reads");
    }
    assert_eq!(api.transfer(&api.token()).await.text(), "4000");
}

//! Methods that a route does not answer, which must not cost the token.

use axum::Router;

use super::fixture::{Api, TRANSFERS, grant};
use super::http::Call;

#[tokio::test]
async fn a_method_that_is_not_answered_spends_nothing() {
    let api = Api::serve(|gate| {
        let route = || gate.action("payments.transfer").on("account/{id}");
        Router::new()
            .route(TRANSFERS, route().post(|| async { "posted" }))
            .route("/accounts/{id}", route().get(|| async { "got" }))
    })
    .await;
    let token = api.mint(&grant("{}"));
    let posted = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"];
    let got = ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"];
    let posted = posted.map(|method| (method, "/accounts/42/transfers"));
    let got = got.map(|method| (method, "/accounts/42"));
    for (method, path) in posted.into_iter().chain(got) {
        // A reply to HEAD has no body, whatever its length says.
        let mut stream = Call::new(method, path).bearer(&token).begin(api.address).await;
        let mut reply = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut reply).await.unwrap();
        assert!(reply.starts_with(b"HTTP/1.1 405 "), "{method} {path}");
    }
    assert_eq!(api.store.spent(), 0);
    assert_eq!(api.send(Call::get("/accounts/42").bearer(&token)).await.text(), "got");
}

#[tokio::test]
async fn a_refused_head_names_the_method_that_is_answered() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}");
        Router::new().route("/accounts/{id}", route.get(|| async { "got" }))
    })
    .await;
    let reply = api.send(Call::new("HEAD", "/accounts/42")).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn a_path_that_leads_nowhere_spends_nothing() {
    let api = Api::serve(|gate| {
        let route = gate.action("payments.transfer").on("account/{id}");
        Router::new().route(TRANSFERS, route.post(|| async { "posted" }))
    })
    .await;
    let call = Call::post("/accounts/42/transfers/").bearer(&api.mint(&grant("{}")));
    assert_eq!(api.send(call).await.status, 404);
    assert_eq!(api.store.spent(), 0);
}

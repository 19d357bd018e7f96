//! Every code that a caller can see, with its status, its challenge and its type.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use farebox::signer::{PrivateKey, Signer};
use farebox_verifier::token::{TokenText, narrow};
use farebox_verifier::{
    Action, Audience, Caveat, Grant, Pointer, Proof, RequestDigest, Resource, SpendError,
    UnixSeconds, Window,
};

use super::fixture::{Api, NOW, PARAMS, TRANSFERS, grant, transfer};
use super::http::{Call, Reply};

/// An API of one route, and how often its action ran.
async fn api() -> (Api, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let api = Api::serve(|gate| {
        let handler = move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            StatusCode::CREATED
        };
        let route = gate.action("payments.transfer").on("account/{id}").json();
        Router::new().route(TRANSFERS, route.post(handler))
    })
    .await;
    (api, runs)
}

fn changed(change: impl FnOnce(&mut Grant)) -> Grant {
    let mut grant = grant(PARAMS);
    change(&mut grant);
    grant
}

fn at_most(amount: i64) -> Caveat {
    Caveat::IntAtMost(Pointer::parse("/amount").unwrap(), amount)
}

fn window(minted: u64) -> Window {
    Window::minted(UnixSeconds(minted), 60).unwrap()
}

/// A holder's proof for the transfer of most tests.
fn proof(token: &TokenText, holder: &PrivateKey, at: UnixSeconds) -> Proof {
    let grant = grant(PARAMS);
    let (action, audience) = (&grant.action, &grant.audience);
    let request = RequestDigest::of(action, &grant.resource, audience, grant.params, None);
    let sign = |message: &[u8]| holder.sign(message);
    Proof::make(token, audience, &request, (holder.public(), at), sign).unwrap()
}

fn check(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.refused(), (status, code.into()));
    assert_eq!(reply.problem("type"), format!("/problems/{code}"));
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{code}");
    let challenge = match (status, code) {
        (401, "unauthenticated") => Some("Bearer"),
        (401, _) => Some("Bearer error=\"invalid_token\""),
        _ => None,
    };
    assert_eq!(reply.header("www-authenticate"), challenge, "{code}");
}

#[tokio::test]
async fn a_token_that_does_not_cover_the_request_is_refused_and_not_spent() {
    let (api, runs) = api().await;
    let holder = PrivateKey::generate().unwrap();
    let stranger = Signer::new(8, PrivateKey::generate().unwrap());
    let impostor = Signer::new(7, PrivateKey::generate().unwrap());
    let mint = |change: fn(&mut Grant)| api.mint(&changed(change));
    let bound = api.mint(&changed(|grant| grant.holder = Some(holder.public())));
    let table = [
        (TokenText::unread("x"), 401, "bad-token"),
        (TokenText::unread("AAAA"), 401, "bad-token"),
        (impostor.mint(&grant(PARAMS)).unwrap(), 401, "bad-token"),
        (stranger.mint(&grant(PARAMS)).unwrap(), 401, "unknown-key"),
        (mint(|grant| grant.window = window(NOW.0 - 60)), 401, "expired"),
        (mint(|grant| grant.window = window(NOW.0 + 31)), 401, "not-yet-valid"),
        (
            mint(|grant| grant.audience = Audience::parse("other-api").unwrap()),
            403,
            "wrong-audience",
        ),
        (
            mint(|grant| grant.action = Action::parse("payments.refund").unwrap()),
            403,
            "wrong-action",
        ),
        (
            mint(|grant| grant.resource = Resource::parse("account/43").unwrap()),
            403,
            "wrong-resource",
        ),
        (api.mint(&grant(r#"{"amount": 4001, "to": "acme"}"#)), 403, "wrong-params"),
        (bound, 401, "holder-proof-missing"),
        (mint(|grant| grant.caveats.push(at_most(3999))), 403, "caveat-failed"),
        (narrow(&api.token(), &[at_most(3999)]).unwrap(), 403, "caveat-failed"),
    ];
    for (token, status, code) in table {
        check(&api.transfer(&token).await, status, code);
    }
    let empty = Call::post("/accounts/42/transfers").json(PARAMS).header("farebox-token", "");
    check(&api.send(empty).await, 401, "bad-token");
    assert_eq!((api.store.spent(), runs.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_use_that_the_store_does_not_give_runs_nothing() {
    let (api, runs) = api().await;
    let first_spent = NOW;
    let table = [
        (vec![SpendError::AlreadySpent { first_spent }], 401, "already-spent"),
        (vec![SpendError::Revoked], 401, "revoked"),
        (vec![SpendError::Expired { now: NOW }], 401, "expired"),
        (vec![SpendError::UnknownGrant], 401, "unknown-grant"),
        (vec![SpendError::Fenced], 401, "fenced"),
        (vec![SpendError::PredecessorUnsettled], 409, "predecessor-unsettled"),
        (vec![SpendError::Down], 503, "store-down"),
        (vec![SpendError::InDoubt; 3], 503, "store-down"),
    ];
    for (errors, status, code) in table {
        api.store.refuse(errors);
        check(&api.transfer(&api.token()).await, status, code);
    }
    let revoked = grant(PARAMS);
    api.store.memory().revoke(revoked.id);
    check(&api.transfer(&api.mint(&revoked)).await, 401, "revoked");
    assert_eq!((api.store.spent(), runs.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let (api, runs) = api().await;
    api.store.refuse([SpendError::InDoubt, SpendError::InDoubt]);
    assert_eq!(api.transfer(&api.token()).await.status, 201);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_bound_token_needs_its_holders_proof() {
    let (api, runs) = api().await;
    let holder = PrivateKey::generate().unwrap();
    let token = api.mint(&changed(|grant| grant.holder = Some(holder.public())));
    let with = |proof: String| transfer(&token).header("farebox-proof", &proof);
    let stale = proof(&token, &holder, UnixSeconds(NOW.0 - 31)).to_string();
    check(&api.send(with(stale)).await, 401, "holder-proof-invalid");
    let of_another = proof(&api.token(), &holder, NOW).to_string();
    check(&api.send(with(of_another)).await, 401, "holder-proof-invalid");
    let stranger = proof(&token, &PrivateKey::generate().unwrap(), NOW).to_string();
    check(&api.send(with(stranger.clone())).await, 401, "holder-proof-missing");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    let good = proof(&token, &holder, NOW).to_string();
    let call = with(stranger).header("farebox-proof", &good);
    assert_eq!(api.send(call).await.status, 201);
}

#[tokio::test]
async fn proofs_that_cannot_be_read_or_are_too_many_are_refused() {
    let (api, _) = api().await;
    let token = api.token();
    let good = proof(&token, &PrivateKey::generate().unwrap(), NOW).to_string();
    let with = |proof: &str, times: usize| {
        (0..times).fold(transfer(&token), |call, _| call.header("farebox-proof", proof))
    };
    for call in [with("x", 1), with("", 1), with(&format!("{good}, {good}"), 1), with(&good, 5)] {
        check(&api.send(call).await, 400, "bad-request");
    }
    assert_eq!(api.store.spent(), 0);
    assert_eq!(api.send(with(&good, 4)).await.status, 201);
}

#[tokio::test]
async fn a_request_without_a_token_is_told_the_scheme() {
    let (api, _) = api().await;
    let call = || Call::post("/accounts/42/transfers").json(PARAMS);
    check(&api.send(call()).await, 401, "unauthenticated");
    for value in ["Basic dXNlcjpwYXNz", "Bearer", ""] {
        let reply = api.send(call().header("authorization", value)).await;
        check(&reply, 401, "unauthenticated");
    }
}

#[tokio::test]
async fn two_tokens_in_headers_of_one_kind_are_refused() {
    let (api, _) = api().await;
    let (a, b) = (api.token(), api.token());
    let own = |call: Call, token: &TokenText| call.header("farebox-token", token.expose());
    let call = || Call::post("/accounts/42/transfers").json(PARAMS);
    check(&api.send(transfer(&a).bearer(&b)).await, 400, "bad-request");
    check(&api.send(own(own(call(), &a), &a)).await, 400, "bad-request");
    let basic = transfer(&a).header("authorization", "Basic x");
    check(&api.send(basic).await, 400, "bad-request");
    assert_eq!(api.store.spent(), 0);
    // One of each kind: the gate's own header is the one that counts.
    let both = own(transfer(&TokenText::unread("another layer's")), &a);
    assert_eq!(api.send(both).await.status, 201);
}

#[tokio::test]
async fn the_type_of_a_problem_is_an_address_where_one_is_given() {
    let api = Api::serve_with(
        |gate| gate.problems_at("https://farebox.example.com/"),
        |gate| {
            let route = gate.action("payments.transfer").on("account/{id}").json();
            Router::new().route(TRANSFERS, route.post(|| async {}))
        },
    )
    .await;
    let reply = api.transfer(&TokenText::unread("x")).await;
    assert_eq!(reply.problem("type"), "https://farebox.example.com/problems/bad-token");
}

#[tokio::test]
async fn a_refusal_says_no_more_than_its_code() {
    let (api, _) = api().await;
    let token = api.mint(&changed(|grant| grant.caveats.push(at_most(3999))));
    let text = api.transfer(&token).await.text().to_owned();
    let want = r#"{"type":"/problems/caveat-failed","title":"A caveat of the token does not hold for this request.","status":403,"code":"caveat-failed"}"#;
    assert_eq!(text, want);
}

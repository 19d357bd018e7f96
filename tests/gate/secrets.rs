//! What must never show: tokens, proofs, attempts and parameters, in no event and no `Debug`.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use farebox::signer::PrivateKey;
use farebox_verifier::gate::Measures;
use farebox_verifier::token::TokenText;
use farebox_verifier::{
    Caveat, Grant, GrantId, OutputName, Presented, Proof, RequestDigest, SpendError, Spent,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tracing_subscriber::fmt::format::FmtSpan;

use super::fixture::{Api, NOW, TRANSFERS, grant};
use super::http::{Call, Reply};

/// A parameter that nobody but the handler may see.
const SECRET: &str = "zXsecretXz";

thread_local! {
    /// What this thread says, and so what this test says: its tasks run on no other thread.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Begins to write down all that is said. For all threads: a subscriber of one thread would miss what
    /// another thread was the first to pass by.
    fn begin() -> Log {
        static BEGIN: Once = Once::new();
        BEGIN.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_span_events(FmtSpan::FULL)
                .with_ansi(false)
                .with_writer(|| Log)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        Log
    }

    fn text(&self) -> String {
        LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap())
    }
}

async fn api() -> Api {
    async fn hangs(_spent: Spent) {
        std::future::pending().await
    }
    async fn panics() {
        panic!("as a handler does")
    }
    async fn shows(spent: Spent) -> (Measures, String) {
        (Measures::new().text("classification", SECRET), format!("{spent:?} {SECRET}"))
    }
    Api::serve_with(
        |gate| gate.settle_within(Duration::from_millis(10)),
        |gate| {
            let on = || gate.action("payments.transfer").on("account/{id}");
            let route = || on().json().query();
            Router::new()
                .route(TRANSFERS, route().post(shows))
                .route("/fails/{id}", route().post(|| async { StatusCode::NOT_FOUND }))
                .route("/panics/{id}", route().post(panics))
                .route("/hangs/{id}", route().run_within(Duration::from_millis(10)).post(hangs))
                .route("/wrong/{other}", route().post(|| async {}))
                .route("/shape/{id}", on().json_as::<u8>().query().post(|| async {}))
        },
    )
    .await
}

/// A body and a query that hold the secret, and the parameters that they make.
fn sent() -> (String, String, String) {
    let body = format!(r#"{{"password":"{SECRET}","{SECRET}":1}}"#);
    let params = format!(r#"{{"body":{body},"query":{{"key":"{SECRET}"}}}}"#);
    (body, format!("?key={SECRET}"), params)
}

#[tokio::test]
async fn nothing_secret_is_logged_whatever_is_sent() {
    let log = Log::begin();
    let api = api().await;
    let (body, query, params) = sent();
    let holder = PrivateKey::generate().unwrap();
    let (mut tokens, mut proofs) = (Vec::new(), Vec::new());
    for path in
        ["/accounts/42/transfers", "/fails/42", "/panics/42", "/hangs/42", "/wrong/42", "/shape/42"]
    {
        for grant in grants(&params, &holder) {
            let token = api.mint(&grant);
            let proof = prove(&token, &holder, &params).to_string();
            let call = Call::post(&format!("{path}{query}")).json(&body).bearer(&token);
            let proved = call.clone().header("farebox-proof", &proof);
            let doubled = format!("{0}{0}", token.expose());
            let hostile = proved.clone().header("farebox-token", &doubled);
            cut(&api, &proved).await;
            for call in [call, proved.clone(), proved, hostile.clone(), hostile.bearer(&token)] {
                api.send(call).await;
            }
            tokens.push(token);
            proofs.push(proof);
        }
    }
    let call = Call::post(&format!("/accounts/42/transfers{query}"));
    let call = || call.clone().bearer(&api.mint(&grant(&params)));
    api.store.refuse([SpendError::Fenced]);
    api.send(call().json(&body)).await;
    api.send(call().json(&format!("{body},"))).await;
    api.store.fall_deaf();
    api.send(call().json(&body)).await;
    api.gate.stop(Duration::from_millis(10)).await;
    api.send(call().json(&body)).await;
    check(&api, &log.text(), &tokens, &proofs);
}

/// A free one, one that is bound to a holder, one for other parameters, one that the result breaks.
fn grants(params: &str, holder: &PrivateKey) -> [Grant; 4] {
    let breaks = Caveat::OutputMax(OutputName::parse("classification").unwrap(), 1);
    [
        grant(params),
        Grant { holder: Some(holder.public()), ..grant(params) },
        grant(r#"{"other":1}"#),
        Grant { caveats: vec![breaks], ..grant(params) },
    ]
}

/// Sends all of a call but its end.
async fn cut(api: &Api, call: &Call) {
    let bytes = call.bytes();
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(&bytes[..bytes.len() - 3]).await.unwrap();
    stream.shutdown().await.unwrap();
    let _replies = Reply::read_all(&mut stream).await;
}

fn prove(token: &TokenText, holder: &PrivateKey, params: &str) -> Proof {
    let grant = grant(params);
    let (action, audience) = (&grant.action, &grant.audience);
    let request = RequestDigest::of(action, &grant.resource, audience, grant.params, None);
    let sign = |message: &[u8]| holder.sign(message);
    Proof::make(token, audience, &request, (holder.public(), NOW), sign).unwrap()
}

fn check(api: &Api, log: &str, tokens: &[TokenText], proofs: &[String]) {
    // The events are there, and say whom they are about.
    for word in [
        "payments.transfer",
        "spiffe://acme/agents/billing",
        "refused: token is for other parameters",
        "refused: grant belongs to a life of the store that is over",
        "ended: action panicked",
        "ended: action did not end in time",
        "ended: route captures other values than its action names",
        "output-refused",
        "settled",
        "settling goes on",
        "not settled: this API stopped while the grant store did not answer",
        "this API is stopping",
    ] {
        assert!(log.contains(word), "{word} in {log}");
    }
    assert!(!log.contains(SECRET));
    for token in tokens {
        // Neither the whole nor a part that would help: the last third holds the signatures.
        let text = token.expose();
        assert!(!log.contains(&text[text.len() / 3 * 2..]));
    }
    for proof in proofs {
        assert!(!log.contains(proof.rsplit('.').next().unwrap()));
    }
    let attempts = api.store.heard().attempts;
    assert!(!attempts.is_empty());
    for attempt in attempts {
        let hex: String = attempt.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!log.to_lowercase().contains(&hex) && !log.contains(&format!("{attempt:?}")));
    }
}

#[tokio::test]
async fn nothing_secret_stands_in_debug() {
    let api = api().await;
    let (body, query, params) = sent();
    let grant = grant(&params);
    let token = api.mint(&grant);
    let call = Call::post(&format!("/accounts/42/transfers{query}")).json(&body).bearer(&token);
    let reply = api.send(call).await;
    assert_eq!(reply.text(), format!("Spent({}) {SECRET}", grant.id));
    let presented = Presented::read(token.expose()).unwrap();
    let on = api.gate.action("payments.transfer");
    let shown = [
        (format!("{token:?}"), "TokenText(secret)".to_owned()),
        (format!("{presented:?}"), format!("Presented({})", grant.id)),
        (format!("{:?}", api.gate), "Gate(payments-api)".to_owned()),
        (format!("{on:?}"), "ActionOn(payments.transfer)".to_owned()),
        (format!("{:?}", on.on("account/{id}")), "Route(payments.transfer)".to_owned()),
    ];
    for (debug, want) in shown {
        assert_eq!(debug, want);
    }
}

#[tokio::test]
async fn an_event_names_nobody_before_a_signature_holds() {
    let log = Log::begin();
    let api = api().await;
    let (body, query, params) = sent();
    let mut forged = grant(&params);
    forged.id = GrantId::from_bytes([0xab; 16]);
    let forger = farebox::signer::Signer::new(7, PrivateKey::generate().unwrap());
    let token = forger.mint(&forged).unwrap();
    let call = Call::post(&format!("/fails/42{query}")).json(&body).bearer(&token);
    assert_eq!(api.send(call).await.status, 401);
    let log = log.text();
    assert!(log.contains("bad-token") && log.contains("payments.transfer"));
    assert!(!log.contains("spiffe://acme") && !log.contains(&"ab".repeat(16)));
}

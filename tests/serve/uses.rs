//! Uses over HTTP: what a thief, another API and a wrong request get.

use serde_json::json;

use super::scene::{Scene, presented, transfer};

fn minted(scene: &Scene, agent: &str) -> String {
    let minted = scene.call("POST", "/v1/grants", agent, Some(&transfer(7)));
    assert_eq!(minted.status, 201, "{}", minted.body);
    minted.text("token")
}

#[test]
fn a_token_fits_one_request_of_one_api() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let token = minted(&scene, &agent);
    let other = scene.caller("other-api", &["--role", "spend", "--spends-for", "ledger-api"]);
    let spend = |key: &str, body: &serde_json::Value| {
        let reply = scene.call("POST", "/v1/spend", key, Some(body));
        (reply.status, reply.code())
    };
    let good = presented(&token, 7, "a");
    let changed = |name: &str, value: serde_json::Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    // An API cannot spend what is another's, whatever it says it is.
    assert_eq!(spend(&other, &good), (403, "forbidden".into()));
    let theirs = changed("audience", json!("ledger-api"));
    assert_eq!(spend(&other, &theirs), (403, "wrong-audience".into()));
    assert_eq!(spend(&agent, &good), (403, "forbidden".into()));
    assert_eq!(
        spend(&api, &changed("action", json!("payments.wire"))),
        (403, "wrong-action".into())
    );
    assert_eq!(
        spend(&api, &changed("resource", json!("account/43"))),
        (403, "wrong-resource".into())
    );
    assert_eq!(spend(&api, &presented(&token, 8, "a")), (403, "wrong-params".into()));
    let mut flipped = token.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    assert_eq!(spend(&api, &presented(&flipped, 7, "a")), (401, "bad-token".into()));
    assert_eq!(spend(&api, &good).0, 200);
}

#[test]
fn of_many_at_once_one_spends() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let token = minted(&scene, &agent);
    let spent = std::thread::scope(|scope| {
        let (scene, api, token) = (&scene, &api, &token);
        let callers: Vec<_> = (0..32)
            .map(|n| {
                scope.spawn(move || {
                    let body = presented(token, 7, &format!("attempt-{n}"));
                    scene.call("POST", "/v1/spend", api, Some(&body)).status
                })
            })
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .filter(|status| *status == 200)
            .count()
    });
    assert_eq!(spent, 1);
}

#[test]
fn another_apis_same_attempt_is_another_attempt() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let twin = scene.caller("twin", &["--role", "spend", "--spends-for", "payments-api"]);
    let token = minted(&scene, &agent);
    let body = presented(&token, 7, "same");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).status, 200);
    let stolen = scene.call("POST", "/v1/spend", &twin, Some(&body));
    assert_eq!((stolen.status, stolen.code()), (401, "already-spent".into()));
}

#[test]
fn a_digest_is_enough_where_nothing_varies() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let token = minted(&scene, &agent);
    let params = farebox_verifier::Params::parse(br#"{"amount":7,"to":"acme"}"#).unwrap();
    let mut body = presented(&token, 7, "a");
    body["params_sha256"] = json!(params.digest().to_string());
    let both = scene.call("POST", "/v1/spend", &api, Some(&body));
    assert_eq!((both.status, both.code()), (400, "bad-request".into()));
    body.as_object_mut().unwrap().remove("params");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).status, 200);
}

#[test]
fn a_token_verifies_offline_with_the_published_keys() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let token = minted(&scene, &agent);
    let keys = scene.call_with("GET", "/.well-known/farebox-keys", &[], None).json();
    let key = &keys["keys"][0];
    assert_eq!((key["state"].clone(), key["id"].clone()), (json!("signing"), json!(1)));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("issuers")).unwrap();
    std::fs::write(folder.path().join("issuers/1.pem"), key["pem"].as_str().unwrap()).unwrap();
    let output = super::scene::farebox()
        .args(["token", "verify", "--keys"])
        .arg(folder.path())
        .args(["--action", "payments.transfer", "--resource", "account/42"])
        .args(["--audience", "payments-api", "--params", r#"{"amount":7,"to":"acme"}"#])
        .arg(&token)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

//! People: those who sign with keys of their own, and those who use the command line.

use farebox::jws;
use farebox::signer::PrivateKey;
use serde_json::{Value, json};

use super::approvals::Office;
use super::scene::{farebox, until};

#[test]
fn an_approver_with_a_key_of_its_own_counts_by_what_it_signed_alone() {
    let office = Office::new();
    let (key, stranger) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let public = key.public().to_string();
    let flags =
        ["--role", "approve", "--group", "finance", "--owner", "dan", "--decision-key", &public];
    let dan = office.scene.caller("dan", &flags);
    let (grant, other) = (office.asks(7), office.asks(8));
    let statement = |grant: &str, decision: &str| {
        let item = office.scene.call("GET", &format!("/v1/approvals/{grant}"), &dan, None).json();
        let end = time::OffsetDateTime::parse(
            item["expires_at"].as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        );
        json!({
            "grant": grant, "request": item["request_sha256"], "agent": item["agent"],
            "policy": item["policy"], "group": "finance", "approver": "key:dan",
            "decision": decision, "exp": end.unwrap().unix_timestamp(),
        })
    };
    let sent = |signature: Option<String>| {
        let mut body = json!({ "decision": "approve", "reason": "checked" });
        if let Some(signature) = signature {
            body["signature"] = json!(signature);
        }
        office.scene.call("POST", &format!("/v1/approvals/{grant}/decisions"), &dan, Some(&body))
    };
    let signed = |statement: &Value, key: &PrivateKey| {
        jws::sign(farebox::approval::TYPE, "key:dan", statement, |message| key.sign(message))
    };
    assert_eq!(sent(None).code(), "forbidden", "its API key alone approves nothing");
    let good = statement(&grant, "approve");
    assert_eq!(sent(Some(signed(&good, &stranger))).code(), "bad-request");
    assert_eq!(sent(Some(signed(&statement(&other, "approve"), &key))).code(), "bad-request");
    assert_eq!(sent(Some(signed(&statement(&grant, "refuse"), &key))).code(), "bad-request");
    assert_eq!(sent(Some(signed(&good, &key))).status, 200);
    assert_eq!(office.says(&office.people[0], &grant, "approve").text("state"), "approved");
    assert_eq!(office.collects(&grant).status, 201);
    // A key that was taken away since approves nothing: nobody signs for it in its place.
    let waiting = statement(&other, "approve");
    let body =
        json!({ "decision": "approve", "reason": "checked", "signature": signed(&waiting, &key) });
    let path = format!("/v1/approvals/{other}/decisions");
    assert_eq!(office.scene.call("POST", &path, &dan, Some(&body)).status, 200);
    assert_eq!(office.says(&office.people[0], &other, "approve").text("state"), "approved");
    let file = office.scene.data().join("callers/dan.json");
    let mut account: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(account.as_object_mut().unwrap().remove("decision_key").is_some());
    std::fs::write(&file, account.to_string()).unwrap();
    office.scene.reload();
    until(|| office.says(&dan, &office.asks(9), "approve").status == 200);
    let refused = office.collects(&other);
    assert!(refused.text("detail").contains("approval-needed: 1 of 2"), "{}", refused.body);
}

#[test]
fn people_decide_and_agents_collect_on_the_command_line() {
    let office = Office::new();
    let keys = office.scene.data().join("../people");
    let made = farebox().args(["keys", "new", "--third-party", "dan", "--dir"]).arg(&keys).output();
    assert!(made.unwrap().status.success());
    let public = std::fs::read_to_string(keys.join("third-parties/dan.pem")).unwrap();
    let public = farebox_verifier::keys::parse(&public, farebox_verifier::keys::KeyFormat::Pem);
    let public = public.unwrap().to_string();
    let flags =
        ["--role", "approve", "--group", "finance", "--owner", "dan", "--decision-key", &public];
    let dan = office.scene.caller("dan", &flags);
    let run = |key: &str, arguments: &[&str]| {
        let output = office.scene.runs(key, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap(), said, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mint = ["grant", "mint", "--action", "payments.wire", "--resource", "account/42"];
    let params = r#"{"amount":900}"#;
    let mint = [&mint[..], &["--audience", "payments-api", "--params", params, "--json"]].concat();
    let (code, said, _) = run(&office.agent, &mint);
    let asked: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &asked["state"]), (1, &json!("pending")), "{said}");
    let grant = asked["grant"].as_str().unwrap();

    let (_, queue, _) = run(&office.people[0], &["approval", "list"]);
    assert!(queue.contains(grant) && queue.contains("payments.wire"), "{queue}");
    let (_, shown, _) = run(&office.people[0], &["approval", "show", grant]);
    assert!(shown.contains("\"amount\": 900") && shown.contains("2 of finance"), "{shown}");
    let approve = ["approval", "approve", grant, "--reason", "as agreed"];
    assert_eq!(run(&office.people[0], &approve).0, 0);
    assert_eq!(run(&dan, &approve).0, 1, "dan signs with a key of his own");
    let private = keys.join("private/third-parties/dan.pem");
    let digest = shown.lines().find_map(|line| line.trim().strip_prefix("digest")).unwrap().trim();
    let signs = [
        "--digest",
        digest,
        "--as",
        "key:dan",
        "--group",
        "finance",
        "--key",
        private.to_str().unwrap(),
    ];
    let (code, _, said) = run(&dan, &[&approve[..], &signs].concat());
    assert_eq!(code, 0, "{said}");

    let (code, token, said) = run(&office.agent, &["grant", "token", grant, "--wait", "20"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(office.spends(token.trim(), 900, "a").status, 200);
    assert_eq!(run(&office.people[0], &["approval", "withdraw", grant]).0, 0);
}

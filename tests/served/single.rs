//! One server: a grant's whole life over HTTP, and what a restart of the server does to it.

use std::time::Duration;

use serde_json::json;

use super::ground::Ground;

#[test]
fn a_grant_has_one_use_on_a_server_too() {
    let ground = Ground::new("single", 1);
    let (grant, token) = ground.mint();
    assert_eq!(ground.spent(&token, "one"), "spent");
    assert_eq!(ground.spent(&token, "one"), "repeat");
    assert_eq!(ground.spent(&token, "two"), "already-spent");
    assert_eq!(ground.settle(&grant, "two", "succeeded").status, 403);
    assert_eq!(ground.settle(&grant, "one", "succeeded").status, 200);
    assert_eq!(ground.settle(&grant, "one", "failed").code(), "idempotency-conflict");
    assert_eq!(ground.spent(&token, "one"), "already-spent");
    let shown = ground.issuer.admin("GET", &format!("/v1/grants/{grant}"), None);
    assert_eq!(shown.text("state"), "succeeded", "{}", shown.body);
    crate::scene::until(|| ground.recorded("settled").contains(&grant));
    for kind in ["requested", "issued", "spent", "replayed"] {
        assert!(ground.recorded(kind).contains(&grant), "{kind}");
    }
    ground.record_is_whole();
}

#[test]
fn a_revoked_agents_tokens_are_dead_and_no_other() {
    let ground = Ground::new("single", 1);
    let other = ground.issuer.caller("other", &["--role", "mint"]);
    let (_, dead) = ground.mint();
    let body = crate::scene::transfer(7);
    let spared = ground.issuer.call("POST", "/v1/grants", &other, Some(&body)).text("token");
    let revoked = ground.revoke_agent();
    assert_eq!((&revoked["revoked"], &revoked["unreached"]), (&json!(1), &json!([])));
    assert_eq!(ground.spent(&dead, "a"), "revoked");
    assert_eq!(ground.spent(&spared, "a"), "spent");
}

#[test]
fn what_other_policies_granted_is_asked_again() {
    let ground = Ground::new("single", 1);
    let (_, token) = ground.mint();
    let folder = ground.issuer.policies();
    std::fs::write(folder.join("all.datalog"), "allow if action(\"payments.transfer\");\n")
        .unwrap();
    // It is found without being told of.
    crate::scene::until(|| ground.refund() == "denied");
    assert_eq!(ground.spent(&token, "a"), "revoked");
    let (_, fresh) = ground.mint();
    assert_eq!(ground.spent(&fresh, "a"), "spent");
    std::fs::write(folder.join("all.datalog"), "allow if action(\n").unwrap();
    let refused = "farebox_policy_reloads_total{result=\"refused\"} 1";
    let numbers = || ground.issuer.call_with("GET", "/metrics", &[], None).body;
    crate::scene::until(|| numbers().contains(refused));
    let (_, still) = ground.mint();
    assert_eq!(ground.spent(&still, "a"), "spent");
}

#[test]
fn what_a_server_knew_before_it_was_killed_is_fenced() {
    let ground = Ground::new("single", 1);
    let unspent = ground.ask(Some("unspent"), 7);
    let (grant, spent) = ground.mint();
    assert_eq!(ground.spent(&spent, "one"), "spent");
    assert_eq!((ground.refund(), ground.refund()), ("granted".into(), "granted".into()));

    ground.servers[0].kill();
    ground.servers[0].restart();
    // The server has every byte that it acknowledged, and nobody believes them.
    for (token, attempt) in [(&unspent.text("token"), "a"), (&spent, "one"), (&spent, "two")] {
        assert_eq!(ground.spent_at_last(token, attempt), "fenced", "{attempt}");
    }
    let took = ground.recovers();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let again = ground.ask(Some("unspent"), 7);
    // Whether the old life is over, or away behind a cut wire, its ledger knows later; no token comes of it.
    assert!([409, 503].contains(&again.status), "{}", again.body);
    assert!(["fenced", "store-down"].contains(&&*again.code()), "{}", again.body);
    assert_eq!(ground.settle(&grant, "one", "succeeded").code(), "fenced");
    let (_, fresh) = ground.mint();
    assert_eq!(ground.spent(&fresh, "a"), "spent");
    assert_eq!(ground.spent(&fresh, "b"), "already-spent");
    // What was granted before counts, though the server that counted it has forgotten.
    crate::scene::until(|| ground.refund() == "granted");
    assert_eq!(ground.refund(), "over-budget");
    ground.record_is_whole();
}

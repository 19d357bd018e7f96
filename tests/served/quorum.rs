//! Two of three: one server may go and come back, and nobody notices; two may not, and then nothing is granted.

use serde_json::json;

use super::ground::Ground;

#[test]
fn one_dead_server_of_three_costs_nothing() {
    let ground = Ground::new("quorum", 3);
    let ((_, before), (grant, used)) = (ground.mint(), ground.mint());
    assert_eq!(ground.spent(&used, "one"), "spent");
    ground.servers[2].kill();
    let (_, during) = ground.mint();
    assert_eq!(ground.spent(&used, "two"), "already-spent");
    assert_eq!(ground.spent(&before, "a"), "spent");
    assert_eq!(ground.spent(&before, "b"), "already-spent");
    assert_eq!(ground.settle(&grant, "one", "succeeded").status, 200);
    ground.servers[2].restart();
    // One that has forgotten is outvoted, in both directions.
    assert_eq!(ground.spent(&during, "a"), "spent");
    for token in [&used, &before, &during] {
        assert_eq!(ground.spent(token, "again"), "already-spent");
    }
    ground.recovers();
    ground.record_is_whole();
}

#[test]
fn without_a_majority_nothing_is_granted_and_what_was_is_fenced() {
    let ground = Ground::new("quorum", 3);
    let ((_, unspent), (_, used)) = (ground.mint(), ground.mint());
    assert_eq!(ground.spent(&used, "one"), "spent");
    let [first, second, _] = ground.servers.as_slice() else { panic!("three servers") };
    first.kill();
    second.kill();
    assert_eq!(ground.ask(None, 7).code(), "store-down");
    assert_eq!(ground.spent(&unspent, "a"), "store-down");
    first.restart();
    second.restart();
    ground.recovers();
    for (token, attempt) in [(&unspent, "a"), (&unspent, "b"), (&used, "one"), (&used, "two")] {
        let refused = ground.spent_at_last(token, attempt);
        assert!(["fenced", "already-spent"].contains(&refused.as_str()), "{attempt} {refused}");
    }
    let (_, fresh) = ground.mint();
    assert_eq!(ground.spent_at_last(&fresh, "a"), "spent");
    assert_eq!(ground.spent(&fresh, "b"), "already-spent");
    ground.record_is_whole();
}

#[test]
fn a_revocation_holds_with_one_server_away_and_the_killed_issuer_knows_it() {
    let mut ground = Ground::new("quorum", 3);
    let (_, token) = ground.mint();
    let other = ground.issuer.caller("other", &["--role", "mint"]);
    let bearer = format!("Bearer {other}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "kept")];
    let ask = |issuer: &crate::scene::Scene| {
        issuer.call_with("POST", "/v1/grants", &headers, Some(&crate::scene::transfer(7)))
    };
    let spared = ask(&ground.issuer).text("token");
    ground.servers[1].kill();
    let revoked = ground.revoke_agent();
    assert_eq!(revoked["revoked"], json!(1), "{revoked}");
    assert_eq!(ground.spent(&token, "a"), "revoked");
    ground.issuer.kill();
    ground.servers[1].restart();
    ground.issuer.start();
    assert_eq!(ground.spent(&token, "a"), "revoked");
    assert_eq!(ask(&ground.issuer).text("token"), spared);
    assert_eq!(ground.spent_at_last(&spared, "a"), "spent");
    assert_eq!(ground.spent(&spared, "b"), "already-spent");
    let (_, fresh) = ground.mint();
    assert_eq!(ground.spent(&fresh, "a"), "spent");
}

//! Requests that wait for people: asked, decided, collected, taken back.

use std::thread;

use serde_json::{Value, json};

use super::scene::{Reply, Scene, farebox, until};

/// Two of finance are asked about a wire.
pub(super) fn wire(amount: u64) -> Value {
    json!({
        "action": "payments.wire", "resource": "account/42", "audience": "payments-api",
        "params": { "amount": amount },
    })
}

/// An issuer with an agent, an API and three approvers.
pub(super) struct Office {
    pub(super) scene: Scene,
    pub(super) agent: String,
    pub(super) api: String,
    pub(super) people: Vec<String>,
}

impl Office {
    pub(super) fn new() -> Office {
        Office::configured("")
    }

    pub(super) fn configured(more: &str) -> Office {
        let scene = Scene::configured(super::scene::POLICIES, more);
        let people = ["ann", "bob", "cyd"].map(|name| {
            scene.made(name, &["--role", "approve", "--group", "finance", "--owner", name])
        });
        let (agent, api) = scene.parties();
        Office { scene, agent, api, people: people.into() }
    }

    pub(super) fn asks(&self, amount: u64) -> String {
        let asked = self.scene.call("POST", "/v1/grants", &self.agent, Some(&wire(amount)));
        assert_eq!((asked.status, asked.text("state")), (202, "pending".into()), "{}", asked.body);
        asked.text("grant")
    }

    pub(super) fn says(&self, key: &str, grant: &str, decision: &str) -> Reply {
        let body = json!({ "decision": decision, "reason": "as agreed" });
        self.scene.call("POST", &format!("/v1/approvals/{grant}/decisions"), key, Some(&body))
    }

    pub(super) fn approved(&self, amount: u64) -> String {
        let grant = self.asks(amount);
        for person in &self.people[..2] {
            assert_eq!(self.says(person, &grant, "approve").status, 200);
        }
        grant
    }

    pub(super) fn collects(&self, grant: &str) -> Reply {
        self.scene.call("POST", &format!("/v1/grants/{grant}/token"), &self.agent, None)
    }

    pub(super) fn spends(&self, token: &str, amount: u64, attempt: &str) -> Reply {
        let body = json!({
            "token": token, "action": "payments.wire", "resource": "account/42",
            "audience": "payments-api", "params": { "amount": amount }, "attempt": attempt,
        });
        self.scene.call("POST", "/v1/spend", &self.api, Some(&body))
    }

    fn withdraws(&self, key: &str, grant: &str) -> Reply {
        self.scene.call("POST", &format!("/v1/approvals/{grant}/withdraw"), key, None)
    }
}

#[test]
fn a_wire_waits_for_two_of_finance_and_is_minted_when_it_is_collected() {
    let office = Office::new();
    let grant = office.asks(900);
    let waiting = office.collects(&grant);
    assert_eq!((waiting.status, waiting.text("state")), (202, "pending".into()));
    assert_eq!(waiting.json()["missing"], json!([{ "group": "finance", "count": 2 }]));

    let queue = office.scene.call("GET", "/v1/approvals?state=pending", &office.people[0], None);
    let item = &queue.json()["items"][0];
    assert_eq!((&item["grant"], &item["requester"]), (&json!(grant), &json!("key:agent")));
    let path = format!("/v1/approvals/{grant}");
    let whole = office.scene.call("GET", &path, &office.people[0], None).json();
    assert_eq!(whole["request"]["params"]["amount"], 900, "{whole}");
    assert_eq!(office.says(&office.people[0], &grant, "approve").text("state"), "pending");
    assert_eq!(office.collects(&grant).json()["missing"][0]["count"], 1);
    assert_eq!(office.says(&office.people[1], &grant, "approve").text("state"), "approved");

    let minted = office.collects(&grant);
    assert_eq!((minted.status, minted.text("grant")), (201, grant.clone()), "{}", minted.body);
    let token = minted.text("token");
    assert_eq!(office.collects(&grant).text("token"), token, "asked again, the same bytes");
    assert_eq!(office.spends(&token, 901, "a").code(), "wrong-params");
    assert_eq!(office.spends(&token, 900, "a").status, 200);
    assert_eq!(office.spends(&token, 900, "b").code(), "already-spent");
    let over = office.collects(&grant);
    assert_eq!((over.status, over.text("state")), (200, "spent".into()), "{}", over.body);

    let path = format!("/v1/record?grant={grant}");
    let kinds = || {
        let found = office.scene.admin("GET", &path, None).json();
        let items = found["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    until(|| kinds().contains(&"replayed".to_owned()));
    for kind in ["requested", "escalated", "approved", "collected", "issued", "spent"] {
        assert!(kinds().iter().any(|found| found == kind), "{kind}: {:?}", kinds());
    }
}

#[test]
fn nobody_decides_on_what_is_its_own_under_whatever_name() {
    let scene = Scene::new();
    let flags = ["--role", "mint,approve", "--group", "finance", "--owner", "olivia"];
    let own = scene.caller("own", &flags);
    let second = scene.caller("second", &flags);
    // The person behind it, by the name of the agent itself.
    let flags = ["--role", "approve", "--group", "finance", "--owner", "key:own"];
    let behind = scene.caller("behind", &flags);
    let asked = scene.call("POST", "/v1/grants", &own, Some(&wire(1)));
    let path = format!("/v1/approvals/{}/decisions", asked.text("grant"));
    for key in [&own, &second, &behind] {
        for decision in ["approve", "refuse"] {
            let body = json!({ "decision": decision, "reason": "mine" });
            let refused = scene.call("POST", &path, key, Some(&body));
            assert_eq!((refused.status, refused.code()), (403, "forbidden".into()));
        }
    }
}

#[test]
fn a_person_counts_once_and_a_stranger_sees_nothing() {
    let office = Office::new();
    let grant = office.asks(1);
    let flags = ["--role", "approve", "--group", "finance", "--owner", "ann"];
    let second_ann = office.scene.caller("ann2", &flags);
    let sre = office.scene.caller("sam", &["--role", "approve", "--group", "sre"]);
    assert_eq!(office.says(&office.people[0], &grant, "approve").status, 200);
    // A lost answer, asked for again, and a second identity of the same person.
    assert_eq!(office.says(&office.people[0], &grant, "approve").text("state"), "pending");
    assert_eq!(office.says(&second_ann, &grant, "approve").code(), "idempotency-conflict");
    assert_eq!(office.says(&office.people[0], &grant, "refuse").code(), "idempotency-conflict");
    assert_eq!(office.says(&sre, &grant, "approve").status, 404);
    let path = format!("/v1/approvals/{grant}");
    assert_eq!(office.scene.call("GET", &path, &sre, None).status, 404);
    let other = office.scene.caller("other", &["--role", "mint"]);
    assert_eq!(office.scene.call("GET", &path, &other, None).status, 404);
    let collect = format!("/v1/grants/{grant}/token");
    assert_eq!(office.scene.call("POST", &collect, &other, None).status, 404);
    assert_eq!(office.says(&office.agent, &grant, "approve").status, 403, "no role");
    let queue = office.scene.call("GET", "/v1/approvals", &sre, None).json();
    assert_eq!(queue["items"], json!([]));
}

#[test]
fn one_refusal_ends_it_and_the_same_key_says_so() {
    let office = Office::new();
    let bearer = format!("Bearer {}", office.agent);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    let ask = || office.scene.call_with("POST", "/v1/grants", &headers, Some(&wire(5)));
    let first = ask();
    let grant = first.text("grant");
    assert_eq!(ask().text("grant"), grant, "the same request while it waits");
    assert_eq!(office.says(&office.people[0], &grant, "approve").status, 200);
    assert_eq!(office.says(&office.people[1], &grant, "refuse").text("state"), "refused");
    assert_eq!(office.says(&office.people[2], &grant, "approve").code(), "idempotency-conflict");
    assert_eq!(office.collects(&grant).code(), "approval-refused");
    let again = ask();
    assert_eq!((again.status, again.code()), (403, "approval-refused".into()), "{}", again.body);
}

#[test]
fn what_waits_too_long_is_neither_decided_nor_collected() {
    let office = Office::configured("[grants]\napproval_seconds = 4\n");
    let (undecided, approved) = (office.asks(1), office.approved(2));
    until(|| office.collects(&undecided).code() == "approval-expired");
    until(|| office.collects(&approved).code() == "approval-expired");
    let late = office.says(&office.people[0], &undecided, "approve");
    assert!(["approval-expired", "idempotency-conflict"].contains(&late.code().as_str()));
    let path = format!("/v1/grants/{undecided}");
    until(|| office.scene.call("GET", &path, &office.agent, None).text("state") == "expired");
}

#[test]
fn an_approval_that_is_taken_back_takes_its_grant_with_it() {
    let office = Office::new();
    let grant = office.approved(7);
    let token = office.collects(&grant).text("token");
    // Who has not approved has nothing to take back.
    assert_eq!(office.withdraws(&office.people[2], &grant).status, 404);
    assert_eq!(office.withdraws(&office.people[0], &grant).text("state"), "withdrawn");
    assert_eq!(office.spends(&token, 7, "a").code(), "revoked");
    assert_eq!(office.collects(&grant).code(), "revoked");

    let waiting = office.asks(8);
    assert_eq!(office.withdraws(&office.agent, &waiting).text("state"), "withdrawn");
    assert_eq!(office.says(&office.people[0], &waiting, "approve").code(), "idempotency-conflict");
    assert_eq!(office.collects(&waiting).code(), "revoked");
}

#[test]
fn an_approver_who_is_none_any_more_does_not_count() {
    let office = Office::new();
    let grant = office.approved(7);
    let retired =
        farebox().args(["caller", "retire", "ann"]).arg("--data").arg(office.scene.data()).output();
    assert!(retired.unwrap().status.success());
    until(|| office.says(&office.people[0], &grant, "approve").status == 401);
    let refused = office.collects(&grant);
    assert_eq!((refused.status, refused.code()), (403, "denied".into()), "{}", refused.body);
    assert!(refused.text("detail").contains("approval-needed: 1 of 2"), "{}", refused.body);
}

#[test]
fn other_policies_void_what_was_approved_under_the_old_ones() {
    let office = Office::new();
    let (approved, waiting) = (office.approved(7), office.asks(8));
    let file = office.scene.policies().join("all.datalog");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\ndeny if action(\"payments.none\");\n")).unwrap();
    office.scene.reload();
    until(|| office.collects(&approved).code() == "revoked");
    until(|| office.collects(&waiting).code() == "revoked");
    assert_eq!(office.says(&office.people[2], &waiting, "approve").code(), "idempotency-conflict");
    // Asked under the new ones, it is a request of its own.
    let fresh = office.approved(7);
    assert_eq!(office.collects(&fresh).status, 201);
}

#[test]
fn a_block_keeps_an_approval_from_being_collected_and_uses_none_up() {
    let office = Office::new();
    let grant = office.approved(7);
    let path = format!("/v1/approvals/{grant}");
    assert_eq!(office.scene.admin("GET", &path, None).text("state"), "approved");
    let block = json!({ "by": "agent", "value": "key:agent", "reason": "stolen" });
    assert_eq!(office.scene.admin("POST", "/v1/blocks", Some(&block)).status, 200);
    assert_eq!(office.collects(&grant).code(), "blocked");
    assert_eq!(office.scene.admin("POST", "/v1/blocks/lift", Some(&block)).status, 200);
    assert_eq!(office.collects(&grant).status, 201);
}

#[test]
fn every_selector_cancels_what_waits_and_what_was_approved() {
    let office = Office::new();
    let policy = office.asks(1);
    let item = office.scene.admin("GET", &format!("/v1/approvals/{policy}"), None);
    let selectors = [
        json!({ "by": "grant", "value": policy }),
        json!({ "by": "agent", "value": "key:agent" }),
        json!({ "by": "audience", "value": "payments-api" }),
        json!({ "by": "action", "value": "payments.wire" }),
        json!({ "by": "policy", "value": item.text("policy") }),
        json!({ "by": "all" }),
    ];
    for mut selector in selectors {
        let (waiting, approved) = (office.asks(1), office.approved(2));
        selector["reason"] = json!("stolen");
        let one = selector["by"] == "grant";
        if one {
            selector["value"] = json!(approved);
        }
        assert_eq!(office.scene.admin("POST", "/v1/revocations", Some(&selector)).status, 200);
        assert_eq!(office.collects(&approved).code(), "revoked", "{selector}");
        let other = office.collects(&waiting);
        assert_eq!(other.code(), if one { "" } else { "revoked" }, "{selector}");
    }
}

#[test]
fn forty_who_collect_at_once_get_one_token() {
    let office = Office::new();
    let grant = office.approved(7);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let each: Vec<_> = (0..40).map(|_| scope.spawn(|| office.collects(&grant))).collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let token = office.collects(&grant).text("token");
    for reply in replies {
        match reply.status {
            201 => assert_eq!(reply.text("token"), token),
            _ => assert_eq!(reply.code(), "idempotency-conflict", "{}", reply.body),
        }
    }
    assert_eq!(office.spends(&token, 7, "a").status, 200);
}

#[test]
fn who_waits_is_told_when_people_have_decided() {
    let office = Office::new();
    let grant = office.asks(7);
    let path = format!("/v1/grants/{grant}?wait_seconds=30");
    thread::scope(|scope| {
        let waits = scope.spawn(|| office.scene.call("GET", &path, &office.agent, None));
        thread::sleep(std::time::Duration::from_millis(300));
        assert!(!waits.is_finished());
        office.says(&office.people[0], &grant, "refuse");
        assert_eq!(waits.join().unwrap().text("state"), "refused");
    });
    let odd = format!("/v1/grants/{grant}?wait_seconds=31");
    assert_eq!(office.scene.call("GET", &odd, &office.agent, None).status, 400);
}

#[test]
fn killed_at_any_moment_an_approval_gives_one_grant() {
    let mut office = Office::new();
    for round in 0..6_u64 {
        let grants: Vec<String> = (0..6).map(|n| office.approved(round * 10 + n)).collect();
        let mut tokens = vec![Vec::new(); grants.len()];
        thread::scope(|scope| {
            let each: Vec<_> = grants
                .iter()
                .map(|grant| {
                    let path = format!("/v1/grants/{grant}/token");
                    let (scene, agent) = (&office.scene, &office.agent);
                    scope.spawn(move || scene.try_call(&path, agent, None, &json!({})))
                })
                .collect();
            thread::sleep(std::time::Duration::from_millis(round * 2));
            office.scene.kill_now();
            for (of, one) in tokens.iter_mut().zip(each) {
                let token = one
                    .join()
                    .unwrap()
                    .and_then(|(_, json)| json["token"].as_str().map(str::to_owned));
                of.extend(token);
            }
        });
        office.scene.kill();
        office.scene.start();
        for (n, (grant, tokens)) in (0..).zip(grants.iter().zip(&mut tokens)) {
            until(|| office.collects(grant).status != 503);
            let reply = office.collects(grant);
            tokens.extend(reply.json()["token"].as_str().map(str::to_owned));
            assert!([201, 409].contains(&reply.status), "{}", reply.body);
            let spent = tokens.iter().enumerate().filter(|(at, token)| {
                office.spends(token, round * 10 + n, &format!("a{at}")).status == 200
            });
            assert!(spent.count() <= 1, "{grant}");
        }
    }
}

//! Many at once: approvers, collectors, spenders and staff, of whom each says what is true when it is said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::approvals::Office;
use super::scene::{Scene, until};

#[test]
fn two_approvers_at_once_approve_one_request_once() {
    let office = Office::new();
    for round in 0..10 {
        let grant = office.asks(round);
        thread::scope(|scope| {
            for person in &office.people {
                let (office, grant) = (&office, &grant);
                scope.spawn(move || {
                    let said = office.says(person, grant, "approve");
                    // The third comes when nobody is missing any more.
                    assert!([200, 409].contains(&said.status), "{}", said.body);
                });
            }
        });
        let shown = office.scene.admin("GET", &format!("/v1/approvals/{grant}"), None).json();
        assert_eq!(shown["state"], "approved", "{shown}");
        assert_eq!(shown["decisions"].as_array().unwrap().len(), 2, "{shown}");
        assert_eq!(office.collects(&grant).status, 201);
    }
}

#[test]
fn once_a_revocation_is_answered_nothing_that_was_approved_is_spent() {
    let office = Office::new();
    for round in 0..10_u64 {
        let grant = office.asks(round);
        let revoked = AtomicBool::new(false);
        thread::scope(|scope| {
            let (office, grant, revoked) = (&office, &grant, &revoked);
            for person in &office.people[..2] {
                scope.spawn(move || office.says(person, grant, "approve"));
            }
            scope.spawn(move || {
                thread::sleep(std::time::Duration::from_millis(round * 3));
                let body = json!({ "by": "agent", "value": "key:agent", "reason": "stolen" });
                let answer = office.scene.admin("POST", "/v1/revocations", Some(&body));
                assert_eq!(answer.status, 200, "{}", answer.body);
                revoked.store(true, Ordering::SeqCst);
            });
            scope.spawn(move || {
                for attempt in 0..200 {
                    let late = revoked.load(Ordering::SeqCst);
                    let token = office.collects(grant).text("token");
                    if token.is_empty() {
                        if late {
                            return;
                        }
                        continue;
                    }
                    let spent = office.spends(&token, round, &format!("a{attempt}"));
                    assert!(
                        !(late && spent.status == 200),
                        "spent after the revocation: {}",
                        spent.body
                    );
                    if spent.status == 200 || late {
                        return;
                    }
                }
            });
        });
        // Whatever came first, nothing more comes of it.
        let left = office.collects(&grant);
        assert!(left.text("token").is_empty(), "{}", left.body);
    }
}

#[test]
fn two_hundred_agents_at_once_stay_within_one_budget_to_the_cent() {
    const POLICY: &str = r#"
allow if action("payments.transfer"), int("/amount", $a), $a > 0, budget("all", "acc-1", $a, 50000, 86400);
"#;
    let scene = Scene::with(POLICY);
    let agents: Vec<String> =
        (0..200).map(|n| scene.made(&format!("agent-{n}"), &["--role", "mint"])).collect();
    scene.knows(agents.last().unwrap());
    let ask = |amount: u64| {
        json!({
            "action": "payments.transfer", "resource": "account/1", "audience": "payments-api",
            "params": { "amount": amount },
        })
    };
    let granted: Vec<u64> = thread::scope(|scope| {
        let each: Vec<_> = (0..)
            .zip(&agents)
            .map(|(n, agent)| {
                let scene = &scene;
                scope.spawn(move || {
                    let amount = 400 + 7 * (n % 50);
                    let asked = scene.call("POST", "/v1/grants", agent, Some(&ask(amount)));
                    match asked.status {
                        201 => amount,
                        _ => {
                            assert_eq!(asked.code(), "over-budget", "{}", asked.body);
                            0
                        }
                    }
                })
            })
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sum: u64 = granted.iter().sum();
    assert!(sum <= 50_000, "{sum}");
    let left = 50_000 - sum;
    assert!(left < 750, "{left} is left, and nobody was granted it");
    if left > 0 {
        let last = scene.call("POST", "/v1/grants", &agents[0], Some(&ask(left)));
        assert_eq!(last.status, 201, "{}", last.body);
    }
    let over = scene.call("POST", "/v1/grants", &agents[0], Some(&ask(1)));
    assert_eq!(over.code(), "over-budget", "{}", over.body);
}

#[test]
fn a_long_queue_is_shown_a_page_at_a_time() {
    let office = Office::new();
    let asked: Vec<String> = thread::scope(|scope| {
        let each: Vec<_> = (0..8)
            .map(|hand| {
                let office = &office;
                let ask = move || (0..100).map(|n| office.asks(hand * 1000 + n)).collect();
                scope.spawn::<_, Vec<String>>(ask)
            })
            .collect();
        each.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/approvals?state=pending&limit=150{cursor}");
        let page = office.scene.call("GET", &path, &office.people[0], None).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 150);
        seen.extend(items.iter().map(|item| item["grant"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    let (mut asked, mut shown) = (asked, seen);
    asked.sort();
    shown.sort();
    assert_eq!(shown, asked);
    // All of them at once are taken back by one word.
    let body = json!({ "by": "action", "value": "payments.wire", "reason": "stopped" });
    assert_eq!(office.scene.admin("POST", "/v1/revocations", Some(&body)).status, 200);
    until(|| {
        let left = office.scene.admin("GET", "/v1/approvals?state=pending", None).json();
        left["items"] == json!([])
    });
}

//! The issuer killed, on servers that go on: what is outstanding stays good, once.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::ground::Ground;
use crate::scene::{presented, transfer};

/// How often it is killed under load.
const ROUNDS: u64 = 4;

#[test]
fn the_life_goes_on_where_the_issuer_is_killed() {
    let mut ground = Ground::new("single", 1);
    let outstanding = ground.ask(Some("outstanding"), 7);
    let (grant, spent) = ground.mint();
    let (doomed, revoked) = ground.mint();
    assert_eq!(ground.spent(&spent, "one"), "spent");
    let body = json!({ "by": "grant", "value": doomed, "reason": "a test" });
    assert_eq!(ground.issuer.admin("POST", "/v1/revocations", Some(&body)).status, 200);
    assert_eq!((ground.refund(), ground.refund()), ("granted".into(), "granted".into()));

    ground.issuer.kill();
    ground.issuer.start();

    let again = ground.ask(Some("outstanding"), 7);
    assert_eq!((again.status, again.text("token")), (201, outstanding.text("token")));
    assert_eq!(ground.ask(Some("outstanding"), 8).code(), "idempotency-conflict");
    assert_eq!(ground.spent(&outstanding.text("token"), "a"), "spent");
    assert_eq!(ground.spent(&outstanding.text("token"), "b"), "already-spent");
    assert_eq!(ground.spent(&spent, "two"), "already-spent");
    assert_eq!(ground.spent(&revoked, "a"), "revoked");
    assert_eq!(ground.settle(&grant, "one", "succeeded").status, 200);
    assert_eq!((ground.refund(), ground.refund()), ("granted".into(), "over-budget".into()));
    ground.record_is_whole();
}

/// What callers were told while the issuer was killed under them.
#[derive(Default)]
struct Told {
    /// By Idempotency-Key: the grant and its token.
    tokens: Mutex<HashMap<String, (String, String)>>,
    spent: Mutex<HashSet<String>>,
    refunds: AtomicU64,
}

#[test]
fn killed_under_load_it_forgets_nothing_and_fences_nothing() {
    let mut ground = Ground::new("single", 1);
    let told = Told::default();
    for round in 0..ROUNDS {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..3 {
                let (ground, told, stop) = (&ground, &told, &stop);
                let name = format!("{round}-{worker}");
                scope.spawn(move || work(ground, &name, stop, told));
            }
            std::thread::sleep(Duration::from_millis(120 + 53 * round));
            ground.issuer.kill_now();
            stop.store(true, Ordering::Relaxed);
        });
        ground.issuer.kill();
        ground.issuer.start();
    }
    let (tokens, spent) = (told.tokens.into_inner().unwrap(), told.spent.into_inner().unwrap());
    assert!(tokens.len() > 20, "{}", tokens.len());
    assert!(told.refunds.into_inner() <= 3);
    for (key, (grant, token)) in &tokens {
        // The same key, the same bytes, as long as the grant is unspent.
        let again = ground.ask(Some(key), 7);
        assert_eq!(again.text("grant"), *grant, "{}", again.body);
        if again.status == 201 {
            assert_eq!(again.text("token"), *token);
        }
        let late = ground.spent(token, "late");
        let expected = if again.status == 201 { "spent" } else { "already-spent" };
        assert_eq!(late, expected, "{grant}");
        assert!(!(spent.contains(grant) && late == "spent"), "{grant} was spent twice");
    }
    let issued: HashSet<String> = ground.recorded("issued").into_iter().collect();
    assert!(tokens.values().all(|(grant, _)| issued.contains(grant)));
    let uses = || ground.recorded("spent");
    crate::scene::until(|| uses().len() >= tokens.len());
    let (uses, distinct) = (uses(), uses().into_iter().collect::<HashSet<_>>());
    assert_eq!(uses.len(), distinct.len(), "an event of the journal stands in the record twice");
    ground.record_is_whole();
}

fn work(ground: &Ground, name: &str, stop: &AtomicBool, told: &Told) {
    let issuer = &ground.issuer;
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let key = format!("{name}-{turn}");
        let asked = issuer.try_call("/v1/grants", &ground.agent, Some(&key), &transfer(7));
        let Some((201, minted)) = asked else { continue };
        let (grant, token) = (text(&minted, "grant"), text(&minted, "token"));
        told.tokens.lock().unwrap().insert(key, (grant.clone(), token.clone()));
        if turn % 2 == 0 {
            let body = presented(&token, 7, "once");
            let taken = issuer.try_call("/v1/spend", &ground.api, None, &body);
            if taken.is_some_and(|(status, _)| status == 200) {
                assert!(told.spent.lock().unwrap().insert(grant));
            }
        }
        let refund = json!({
            "action": "payments.refund", "resource": "order/1", "audience": "payments-api",
        });
        let asked = issuer.try_call("/v1/grants", &ground.agent, None, &refund);
        told.refunds.fetch_add(u64::from(asked.is_some_and(|(s, _)| s == 201)), Ordering::Relaxed);
    }
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

//! Killed at random moments under load: no token without a record, no double spend, no budget passed.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{Scene, presented, run, transfer};

const ROUNDS: u64 = 12;

#[test]
fn killed_under_load_it_forgets_nothing_that_it_said() {
    let mut scene = Scene::new();
    let (agent, api) = scene.parties();
    let (tokens, spent) = (Mutex::new(HashMap::new()), Mutex::new(HashSet::new()));
    let refunds = Mutex::new(0);
    for round in 0..ROUNDS {
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (scene, agent, api, stop) = (&scene, &agent, &api, &stop);
                let (tokens, spent, refunds) = (&tokens, &spent, &refunds);
                scope.spawn(move || {
                    for turn in 0.. {
                        if stop.load(std::sync::atomic::Ordering::Relaxed) {
                            return;
                        }
                        let key = format!("{round}-{worker}-{turn}");
                        let Some(minted) = ask(scene, agent, &key, &transfer(7)) else { continue };
                        if minted.0 != 201 {
                            continue;
                        }
                        let (grant, token) = (text(&minted.1, "grant"), text(&minted.1, "token"));
                        tokens.lock().unwrap().insert(key, (grant.clone(), token.clone()));
                        let body = presented(&token, 7, "once");
                        let taken = post(scene, api, "/v1/spend", &body);
                        if taken.is_some_and(|(status, _)| status == 200) {
                            assert!(spent.lock().unwrap().insert(grant));
                        }
                        let refund = json!({
                            "action": "payments.refund", "resource": "order/1", "audience": "payments-api",
                        });
                        if post(scene, agent, "/v1/grants", &refund).is_some_and(|(status, _)| status == 201) {
                            *refunds.lock().unwrap() += 1;
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(80 + 37 * (round % 7)));
            scene.kill_now();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        scene.kill();
        scene.start();
        // Nothing that was spent is spent again, and each key gives its own token or none.
        for grant in spent.lock().unwrap().iter() {
            let known = tokens.lock().unwrap();
            let (_, token) = known.values().find(|(known, _)| known == grant).unwrap();
            let again = post(&scene, &api, "/v1/spend", &presented(token, 7, "again")).unwrap();
            assert_ne!(again.0, 200, "{grant}");
        }
    }
    assert!(tokens.lock().unwrap().len() > 20, "{}", tokens.lock().unwrap().len());
    assert!(*refunds.lock().unwrap() <= 3, "{}", refunds.lock().unwrap());
    for (key, (grant, _)) in tokens.lock().unwrap().iter().take(50) {
        let (_, again) = ask(&scene, &agent, key, &transfer(7)).unwrap();
        let (same, fenced) = (text(&again, "grant") == *grant, text(&again, "code") == "fenced");
        assert!(same || fenced, "{again}");
    }
    // Every token that left is in the record, which is whole.
    let export = scene.admin("GET", "/v1/record/export", None).body;
    let issued: HashSet<String> = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|entry| entry["kind"] == json!("issued"))
        .map(|entry| text(&entry, "grant"))
        .collect();
    assert!(tokens.lock().unwrap().values().all(|(grant, _)| issued.contains(grant)));
    let keys = scene.data().join("keys");
    let (good, said) = run(&["record", "verify", "--keys", keys.to_str().unwrap()], &scene.data());
    assert!(good, "{said}");
}

fn ask(scene: &Scene, key: &str, name: &str, body: &Value) -> Option<(u16, Value)> {
    scene.try_call("/v1/grants", key, Some(name), body)
}

fn post(scene: &Scene, key: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    scene.try_call(path, key, None, body)
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

//! What takes long holds up nobody else: an issuer of one thread shows it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::{POLICIES, Scene, transfer};

/// How long each of some calls took that ask for nothing, made while `work` is at work.
fn beside(scene: &Scene, work: impl FnOnce() + Send) -> Vec<Duration> {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        let mut took = Vec::new();
        while !working.is_finished() || took.is_empty() {
            let began = Instant::now();
            assert_eq!(scene.call_with("GET", "/healthz", &[], None).status, 200);
            took.push(began.elapsed());
            thread::sleep(Duration::from_millis(5));
        }
        took.sort_unstable();
        took
    })
}

#[test]
fn decisions_that_take_long_hold_up_no_other_call() {
    let facts: String = (0..400).map(|n| format!("n({n});\n")).collect();
    let slow = r#"
allow if action("payments.slow"), n($a), n($b), n($c), $a + $b + $c == -1;
"#;
    let scene = Scene::with(&format!("{facts}{slow}{POLICIES}")).of_one_thread();
    let (agent, _) = scene.parties();
    let mut wanted = transfer(1);
    wanted["action"] = json!("payments.slow");
    let ask = || {
        let began = Instant::now();
        let code = scene.call("POST", "/v1/grants", &agent, Some(&wanted)).code();
        assert!(["policy-error", "policy-timeout"].contains(&code.as_str()), "{code}");
        began.elapsed()
    };
    let alone = ask();
    assert!(alone > Duration::from_millis(40), "this takes long enough to tell: {alone:?}");
    let took = beside(&scene, || {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).map(|_| ask()).max());
            }
        });
    });
    let median = took[took.len() / 2];
    assert!(median < alone / 4, "half of the calls took {median:?} beside some of {alone:?}");
}

#[test]
fn reading_policies_holds_up_no_call() {
    let scene = Scene::with(POLICIES).of_one_thread();
    let folder = scene.policies();
    fs::create_dir(folder.join("data")).unwrap();
    let rows: String = (0..150_000).map(|n| format!("v{n},active\n")).collect();
    fs::write(folder.join("data/vendor.csv"), format!("vendor,state\n{rows}")).unwrap();
    let rule = "\nallow if action(\"erp.pay\"), text(\"/vendor\", $v), vendor($v, \"active\");\n";
    let began = Instant::now();
    let counted = || scene.call_with("GET", "/metrics", &[], None).body;
    let took = beside(&scene, || {
        fs::write(folder.join("all.datalog"), format!("{POLICIES}{rule}")).unwrap();
        super::scene::until(|| counted().contains("farebox_policy_reloads_total{result="));
    });
    let (reading, longest) = (began.elapsed(), took[took.len() - 1]);
    let swapped = "farebox_policy_reloads_total{result=\"swapped\"}";
    assert!(counted().contains(swapped), "{}", counted());
    assert!(longest < reading / 4, "a call took {longest:?} while {reading:?} went into reading");
}

//! `farebox bench`: what a running issuer does in a second, asked as anybody asks it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::scene::{Scene, farebox};

/// One second of two workers, who ask for what the tests' policies allow.
const TRANSFER: [&str; 8] = [
    "--action",
    "payments.transfer",
    "--resource",
    "account/42",
    "--audience",
    "payments-api",
    "--params",
    r#"{"amount":7,"to":"acme"}"#,
];
/// Three a day are allowed.
const REFUND: [&str; 8] = [
    "--action",
    "payments.refund",
    "--resource",
    "order/1",
    "--audience",
    "payments-api",
    "--params",
    "{}",
];

/// What a run said.
struct Said {
    code: i32,
    lines: Vec<Value>,
    json: Value,
    err: String,
}

impl Said {
    fn of(&self, step: &str) -> &Value {
        self.lines.iter().find(|line| line["step"] == json!(step)).unwrap()
    }

    fn done(&self, step: &str) -> u64 {
        self.of(step)["done"].as_u64().unwrap()
    }
}

/// Drives this issuer with these keys, as people would from a shell.
fn bench(scene: &Scene, keys: [Option<&str>; 2], wanted: [&str; 8], more: &[&str]) -> Said {
    let file = |name: &str, key: &str| -> PathBuf {
        let path = scene.data().join(name);
        fs::write(&path, format!("{key}\n")).unwrap();
        path
    };
    let mut command = farebox();
    command.args(["bench", "--json", "--server", &format!("http://{}", scene.address())]);
    let flags = ["--api-key-file", "--spend-key-file"];
    for (flag, key) in flags.into_iter().zip(keys).filter_map(|(flag, key)| Some((flag, key?))) {
        command.arg(flag).arg(file(flag.trim_start_matches('-'), key));
    }
    command.args(["--seconds", "1", "--concurrency", "2"]);
    let output = command.args(wanted).args(more).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    keys.into_iter().flatten().for_each(|key| assert!(!out.contains(key) && !err.contains(key)));
    let json: Value = serde_json::from_str(&out).unwrap_or_default();
    let lines = json["lines"].as_array().cloned().unwrap_or_default();
    Said { code: output.status.code().unwrap(), lines, json, err }
}

/// How many entries of this kind the record has.
fn recorded(scene: &Scene, kind: &str) -> u64 {
    let export = scene.admin("GET", "/v1/record/export", None).body;
    let entries = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    u64::try_from(entries.filter(|entry| entry["kind"] == json!(kind)).count()).unwrap()
}

#[test]
fn each_step_is_done_by_the_issuer_as_often_as_it_is_counted() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let keys = [Some(agent.as_str()), Some(api.as_str())];
    let said = bench(&scene, keys, TRANSFER, &["--idempotency-keys", "--ttl", "30"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for step in ["mint", "spend", "settle", "life"] {
        let line = said.of(step);
        assert_eq!((&line["concurrency"], &line["refused"]), (&json!(2), &json!({})), "{line}");
        assert!(line["per_second"].as_u64().unwrap() > 0, "{line}");
        let [p50, p99] = ["p50_us", "p99_us"].map(|of| line[of].as_u64().unwrap());
        assert!(0 < p50 && p50 <= p99, "{line}");
    }
    assert_eq!(said.lines.len(), 4);
    // Nothing is counted that did not take place: the record says so, with the rehearsal beside it.
    let lives = said.done("life") + 1;
    let (minted, spent) = (said.done("mint"), said.done("spend"));
    super::scene::until(|| recorded(&scene, "settled") == said.done("settle") + lives);
    assert_eq!(recorded(&scene, "issued"), minted + lives);
    assert_eq!(recorded(&scene, "spent"), spent + lives);
    assert!(said.done("settle") <= spent && spent <= minted);
}

#[test]
fn what_is_refused_is_counted_by_its_code_and_never_as_done() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let said = bench(&scene, [Some(&agent), None], REFUND, &[]);
    assert_eq!(said.code, 1, "{}", said.err);
    let line = said.of("mint");
    let over = line["refused"]["over-budget"].as_u64().unwrap();
    assert!(over > 0, "{line}");
    // The rehearsal took the first of the three.
    assert_eq!((said.done("mint"), recorded(&scene, "issued")), (2, 3), "{line}");
    assert_eq!(recorded(&scene, "refused"), over);
    assert_eq!(said.lines.len(), 1);
}

#[test]
fn whoever_may_not_is_told_before_anything_is_measured() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let other = scene.caller("other", &["--role", "spend", "--spends-for", "another-api"]);
    let cases = [
        ([Some(&api), Some(&api)], "roles"),
        ([Some(&agent), Some(&agent)], "roles"),
        ([Some(&agent), Some(&other)], "audience"),
    ];
    for (keys, why) in cases {
        let said = bench(&scene, keys.map(|key| key.map(String::as_str)), TRANSFER, &[]);
        assert_eq!((&said.json["code"], said.code), (&json!("forbidden"), 1), "{}", said.err);
        assert!(said.err.contains(why), "{}", said.err);
    }
}

#[test]
fn an_issuer_that_is_away_is_no_refusal() {
    let mut scene = Scene::new();
    let (agent, _) = scene.parties();
    scene.stop();
    let said = bench(&scene, [Some(&agent), None], TRANSFER, &[]);
    assert_eq!((&said.json["code"], said.code), (&json!("unreachable"), 3), "{}", said.err);
}

//! The record: what a running issuer writes down, and what can be proved of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene::{POLICIES, Scene, presented, run, transfer, until};

#[test]
fn the_record_tells_who_what_why_and_what_came_of_it() {
    let mut scene = Scene::new();
    let (agent, api) = scene.parties();
    let mut wanted = transfer(7);
    wanted["workflow"] = json!("run-81");
    wanted["step"] = json!("1");
    wanted["purpose"] = json!("invoice inv-7");
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
    let grant = minted.text("grant");
    let body = presented(&minted.text("token"), 7, "a");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).status, 200);
    assert_eq!(
        scene
            .call("POST", "/v1/spend", &api, Some(&presented(&minted.text("token"), 7, "b")))
            .status,
        401
    );
    let settle = json!({ "attempt": "a", "outcome": "succeeded" });
    assert_eq!(
        scene.call("POST", &format!("/v1/grants/{grant}/settle"), &api, Some(&settle)).status,
        200
    );

    let entries = |path: &str| {
        let page = scene.admin("GET", path, None).json();
        page["items"].as_array().unwrap().clone()
    };
    let kinds = |entries: &[Value]| -> Vec<String> {
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    };
    let path = format!("/v1/record?grant={grant}");
    until(|| kinds(&entries(&path)).contains(&"settled".to_owned()));
    let found = kinds(&entries(&path));
    for kind in ["requested", "issued", "spent", "replayed", "settled"] {
        assert!(found.contains(&kind.to_owned()), "{kind} {found:?}");
    }
    let requested = &entries(&path)[0];
    assert_eq!(requested["agent"], json!("key:agent"));
    assert!(requested["rule"].as_str().unwrap().contains("all.datalog"));
    assert_eq!(requested["detail"]["params"], json!({ "amount": 7, "to": "acme" }));
    let chained = entries("/v1/record?workflow=run-81");
    assert!(kinds(&chained).contains(&"spent".to_owned()), "{chained:?}");

    let denied = scene.call("POST", "/v1/grants", &agent, Some(&transfer(9000)));
    assert_eq!(denied.status, 403);
    assert_eq!(entries("/v1/record?kind=denied&agent=key:agent").len(), 1);

    // With public keys alone, also while it is in use.
    let keys = scene.data().join("keys");
    let verify = ["record", "verify", "--keys", keys.to_str().unwrap()];
    let (good, said) = run(&verify, &scene.data());
    assert!(good, "{said}");
    scene.stop();
    let (good, said) = run(&verify, &scene.data());
    assert!(good, "{said}");
}

#[test]
fn an_export_is_the_record_line_by_line() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    for amount in 1..=30 {
        assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(amount))).status, 201);
    }
    let export = scene.admin("GET", "/v1/record/export", None).body;
    let numbers: Vec<u64> = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_u64().unwrap())
        .collect();
    assert!(numbers.len() > 60, "{}", numbers.len());
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long a stop takes is what is tested")]
fn whoever_follows_the_record_from_the_last_place_holds_up_no_stop() {
    let mut scene = Scene::configured(POLICIES, "[limits]\nconnections = 1\n");
    let mut follower = TcpStream::connect(scene.address()).unwrap();
    let head = format!(
        "GET /v1/record/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        scene.key()
    );
    follower.write_all(head.as_bytes()).unwrap();
    // The first entry is there, and the stream open.
    let mut words = [0; 16 << 10];
    let mut heard = Vec::new();
    while !heard.windows(6).any(|word| word == b"data: ") {
        let read = follower.read(&mut words).unwrap();
        assert!(read > 0, "it hung up");
        heard.extend_from_slice(&words[..read]);
    }
    let begun = Instant::now();
    scene.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // It was ended well, and not cut off.
    let mut rest = Vec::new();
    follower.read_to_end(&mut rest).unwrap();
    heard.extend(rest);
    assert!(heard.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&heard));
}

#[test]
fn nothing_is_minted_that_cannot_be_written_down() {
    // A limit on the size of files is what a full disk is to a process.
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let mut wanted = transfer(1);
    wanted["params"]["note"] = json!("x".repeat(10_000));
    scene.limit_files(scene.largest_file() + 200_000);
    let mut refused = 0;
    for _ in 0..200 {
        let reply = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
        if reply.status == 503 {
            assert_eq!(reply.code(), "store-down", "{}", reply.body);
            refused += 1;
        }
    }
    assert!(refused > 0);
    assert_eq!(scene.call_with("GET", "/readyz", &[], None).status, 503);
    // The process lives.
    assert_eq!(scene.call_with("GET", "/healthz", &[], None).status, 200);
}

#[test]
fn whoever_is_refused_is_in_the_record_once_and_then_counted() {
    let mut scene = Scene::new();
    let (agent, api) = scene.parties();
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(7)));
    let (grant, token) = (minted.text("grant"), minted.text("token"));
    let mut elsewhere = presented(&token, 7, "a");
    elsewhere["audience"] = json!("other-api");
    for _ in 0..5 {
        for (body, code) in [
            (presented("x", 7, "a"), "bad-token"),
            (presented(&token, 8, "a"), "wrong-params"),
            (elsewhere.clone(), "forbidden"),
        ] {
            assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).code(), code);
        }
    }
    let bearer = format!("Bearer {agent}");
    let ask = |amount| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
        scene.call_with("POST", "/v1/grants", &headers, Some(&transfer(amount)))
    };
    let named = ask(1).text("grant");
    for _ in 0..3 {
        assert_eq!(ask(1).text("grant"), named);
        assert_eq!(ask(2).code(), "idempotency-conflict");
    }
    let entries = |scene: &Scene, kind: &str| {
        let found = scene.admin("GET", &format!("/v1/record?kind={kind}"), None).json();
        found["items"].as_array().unwrap().clone()
    };
    let codes = |entries: &[Value]| -> Vec<String> {
        entries.iter().map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
    };
    // They are written down while the caller has its answer already.
    until(|| {
        entries(&scene, "use-refused").len() == 3 && entries(&scene, "given-again").len() == 1
    });
    let refused = entries(&scene, "use-refused");
    assert_eq!(codes(&refused), ["bad-token", "wrong-params", "forbidden"], "{refused:?}");
    assert!(refused.iter().all(|entry| entry["by"] == json!("key:api")), "{refused:?}");
    // Whose token it was is known where somebody signed it.
    assert_eq!((&refused[0]["grant"], &refused[0]["agent"]), (&json!(null), &json!(null)));
    assert_eq!((&refused[1]["grant"], &refused[1]["agent"]), (&json!(grant), &json!("key:agent")));
    until(|| codes(&entries(&scene, "refused")) == ["idempotency-conflict"]);
    let again = entries(&scene, "given-again");
    assert_eq!((again.len(), &again[0]["grant"]), (1, &json!(named)), "{again:?}");
    // How often it was is said later, and at the latest when the issuer stops.
    scene.stop();
    scene.start();
    let mut counts: Vec<_> = entries(&scene, "use-refused")[3..]
        .iter()
        .map(|entry| (entry["code"].clone(), entry["detail"]["again"].clone()))
        .collect();
    counts.sort_by_key(|(code, _)| code.to_string());
    let expected = ["bad-token", "forbidden", "wrong-params"];
    assert_eq!(counts, expected.map(|code| (json!(code), json!(4))));
    let keys = scene.data().join("keys");
    let (good, said) = run(&["record", "verify", "--keys", keys.to_str().unwrap()], &scene.data());
    assert!(good, "{said}");
}

#[test]
fn exports_that_nobody_reads_are_few() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let mut wanted = transfer(1);
    wanted["params"]["note"] = json!("x".repeat(15_000));
    // More than the buffers of a connection take.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    let minted = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
                    assert_eq!(minted.status, 201, "{}", minted.body);
                }
            });
        }
    });
    let mut exports: Vec<TcpStream> =
        (0..8).map(|_| scene.begun("/v1/record/export", scene.key())).collect();
    for export in &mut exports {
        let mut first = [0; 12];
        export.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    let one_more = || scene.admin("GET", "/v1/record/export", None);
    let refused = one_more();
    assert_eq!((refused.status, refused.code()), (429, "rate-limited".into()));
    assert_eq!(scene.admin("GET", "/v1/record?limit=1", None).status, 200);
    // One that is read gives its place to the next.
    drop(exports.pop());
    until(|| one_more().status == 200);
}

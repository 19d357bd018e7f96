//! What hurts a server, a log or a terminal: answered plainly, and nothing is lost.

use serde_json::{Value, json};

use super::scene::{POLICIES, Scene, transfer};

fn raw(scene: &Scene, key: &str, head: &str, body: &[u8]) -> Option<(u16, String)> {
    let head = format!(
        "POST /v1/grants HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n{head}\r\n"
    );
    let reply = scene.send(&[head.as_bytes(), body].concat())?;
    Some((reply.status, reply.code()))
}

#[test]
fn a_body_that_is_no_request_is_refused_with_the_place() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let bad: [&[u8]; 12] = [
        b"",
        b"[]",
        b"{",
        b"{\"action\":1}",
        b"{\"action\":\"a\",\"action\":\"b\"}",
        b"\xff\xfe",
        b"{\"action\":\"a\\ud800\"}",
        br#"{"action":"a b","resource":"r","audience":"u"}"#,
        br#"{"action":"a","resource":"r","audience":"u","extra":1}"#,
        br#"{"action":"a","resource":"r","audience":"u","params":{"n":9007199254740993}}"#,
        br#"{"action":"a","resource":"r","audience":"u","ttl_seconds":3601}"#,
        br#"{"action":"a","resource":"r","audience":"u","workflow":"w"}"#,
    ];
    for body in bad {
        let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let answer = raw(&scene, &agent, &head, body);
        assert_eq!(answer, Some((400, "bad-request".into())), "{}", String::from_utf8_lossy(body));
    }
    let deep = "[".repeat(5000);
    let body = format!("{{\"action\":\"a\",\"params\":{deep}");
    let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    assert_eq!(raw(&scene, &agent, &head, body.as_bytes()), Some((400, "bad-request".into())));
    let form = raw(&scene, &agent, "content-type: text/plain\r\ncontent-length: 2\r\n", b"{}");
    assert_eq!(form, Some((400, "bad-request".into())));
    let gzip = "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n";
    assert_eq!(raw(&scene, &agent, gzip, b"{}"), Some((400, "bad-request".into())));
}

#[test]
fn ten_megabytes_are_not_read() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    // It says so, or hangs up: either way it does not read on, and goes on serving.
    let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", 10 << 20);
    let answer = raw(&scene, &agent, &head, &vec![b' '; 10 << 20]);
    assert!(answer.is_none_or(|answer| answer == (413, "too-large".into())));
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status, 201);
}

#[test]
fn guesses_end_soon_and_keep_nobody_out_who_has_a_key() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    for guess in ["eyJhbGciOiJub25lIn0.e30.", "fbk_guess"] {
        let tries: Vec<u16> =
            (0..100).map(|_| scene.call("GET", "/v1/grants", guess, None).status).collect();
        assert!(tries.iter().all(|status| [401, 429].contains(status)), "{tries:?}");
        assert!(tries.contains(&429), "{tries:?}");
    }
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status, 201);
}

#[test]
fn what_the_configuration_lowers_is_lower() {
    let lower = "[limits]\nbody_bytes = 1024\nheader_bytes = 8192\nlist_items = 2\n";
    let scene = Scene::configured(POLICIES, lower);
    let (agent, _) = scene.parties();
    for amount in 1..=3 {
        assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(amount))).status, 201);
    }
    let mut long = transfer(1);
    long["params"]["note"] = json!("x".repeat(1_024));
    let reply = scene.call("POST", "/v1/grants", &agent, Some(&long));
    assert_eq!((reply.status, reply.code().as_str()), (413, "too-large"));
    let items =
        |path: &str| scene.admin("GET", path, None).json()["items"].as_array().unwrap().len();
    assert_eq!(items("/v1/grants"), 2);
    assert_eq!(items("/v1/record"), 2);
    assert_eq!(items("/v1/grants?limit=3"), 3);
    let padding = ("x-padding", "x".repeat(9_000));
    let reply = scene.call_with("GET", "/healthz", &[(padding.0, &padding.1)], None);
    assert_eq!(reply.status, 431);
}

#[test]
fn whoever_lies_about_lengths_or_hangs_up_is_left_alone() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    for bytes in [
        b"POST /v1/grants HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345".as_slice(),
        b"POST /v1/grants HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/grants HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
    ] {
        let refused = scene.send(bytes);
        assert!(refused.is_none_or(|reply| reply.status >= 400));
    }
    for _ in 0..50 {
        // Half a request, and gone.
        let mut stream = std::net::TcpStream::connect(scene.address()).unwrap();
        std::io::Write::write_all(&mut stream, b"POST /v1/grants HTTP/1.1\r\nhost:").unwrap();
    }
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status, 201);
}

#[test]
fn who_sends_nothing_holds_up_nobody() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let silent: Vec<_> =
        (0..200).map(|_| std::net::TcpStream::connect(scene.address()).unwrap()).collect();
    assert_eq!(scene.call("POST", "/v1/grants", &agent, Some(&transfer(1))).status, 201);
    drop(silent);
}

#[test]
fn what_an_agent_writes_moves_no_cursor_and_breaks_no_line() {
    let scene = Scene::new();
    let (agent, _) = scene.parties();
    let hurts =
        ["a\nb", "\u{1b}[2J", "=cmd|' /C calc'!A0", "\"),allow(\"", "a\u{202e}b", "'; drop", "\0"];
    for field in ["action", "resource", "audience", "purpose"] {
        for text in hurts {
            let mut wanted = transfer(1);
            wanted[field] = json!(text);
            let reply = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
            assert!([400, 403, 201].contains(&reply.status), "{field} {text:?} {}", reply.body);
        }
    }
    for text in hurts {
        let mut wanted = transfer(1);
        wanted["context"] = json!({ text: text });
        wanted["params"]["to"] = json!(text);
        let reply = scene.call("POST", "/v1/grants", &agent, Some(&wanted));
        assert!([400, 403, 201].contains(&reply.status), "{text:?} {}", reply.body);
    }
    // Whatever was taken is one line of JSON each in the record, and reads back as it was.
    let record = scene.admin("GET", "/v1/record/export", None).body;
    for line in record.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry.is_object() && !line.contains('\u{1b}') && !line.contains('\0'), "{line}");
    }
}

#[test]
fn no_secret_is_in_the_record_or_in_an_answer() {
    let scene = Scene::new();
    let (agent, api) = scene.parties();
    let minted = scene.call("POST", "/v1/grants", &agent, Some(&transfer(1)));
    let token = minted.text("token");
    let spent = super::scene::presented(&token, 1, "a-secret-attempt");
    assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&spent)).status, 200);
    super::scene::until(|| {
        scene.admin("GET", "/v1/record?kind=spent", None).body.contains(&minted.text("grant"))
    });
    let record = scene.admin("GET", "/v1/record/export", None).body;
    let metrics = scene.call_with("GET", "/metrics", &[], None).body;
    for secret in [&token[..], &agent, &api, scene.key(), "a-secret-attempt"] {
        assert!(!record.contains(secret) && !metrics.contains(secret), "{secret}");
    }
}

//! Who may call what: every route with every role, as a file that a security person can read.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::scene::Scene;

const ROLES: [&str; 6] = ["mint", "spend", "revoke", "approve", "read", "admin"];

#[test]
fn every_route_lets_in_whom_the_golden_file_names() {
    let scene = Scene::new();
    let mut keys = vec![("nobody".to_owned(), String::new())];
    for role in ROLES {
        let mut flags = vec!["--role", role];
        if role == "spend" {
            flags.extend(["--spends-for", "payments-api"]);
        }
        keys.push((role.to_owned(), scene.caller(&format!("a-{role}"), &flags)));
    }
    let document = scene.call_with("GET", "/openapi.json", &[], None).json();
    let mut table = format!("{:<38}", "");
    table.extend(keys.iter().map(|(role, _)| format!("{role:<9}")));
    let mut lines = vec![table.trim_end().to_owned()];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_ascii_uppercase();
            let mut line = format!("{:<38}", format!("{method} {path}"));
            for (_, key) in &keys {
                line.push_str(&format!("{:<9}", may(&scene, &method, path, key)));
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    let found = lines.join("\n") + "\n";
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rights.txt");
    if std::env::vars().any(|(name, _)| name == "FAREBOX_REGENERATE") {
        fs::write(&golden, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&golden).unwrap_or_default());
}

/// What the door says; what stands behind it may refuse the rest.
fn may(scene: &Scene, method: &str, path: &str, key: &str) -> &'static str {
    let path = path.replace("{id}", &"00".repeat(16)).replace("{code}", "denied");
    let body = (method == "POST").then(|| json!({}));
    let bearer = format!("Bearer {key}");
    let headers: &[(&str, &str)] =
        if key.is_empty() { &[] } else { &[("authorization", bearer.as_str())] };
    let reply = match path.as_str() {
        // It does not end: its first words are enough.
        "/v1/record/stream" => scene.first_words(&path, headers),
        path => scene.call_with(method, path, headers, body.as_ref()),
    };
    match (reply.status, reply.body.contains("your roles do not include this")) {
        (401, _) => "-",
        (403, true) => "-",
        _ => "may",
    }
}

#[test]
fn whoever_is_not_known_learns_nothing() {
    let scene = Scene::new();
    for key in ["", "x", "fbk_AAAA", &format!("{}x", scene.key()), "eyJhbGciOiJub25lIn0.e30."] {
        let refused = scene.call("GET", "/v1/grants", key, None);
        assert_eq!((refused.status, refused.code()), (401, "unauthenticated".into()), "{key}");
        assert!(refused.head.to_ascii_lowercase().contains("www-authenticate: bearer"));
    }
    let basic = scene.call_with("GET", "/v1/grants", &[("authorization", "Basic YTpi")], None);
    assert_eq!(basic.code(), "unauthenticated");
    let bearer = format!("Bearer {}", scene.key());
    let twice = [("authorization", bearer.as_str()), ("authorization", "Bearer x")];
    assert_eq!(scene.call_with("GET", "/v1/grants", &twice, None).code(), "unauthenticated");
}

#[test]
fn whoever_guesses_keys_is_slowed_down() {
    let scene = Scene::new();
    let guess = || scene.call("GET", "/v1/grants", "fbk_guess", None).status;
    super::scene::until(|| guess() == 429);
    // Those who are known are not.
    assert_eq!(scene.admin("GET", "/v1/grants", None).status, 200);
}

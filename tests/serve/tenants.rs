//! What staff of a tenant see: what is their tenant's. A table of the routes that show anything.

use serde_json::{Value, json};

use super::scene::{Reply, Scene, presented, transfer, until};

/// The grants that an answer is about, in whatever form it comes.
fn grants(reply: &Reply, ours: &[(&'static str, String)]) -> Vec<&'static str> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    ours.iter().filter(|(_, grant)| reply.body.contains(grant)).map(|(name, _)| *name).collect()
}

/// Grants of two tenants and of none, with a workflow and without; one of each is used.
fn granted(scene: &Scene) -> Vec<(&'static str, String)> {
    let api = scene.caller("api", &["--role", "spend", "--spends-for", "payments-api"]);
    let agents = [("acme", Some("acme")), ("other", Some("other")), ("none", None)];
    let mut granted = Vec::new();
    for (name, tenant) in agents {
        let mut flags = vec!["--role", "mint"];
        flags.extend(tenant.map(|tenant| ["--tenant", tenant]).iter().flatten());
        let key = scene.caller(&format!("agent-{name}"), &flags);
        let mut wanted = transfer(7);
        let alone = scene.call("POST", "/v1/grants", &key, Some(&wanted));
        wanted["workflow"] = json!("run-81");
        wanted["step"] = json!("1");
        let step = scene.call("POST", "/v1/grants", &key, Some(&wanted));
        let body = presented(&alone.text("token"), 7, "a");
        assert_eq!(scene.call("POST", "/v1/spend", &api, Some(&body)).status, 200);
        granted.push((name, alone.text("grant")));
        granted.push((name, step.text("grant")));
    }
    granted
}

#[test]
fn staff_of_a_tenant_see_what_is_its_own_on_every_route() {
    let mut scene = Scene::new();
    let granted = granted(&scene);
    let spent = |scene: &Scene| {
        let found = scene.admin("GET", "/v1/record?kind=spent", None);
        found.json()["items"].as_array().unwrap().len()
    };
    until(|| spent(&scene) == 3);
    for by in ["agent-acme", "agent-other"] {
        let block = json!({ "by": "agent", "value": format!("key:{by}"), "reason": "a test" });
        assert_eq!(scene.admin("POST", "/v1/blocks", Some(&block)).status, 200);
    }
    let staff = |scene: &Scene, name: &str, flags: &[&str]| {
        ["read", "admin", "revoke"].map(|role| {
            let flags = [&["--role", role], flags].concat();
            (role, scene.caller(&format!("{name}-{role}"), &flags))
        })
    };
    let of_acme = staff(&scene, "acme", &["--tenant", "acme"]);
    let of_none = staff(&scene, "none", &[]);
    let all = ["acme", "acme", "other", "other", "none", "none"].as_slice();
    let own = ["acme", "acme"].as_slice();
    // What was found out of a caller outlives a start.
    scene.stop();
    scene.start();
    for (path, roles) in [
        ("/v1/grants?limit=100", &["read", "admin", "revoke"][..]),
        ("/v1/grants?state=issued&limit=100", &["read", "admin", "revoke"]),
        ("/v1/record?limit=500", &["read", "admin"]),
        ("/v1/record?limit=500&order=newest", &["read", "admin"]),
        ("/v1/record?limit=500&kind=registered", &["read", "admin"]),
        ("/v1/record/export", &["read", "admin"]),
    ] {
        for role in roles {
            for (keys, seen) in [(&of_acme, own), (&of_none, all)] {
                let (_, key) = keys.iter().find(|(known, _)| known == role).unwrap();
                let found = grants(&scene.call("GET", path, key, None), &granted);
                // Of each two the first was used.
                let seen: Vec<_> = match path.contains("issued") {
                    true => seen.iter().step_by(2).copied().collect(),
                    false => seen.to_vec(),
                };
                assert_eq!(found, seen, "{path} {role}");
            }
        }
    }
    for (role, key) in &of_acme {
        for (name, grant) in &granted {
            let status = scene.call("GET", &format!("/v1/grants/{grant}"), key, None).status;
            assert_eq!(status, if *name == "acme" { 200 } else { 404 }, "{role} {name}");
        }
        let blocks = scene.call("GET", "/v1/blocks", key, None).json();
        let values = blocks["items"].as_array().unwrap().iter().map(|block| &block["value"]);
        assert_eq!(values.collect::<Vec<_>>(), [&json!("key:agent-acme")], "{role}");
        let list = scene.call("GET", "/v1/grants", key, None).json();
        assert_eq!(list.get("total"), None, "{role}");
    }
    let followed = of_acme.iter().find(|(role, _)| *role == "read").map(|(_, key)| key).unwrap();
    let lines = scene.followed(followed, 400);
    let seen: Vec<_> =
        granted.iter().filter(|(_, grant)| lines.contains(grant)).map(|(name, _)| *name).collect();
    assert_eq!(seen, own);
    let told: Value = scene.admin("GET", "/v1/record?kind=requested", None).json();
    assert_eq!(told["items"][0]["detail"]["tenant"], json!("acme"), "{told}");
}

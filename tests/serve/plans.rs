//! Plans: the steps of a workflow, approved at once and collected one by one.

use serde_json::{Value, json};

use super::scene::{Reply, Scene, until};

const POLICIES: &str = r#"
allow if action("release.build"), workflow($_run, "build");
allow if action("release.sign"), workflow($_run, "sign"),
         predecessor("release.build", "release/7", "build", "succeeded"), approval("sre", 1);
allow if action("release.publish"), workflow($_run, "publish"),
         predecessor("release.sign", "release/7", "sign", "succeeded"), approval("sre", 1);
"#;

struct Yard {
    scene: Scene,
    agent: String,
    api: String,
    sam: String,
}

impl Yard {
    fn new() -> Yard {
        let scene = Scene::with(POLICIES);
        let sam = scene.made("sam", &["--role", "approve", "--group", "sre", "--owner", "sam"]);
        let agent = scene.made("agent", &["--role", "mint"]);
        let api = scene.caller("api", &["--role", "spend", "--spends-for", "release-api"]);
        scene.knows(&sam);
        scene.knows(&agent);
        Yard { scene, agent, api, sam }
    }

    fn proposes(&self, steps: &Value) -> Reply {
        let plan = json!({ "workflow": "run-1", "steps": steps });
        self.scene.call("POST", "/v1/plans", &self.agent, Some(&plan))
    }

    fn collects(&self, grant: &str) -> Reply {
        self.scene.call("POST", &format!("/v1/grants/{grant}/token"), &self.agent, None)
    }

    fn approves(&self, plan: &str) -> Reply {
        let body = json!({ "decision": "approve", "reason": "planned" });
        self.scene.call("POST", &format!("/v1/plans/{plan}/decisions"), &self.sam, Some(&body))
    }

    /// Collects a step, and its API acts with this outcome.
    fn runs(&self, grant: &str, name: &str, outcome: &str) {
        let minted = self.collects(grant);
        assert_eq!(minted.status, 201, "{name}: {}", minted.body);
        let mut presented = step(name, &[]);
        for name in ["step", "after"] {
            presented.as_object_mut().unwrap().remove(name);
        }
        presented["token"] = json!(minted.text("token"));
        presented["attempt"] = json!("one");
        let spent = self.scene.call("POST", "/v1/spend", &self.api, Some(&presented));
        assert_eq!(spent.status, 200, "{name}: {}", spent.body);
        let settle = json!({ "attempt": "one", "outcome": outcome });
        let path = format!("/v1/grants/{}/settle", minted.text("grant"));
        assert_eq!(self.scene.call("POST", &path, &self.api, Some(&settle)).status, 200);
    }
}

fn step(name: &str, after: &[&str]) -> Value {
    json!({
        "step": name, "action": format!("release.{name}"), "resource": "release/7",
        "audience": "release-api", "after": after,
    })
}

fn release() -> Value {
    json!([step("build", &[]), step("sign", &["build"]), step("publish", &["sign"])])
}

fn ids(plan: &Reply) -> Vec<String> {
    let steps = plan.json()["steps"].as_array().unwrap().clone();
    steps.iter().map(|step| step["grant"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_is_approved_at_once_and_collected_step_by_step() {
    let yard = Yard::new();
    let plan = yard.proposes(&release());
    assert_eq!(plan.status, 202, "{}", plan.body);
    let states = |reply: &Reply| {
        let steps = reply.json()["steps"].as_array().unwrap().clone();
        steps.iter().map(|step| step["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(&plan), ["approved", "pending", "pending"], "the first asks nobody");
    let [build, sign, publish] = <[String; 3]>::try_from(ids(&plan)).unwrap();
    let path = format!("/v1/plans/{}", plan.text("plan"));
    assert_eq!(states(&yard.scene.call("GET", &path, &yard.agent, None)), states(&plan));
    let approved = yard.approves(&plan.text("plan"));
    assert!(states(&approved).iter().all(|state| state == "approved"), "{}", approved.body);

    // Approved, and not before the steps before have really succeeded.
    assert_eq!(yard.collects(&sign).code(), "predecessor-unsettled");
    yard.runs(&build, "build", "succeeded");
    assert_eq!(yard.collects(&publish).code(), "predecessor-unsettled");
    until(|| yard.collects(&sign).status == 201);
    yard.runs(&sign, "sign", "failed");
    until(|| yard.collects(&publish).text("detail").contains("will not"));
}

#[test]
fn what_is_no_plan_is_refused_whole() {
    let yard = Yard::new();
    let mut with_workflow = step("build", &[]);
    with_workflow["workflow"] = json!("run-2");
    let foreign = json!([{
        "step": "sign", "action": "release.sign", "resource": "release/7",
        "audience": "release-api", "after": ["0123456789abcdef0123456789abcdef"],
    }]);
    let many: Vec<Value> = (0..33).map(|n| step(&format!("s{n}"), &[])).collect();
    for (steps, code) in [
        (json!([]), "bad-request"),
        (json!(many), "bad-request"),
        // A cycle needs a step that comes before one that stands before it.
        (json!([step("sign", &["build"]), step("build", &["sign"])]), "bad-request"),
        (json!([step("build", &["build"])]), "bad-request"),
        (json!([step("build", &[]), step("build", &[])]), "bad-request"),
        (json!([with_workflow]), "bad-request"),
        (json!(["build"]), "bad-request"),
        // A grant of whomever is no step of this plan.
        (foreign, "bad-request"),
        // No policy allows publishing right after the build.
        (json!([step("build", &[]), step("publish", &["build"])]), "denied"),
    ] {
        let refused = yard.proposes(&steps);
        assert_eq!(refused.code(), code, "{steps}: {}", refused.body);
    }
    let ten_thousand: Vec<Value> = (0..10_000).map(|n| step(&format!("s{n}"), &[])).collect();
    let refused = yard.proposes(&json!(ten_thousand));
    assert!(["bad-request", "too-large"].contains(&refused.code().as_str()), "{}", refused.body);
    let waiting = yard.scene.admin("GET", "/v1/approvals?state=pending", None).json();
    assert_eq!(waiting["items"], json!([]), "nothing of them waits");
}

#[test]
fn a_plan_is_its_proposers_and_its_approvers() {
    let yard = Yard::new();
    let plan = yard.proposes(&release()).text("plan");
    let other = yard.scene.made("other", &["--role", "mint"]);
    let finance = yard.scene.caller("fay", &["--role", "approve", "--group", "finance"]);
    yard.scene.knows(&other);
    let path = format!("/v1/plans/{plan}");
    for stranger in [&other, &finance] {
        assert_eq!(yard.scene.call("GET", &path, stranger, None).status, 404);
    }
    let body = json!({ "decision": "approve", "reason": "planned" });
    let path = format!("{path}/decisions");
    assert_eq!(yard.scene.call("POST", &path, &finance, Some(&body)).status, 404);
    // Refused by one, no step that needed anybody is collected; the one that asks nobody is decided by itself.
    let refuse = json!({ "decision": "refuse", "reason": "not today" });
    assert_eq!(yard.scene.call("POST", &path, &yard.sam, Some(&refuse)).status, 200);
    let steps = yard.scene.call("GET", &format!("/v1/plans/{plan}"), &yard.agent, None);
    let [build, sign, _] = <[String; 3]>::try_from(ids(&steps)).unwrap();
    yard.runs(&build, "build", "succeeded");
    assert_eq!(yard.collects(&sign).code(), "approval-refused");
}

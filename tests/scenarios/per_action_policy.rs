//! Each step, call and delegated operation is looked at before it runs.

use farebox::signer::PrivateKey;
use serde_json::json;

use super::ask::ask;
use super::play::scenario;

#[test]
fn an_agent_calls_a_production_api_within_resource_hours_and_purpose() {
    let scopes = "agent,resource,purpose,from:int,until:int\n\
        key:orders,orders/eu,order-sync,0,1440\nkey:orders,orders/us,order-sync,0,0\n";
    scenario(("1.1", "An agent calls a production API"), &[("api_scope", scopes)], |play| {
        let agent = play.agent("orders", &[]);
        let update = ask("orders-api", "orders.update", "orders/eu")
            .with(json!({ "order": "o-7", "status": "sent" }))
            .and("purpose", "order-sync");
        let token = play.mints(&agent, "its resource, hours and purpose", &update);
        play.refuses("another resource", &token.but(|it| it.on("orders/us")), "wrong-resource");
        play.acts("one call", &token);
        let asia = update.clone().on("orders/asia");
        play.mints_nothing(&agent, "another resource", &asia, "denied");
        let us = update.clone().on("orders/us");
        play.mints_nothing(&agent, "outside the hours", &us, "denied");
        let other = update.clone().and("purpose", "audit");
        play.mints_nothing(&agent, "another purpose", &other, "denied");
        let none = ask("orders-api", "orders.update", "orders/eu")
            .with(json!({ "order": "o-7", "status": "sent" }));
        play.mints_nothing(&agent, "no purpose", &none, "denied");
    });
}

#[test]
fn a_build_reads_a_secret_in_its_stage_and_as_itself() {
    let secrets = "secret,agent,stage\nsecret/registry-token,key:build,publish\n\
        secret/npm-token,key:build,build\n";
    scenario(
        ("1.2", "A build bot reads a secret of the vault"),
        &[("pipeline_secret", secrets)],
        |play| {
            let bot = play.agent("build", &[("pipeline_stage", "publish")]);
            let other = play.agent("deploy", &[("pipeline_stage", "publish")]);
            let key = PrivateKey::generate().unwrap();
            let read = ask("vault", "vault.read", "secret/registry-token").held_by(&key);
            let token = play.mints(&bot, "right identity, right stage", &read);
            play.acts_for("one read", &token, Some(&key));
            play.refuses_for("a second read", &token, Some(&key), "already-spent");
            let npm = read.clone().on("secret/npm-token");
            play.mints_nothing(&bot, "right identity, wrong stage", &npm, "denied");
            play.mints_nothing(&other, "right stage, wrong identity", &read, "denied");
        },
    );
}

#[test]
fn data_leaves_for_listed_destinations_if_its_class_may() {
    scenario(("1.3", "An agent sends data to an external service"), &[], |play| {
        let agent = play.agent("sender", &[]);
        let send = ask("egress-gateway", "egress.send", "dataset/leads")
            .with(json!({ "destination": "partner.example" }));
        let public = [("dlp", "classification", "public")];
        let good = send.clone().attest(play, &agent, &public);
        let token = play.mints(&agent, "a listed destination, a class that may leave", &good);
        let swapped = |it: super::ask::Ask| it.with(json!({ "destination": "evil.example" }));
        play.refuses("the destination swapped after minting", &token.but(swapped), "wrong-params");
        play.acts("one send", &token);
        let evil = send.clone().with(json!({ "destination": "evil.example" }));
        let evil = evil.attest(play, &agent, &public);
        play.mints_nothing(&agent, "a destination off the list", &evil, "denied");
        let secret = send.clone().attest(play, &agent, &[("dlp", "classification", "secret")]);
        play.mints_nothing(&agent, "classified data", &secret, "denied");
        play.mints_nothing(&agent, "a class that nobody looked at", &send, "denied");
        let of_another = ask("egress-gateway", "egress.send", "dataset/payroll")
            .with(json!({ "destination": "partner.example" }))
            .and("evidence", good.evidence());
        play.mints_nothing(&agent, "another dataset's evidence", &of_another, "evidence-invalid");
    });
}

#[test]
fn each_step_of_a_workflow_comes_after_the_one_before_has_succeeded() {
    scenario(("1.4", "A privileged workflow of several steps"), &[], |play| {
        let agent = play.agent("release", &[("team", "release")]);
        let step = |run: &str, step: &str| {
            ask("release-api", &format!("release.{step}"), "release/7")
                .and("workflow", run)
                .and("step", step)
        };
        let build = play.mints(&agent, "the first step", &step("run-1", "build"));
        let sign = step("run-1", "sign").and("after", json!([build.grant]));
        play.mints_nothing(&agent, "the second, early", &sign, "denied");
        play.acts("the first step", &build);
        play.comes_to(&build, "succeeded");
        let publish = step("run-1", "publish").and("after", json!([build.grant]));
        play.mints_nothing(&agent, "the third, the second skipped", &publish, "denied");
        let sign = play.mints(&agent, "the second", &sign);
        play.acts("the second step", &sign);
        play.comes_to(&sign, "succeeded");
        let publish = step("run-1", "publish").and("after", json!([sign.grant]));
        let publish = play.mints(&agent, "the third", &publish);
        play.revokes("workflow", "run-1");
        play.refuses("interrupted midstream", &publish, "revoked");

        let build = play.mints(&agent, "another run", &step("run-2", "build"));
        play.stage.apis().backend.fails(true);
        play.fails("its build fails", &build);
        play.stage.apis().backend.fails(false);
        play.comes_to(&build, "failed");
        let sign = step("run-2", "sign").and("after", json!([build.grant]));
        play.mints_nothing(&agent, "after a failed step", &sign, "predecessor-unsettled");
    });
}

//! Authority for one bounded step, and a fresh decision for the next.

use biscuit_auth::UnverifiedBiscuit;
use biscuit_auth::builder::BlockBuilder;
use farebox::signer::PrivateKey;
use serde_json::json;

use super::ask::{Minted, ask};
use super::play::scenario;

#[test]
fn one_endpoint_is_quarantined_after_approval() {
    scenario(("3.1", "An incident-response agent"), &[], |play| {
        let agent = play.agent("responder", &[("role", "incident-response")]);
        let soc = play.approver("sam", "soc");
        let quarantine = ask("edr-api", "endpoint.quarantine", "endpoint/laptop-7")
            .with(json!({ "reason": "beacon seen" }));
        let waiting = play.waits(&agent, "one endpoint", &quarantine);
        play.says(&soc, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &quarantine);
        let second = quarantine.clone().on("endpoint/laptop-8");
        let other = token.but(|_| second.clone());
        play.refuses("a second host with the same token", &other, "wrong-resource");
        play.acts("the quarantine", &token);
        play.comes_to(&token, "succeeded");
        let next = play.waits(&agent, "a second host asks anew", &second);
        play.collects_nothing(&agent, "with the first approval", &next, "pending");
        play.collects_nothing(&agent, "the first again", &waiting, "succeeded");
        let firewall = ask("firewall-api", "firewall.change", "firewall/edge")
            .with(json!({ "rule": "allow any" }));
        let other = token.but(|_| firewall.clone());
        play.refuses("a firewall change with the token", &other, "wrong-audience");
        play.mints_nothing(&agent, "a firewall change", &firewall, "denied");
    });
}

#[test]
fn passwords_are_reset_one_by_one() {
    scenario(("3.2", "A helpdesk assistant"), &[], |play| {
        let agent = play.agent("helpdesk", &[("role", "helpdesk")]);
        let reset = |user: &str| {
            ask("directory-api", "helpdesk.reset-password", &format!("user/{user}"))
                .with(json!({ "user": user }))
        };
        let jo = play.mints(&agent, "the first of a batch", &reset("jo"));
        play.mints_nothing(&agent, "the second is nobody's to reset", &reset("root"), "denied");
        let kim = play.mints(&agent, "the third stands alone", &reset("kim"));
        let both = jo.but(|_| reset("kim"));
        play.refuses("one token for another user", &both, "wrong-resource");
        let both = jo.but(|it| it.with(json!({ "user": "kim" })));
        play.refuses("its resource with another user", &both, "wrong-params");
        play.acts("the first", &jo);
        play.acts("the third", &kim);
        play.refuses("the first again", &jo, "already-spent");
    });
}

#[test]
fn one_exposed_key_is_revoked_and_the_next_is_decided_anew() {
    scenario(("3.3", "A cloud remediation agent"), &[], |play| {
        let agent = play.agent("remediator", &[("role", "remediation")]);
        let person = play.approver("clara", "cloud_security");
        let leaked = |key: &str| [("leak-scanner", "exposed", key.to_owned())];
        let revoke = ask("cloud-api", "cloud.revoke-key", "key/ak-1");
        let seen = leaked("key/ak-1");
        let seen = [(seen[0].0, seen[0].1, seen[0].2.as_str())];
        let exposed = revoke.clone().attest(play, &agent, &seen);
        let token = play.mints(&agent, "a key that a scanner saw exposed", &exposed);
        let next = revoke.clone().on("key/ak-2");
        let other = token.but(|_| next.clone());
        play.refuses("the next key with the same token", &other, "wrong-resource");
        play.acts("one key", &token);
        let borrowed = next.clone().and("evidence", exposed.evidence());
        play.mints_nothing(&agent, "the first key's evidence", &borrowed, "evidence-invalid");
        let waiting = play.waits(&agent, "the next key, which nobody saw", &next);
        play.collects_nothing(&agent, "without a decision", &waiting, "pending");
        play.says(&person, "refuse", &waiting, "refused");
        play.collects_nothing(&agent, "what was refused", &waiting, "approval-refused");
        let waiting = play.waits(&agent, "the next key, asked again", &next);
        play.says(&person, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &next);
        play.acts("by a human's decision", &token);
    });
}

#[test]
fn a_job_takes_its_secret_once_for_one_login() {
    let secrets = "secret,agent\nsecret/db-password,key:nightly\nsecret/db-password,key:nightly2\n";
    scenario(("3.4", "A secrets workflow"), &[("job_secret", secrets)], |play| {
        let job = play.agent("nightly", &[("login", "login-1")]);
        let key = PrivateKey::generate().unwrap();
        let lease = ask("vault", "secret.lease", "secret/db-password")
            .and("workflow", "job-81")
            .and("step", "lease")
            .held_by(&key);
        let token = play.mints(&job, "one retrieval for one job", &lease);
        play.acts_for("the retrieval", &token, Some(&key));
        play.refuses_for("the same token again", &token, Some(&key), "already-spent");
        play.mints_nothing(&job, "a second without logging in again", &lease, "over-budget");
        let again = play.agent("nightly2", &[("login", "login-2")]);
        let token = play.mints(&again, "after another login", &lease);
        play.acts_for("the retrieval", &token, Some(&key));
    });
}

#[test]
fn an_assistant_opens_one_pull_request_and_nothing_wider() {
    scenario(("3.5", "A coding assistant"), &[], |play| {
        let agent = play.agent("assistant", &[("kind", "coding-assistant")]);
        let open = ask("forge-api", "repo.open-pull-request", "repo/shop")
            .with(json!({ "branch": "fix-7", "title": "Round up" }));
        let merge = ask("forge-api", "repo.merge", "repo/shop").with(json!({ "number": 7 }));
        let deploy = ask("deploy-api", "deploy.apply", "service/shop")
            .with(json!({ "change": "chg-42", "version": "7" }));
        let token = play.mints(&agent, "one pull request", &open);
        play.refuses("its token for a merge", &token.but(|_| merge.clone()), "wrong-action");
        let widened = wider(&token).but(|_| merge.clone());
        play.refuses("widened by an appended block", &widened, "bad-token");
        play.acts("the pull request", &token);
        play.mints_nothing(&agent, "a merge", &merge, "denied");
        play.mints_nothing(&agent, "a deployment", &deploy, "denied");
    });
}

/// With a block that says what the first block did not, as anybody who holds a token can append it.
fn wider(token: &Minted) -> Minted {
    let biscuit = UnverifiedBiscuit::from_base64(&token.token).unwrap();
    let block = BlockBuilder::new()
        .code(r#"action("repo.merge"); request("forge-api", "repo.merge", "repo/shop", hex:00);"#)
        .unwrap();
    let wider = biscuit.append(block).unwrap().to_base64().unwrap();
    Minted { token: wider.trim_end_matches('=').to_owned(), ..token.clone() }
}

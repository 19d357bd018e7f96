//! Each request is decided when it is made, whatever the session was allowed before.

use std::time::Duration;

use farebox::signer::PrivateKey;
use farebox_verifier::{Clock as _, SystemClock};
use serde_json::json;

use super::ask::{Ask, ask};
use super::play::{Play, scenario, scenario_within};
use super::stage::Party;

#[test]
fn an_agent_stays_out_of_production() {
    let scopes = "agent,database\nkey:reports,staging/orders\nkey:reports,production/orders\n";
    scenario(("2.1", "An agent and the production database"), &[("db_scope", scopes)], |play| {
        let agent = play.agent("reports", &[]);
        let query = ask("database-gateway", "db.query", "staging/orders")
            .with(json!({ "query": "select count(*) from orders" }));
        let token = play.mints(&agent, "a database of its scope", &query);
        let production = |it: Ask| it.on("production/orders");
        play.refuses("the staging token at production", &token.but(production), "wrong-resource");
        play.acts("the query", &token);
        let query = query.clone().on("production/orders");
        play.mints_nothing(&agent, "production, though a table says so", &query, "denied");
        let other = query.on("staging/payroll");
        play.mints_nothing(&agent, "a database of no scope", &other, "denied");
    });
}

#[test]
fn a_pipeline_publishes_by_a_decision_of_its_own() {
    scenario(("2.2", "A pipeline reads metadata, and publishes"), &[], |play| {
        let ci = play.agent("ci", &[("kind", "ci"), ("ref", "refs/heads/main")]);
        let branch = play.agent("branch", &[("kind", "ci"), ("ref", "refs/heads/mine")]);
        let key = PrivateKey::generate().unwrap();
        let read = ask("registry", "artifact.read-metadata", "artifact/shop");
        let publish = ask("registry", "artifact.publish", "artifact/shop")
            .with(json!({ "sha256": "9f86d081884c7d65" }))
            .held_by(&key);
        let reads = play.mints(&ci, "metadata", &read);
        let published = reads.but(|_| publish.clone());
        play.refuses("the read token for publishing", &published, "wrong-action");
        play.acts("the read", &reads);
        let token = play.mints(&ci, "a decision of its own", &publish);
        play.acts_for("the publishing", &token, Some(&key));
        play.refuses_for("the same token again", &token, Some(&key), "already-spent");
        play.mints_nothing(&branch, "from another branch", &publish, "denied");
    });
}

#[test]
fn what_destroys_is_done_within_its_window_and_not_a_second_later() {
    scenario(("2.3", "A service account and a deployment window"), &[], |play| {
        let agent = play.agent("deployer", &[("kind", "service-account")]);
        let destroy = ask("infra-api", "infra.destroy", "service/billing")
            .with(json!({ "target": "old-cluster" }));
        let now = SystemClock.now();
        let (from, until) = (now.minus(60), now.plus(8));
        let rows = format!("service,from:date,until:date\nservice/billing,{from},{until}\n");
        play.stage.changes("deploy_window", &rows);
        let token = play.mints(&agent, "inside the window", &destroy);
        let late = play.mints(&agent, "inside the window too", &destroy);
        play.acts("inside the window", &token);
        while SystemClock.now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        play.refuses("the window has closed since it was minted", &late, "expired");
        play.mints_nothing(&agent, "after the window", &destroy, "denied");
        play.comes_to(&late, "expired");
    });
}

/// A transfer for a prompt that was found clean, bound to a key.
fn transfer(play: &Play, agent: &Party, key: &PrivateKey, amount: u64) -> Ask {
    let payee = "DE02120300000000202051";
    ask("bank-tool", "tool.transfer", "account/42")
        .with(json!({ "to": payee, "amount": amount }))
        .held_by(key)
        .attest(play, agent, &[("prompt-guard", "prompt", "clean")])
}

#[test]
fn a_tool_moves_money_if_everything_holds_at_that_moment() {
    let within = 6;
    scenario_within(("2.4", "A model calls tools: mail, and money"), &[], within, |play| {
        let agent = play.agent("assistant", &[]);
        let treasurer = play.approver("tom", "treasury");
        let key = PrivateKey::generate().unwrap();
        let mail = ask("mail-tool", "tool.send-mail", "mailbox/team")
            .with(json!({ "to": "ann@customer.example", "subject": "Hello", "body": "Done." }));
        let clean = mail.clone().attest(play, &agent, &[("prompt-guard", "prompt", "clean")]);
        let mailed = play.mints(&agent, "a clean prompt, a known recipient", &clean);
        play.acts("the mail", &mailed);
        let foul = mail.attest(play, &agent, &[("prompt-guard", "prompt", "injected")]);
        play.mints_nothing(&agent, "an injected prompt", &foul, "denied");

        let pay = transfer(play, &agent, &key, 1200);
        let waiting = play.waits(&agent, "a transfer", &pay);
        play.collects_nothing(&agent, "before anybody has decided", &waiting, "pending");
        play.says(&treasurer, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &pay);
        let more = json!({ "to": "DE02120300000000202051", "amount": 1300 });
        let other = json!({ "to": "DE02500105170137075030", "amount": 1200 });
        let (more, other) = (token.but(|it| it.with(more)), token.but(|it| it.with(other)));
        play.refuses_for("another amount", &more, Some(&key), "wrong-params");
        play.refuses_for("another destination", &other, Some(&key), "wrong-params");
        play.acts_for("the transfer", &token, Some(&key));

        let pay = transfer(play, &agent, &key, 1300);
        let waiting = play.waits(&agent, "another transfer", &pay);
        play.says(&treasurer, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &pay);
        play.withdraws(&treasurer, &waiting);
        play.refuses_for("the approval withdrawn since", &token, Some(&key), "revoked");

        let pay = transfer(play, &agent, &key, 1400);
        let waiting = play.waits(&agent, "one more", &pay);
        play.says(&treasurer, "approve", &waiting, "approved");
        std::thread::sleep(Duration::from_secs(within + 1));
        play.collects_nothing(&agent, "a stale approval", &waiting, "approval-expired");
    });
}

#[test]
fn a_thief_has_nothing_beyond_one_unspent_action_and_nothing_at_all_without_the_key() {
    scenario(("2.5", "A thief with a leaked token"), &[], |play| {
        let agent = play.agent("assistant", &[]);
        let treasurer = play.approver("tom", "treasury");
        let (key, thief) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        let pay = transfer(play, &agent, &key, 1200);
        let waiting = play.waits(&agent, "a transfer", &pay);
        play.says(&treasurer, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &pay);
        play.refuses("without the holder's key", &token, "holder-proof-missing");
        play.refuses_for("with a key of the thief's", &token, Some(&thief), "holder-proof-missing");
        let mail = ask("mail-tool", "tool.send-mail", "mailbox/team")
            .with(json!({ "to": "ann@customer.example", "subject": "Hello", "body": "Done." }));
        let elsewhere = token.but(|_| mail);
        play.refuses_for("at another audience", &elsewhere, Some(&key), "wrong-audience");
        let more = json!({ "to": "DE02120300000000202051", "amount": 120_000 });
        let more = token.but(|it| it.with(more));
        play.refuses_for("for other parameters", &more, Some(&key), "wrong-params");
        play.acts_for("its holder uses it", &token, Some(&key));
        play.refuses_for("replayed, even with the key", &token, Some(&key), "already-spent");
    });
}

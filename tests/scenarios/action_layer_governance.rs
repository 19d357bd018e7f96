//! Inline checks, permissions for one task, approvals, and a look at what comes out.

use farebox::signer::PrivateKey;
use farebox_verifier::{Clock as _, SystemClock};
use serde_json::json;

use super::ask::{Ask, ask};
use super::play::{Play, scenario};
use super::stage::Party;

#[test]
fn a_draft_stays_inside_and_sending_is_decided_by_itself() {
    scenario(("5.1", "An agent drafts a reply"), &[], |play| {
        let agent = play.agent("support", &[("role", "support")]);
        let lead = play.approver("lea", "support_leads");
        let draft =
            ask("helpdesk", "support.draft-reply", "ticket/7").with(json!({ "text": "Sorry." }));
        let send = ask("mail-gateway", "support.send-reply", "ticket/7")
            .with(json!({ "to": "ann@customer.example", "text": "Sorry." }));
        let drafted = play.mints(&agent, "a draft", &draft);
        play.refuses("sending with its token", &drafted.but(|_| send.clone()), "wrong-audience");
        play.acts("the draft", &drafted);
        let fine = send.clone().attest(play, &agent, &[("tone-check", "reply", "fine")]);
        let token = play.mints(&agent, "sending, its tone checked", &fine);
        play.acts("the reply", &token);
        let waiting = play.waits(&agent, "sending what nobody checked", &send);
        play.collects_nothing(&agent, "before a lead has read it", &waiting, "pending");
        play.says(&lead, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &send);
        play.acts("the approved reply", &token);
    });
}

#[test]
fn a_change_fits_its_window_and_its_task() {
    scenario(("5.2", "A deployment bot and a change window"), &[], |play| {
        let agent = play.agent("deployer", &[("role", "deployment")]);
        let key = PrivateKey::generate().unwrap();
        let now = SystemClock.now();
        let (past, from, until) = (now.minus(7200), now.minus(60), now.plus(3600));
        let rows = format!(
            "change,service,task,from:date,until:date\n\
             chg-42,service/billing,task-7,{from},{until}\nchg-43,service/billing,task-7,{past},{from}\n"
        );
        play.stage.changes("change_window", &rows);
        let apply = |change: &str, task: &str| {
            ask("deploy-api", "deploy.apply", "service/billing")
                .with(json!({ "change": change, "version": "7" }))
                .and("workflow", task)
                .and("step", "apply")
                .held_by(&key)
        };
        let token = play.mints(&agent, "its window, its task", &apply("chg-42", "task-7"));
        let other = |it: Ask| it.with(json!({ "change": "chg-43", "version": "7" }));
        play.refuses_for("another change", &token.but(other), Some(&key), "wrong-params");
        play.acts_for("the change", &token, Some(&key));
        play.mints_nothing(&agent, "another window", &apply("chg-43", "task-7"), "denied");
        play.mints_nothing(&agent, "another task", &apply("chg-42", "task-8"), "denied");
    });
}

/// An invoice, validated.
fn invoice(
    play: &Play,
    agent: &Party,
    key: &PrivateKey,
    (vendor, amount, validation): (&str, u64, &str),
) -> Ask {
    ask("erp", "erp.pay-invoice", "invoice/inv-7")
        .with(json!({ "vendor": vendor, "amount": amount }))
        .held_by(key)
        .attest(play, agent, &[("invoice-check", "invoice", validation)])
}

#[test]
fn an_invoice_is_paid_if_amount_vendor_and_validation_hold() {
    scenario(("5.3", "Finance automation pays an invoice"), &[], |play| {
        let agent = play.agent("payer", &[]);
        let people = ["fay", "finn"].map(|name| play.approver(name, "finance"));
        let key = PrivateKey::generate().unwrap();
        let small = invoice(play, &agent, &key, ("acme", 90_000, "normal"));
        let token = play.mints(&agent, "under the amount, active, normal", &small);
        play.acts_for("the payment", &token, Some(&key));
        let held = play.mints(&agent, "another", &small);
        let rows = "vendor,status\nacme,suspended\nglobex,active\n";
        play.stage.changes("vendor", rows);
        play.refuses_for("its vendor suspended since", &held, Some(&key), "revoked");
        play.mints_nothing(&agent, "a suspended vendor", &small, "denied");
        let much = invoice(play, &agent, &key, ("globex", 600_000, "normal"));
        play.mints_nothing(&agent, "over the amount", &much, "denied");
        let odd = invoice(play, &agent, &key, ("globex", 90_000, "anomaly"));
        play.mints_nothing(&agent, "validation fails", &odd, "denied");
        let large = invoice(play, &agent, &key, ("globex", 400_000, "normal"));
        let waiting = play.waits(&agent, "a larger one", &large);
        play.says(&people[0], "approve", &waiting, "pending");
        play.says(&people[1], "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &large);
        play.acts_for("the larger payment", &token, Some(&key));
    });
}

#[test]
fn what_comes_out_is_measured_before_it_is_let_out() {
    let assigned = "customer,agent\ncust-1,key:data\ncust-3,key:other\n";
    scenario(("5.4", "A data agent queries, and exports"), &[("assigned", assigned)], |play| {
        let agent = play.agent("data", &[("role", "analyst")]);
        let owner = play.approver("oda", "data_owners");
        let key = PrivateKey::generate().unwrap();
        let query =
            ask("data-api", "data.query", "customers").with(json!({ "customer": "cust-1" }));
        let export = ask("data-api", "data.export", "customers")
            .with(json!({ "target": "warehouse.example" }))
            .held_by(&key);
        let token = play.mints(&agent, "one record of its customer", &query);
        play.refuses("in bulk with its token", &token.but(|_| export.clone()), "wrong-action");
        play.acts("one record", &token);
        let others = query.clone().with(json!({ "customer": "cust-3" }));
        play.mints_nothing(&agent, "another's customer", &others, "denied");

        let token = play.mints(&agent, "one record again", &query);
        play.stage.apis().backend.brings(2, "internal");
        play.withholds("two rows came of it", &token, None);
        play.comes_to(&token, "output-refused");
        let token = play.mints(&agent, "and once more", &query);
        play.stage.apis().backend.brings(1, "secret");
        play.withholds("its row is more sensitive than it may be", &token, None);

        let waiting = play.waits(&agent, "an export", &export);
        play.collects_nothing(&agent, "before its owner has decided", &waiting, "pending");
        play.says(&owner, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &export);
        play.stage.apis().backend.brings(9_000, "public");
        play.acts_for("the export", &token, Some(&key));
        let withheld = play.outputs_withheld();
        assert_eq!(withheld, 2, "staff see what was withheld");
    });
}

//! What an identity may do at this moment, not what it can reach.

use biscuit_auth::builder::BlockBuilder;
use biscuit_auth::{KeyPair, UnverifiedBiscuit};
use farebox::callers::Role;
use farebox::signer::PrivateKey;
use serde_json::json;

use super::ask::{Minted, ask};
use super::play::{Play, scenario};

#[test]
fn purchases_are_drafted_freely_and_submitted_by_approval() {
    scenario(("4.1", "A procurement agent"), &[], |play| {
        let known = [("role", "procurement"), ("owner", "olivia")];
        let agent = play.agent("buyer", &known);
        let buyer = play.approver("pat", "procurement");
        let own = [("group", "procurement"), ("owner", "olivia")];
        let second = play.stage.party("olivia2", Role::Approve, &own);
        let items = |count: u32| json!([{ "sku": "bolt", "count": count }]);
        let draft =
            ask("erp", "erp.draft-purchase", "purchase/7").with(json!({ "items": items(12) }));
        let drafted = play.mints(&agent, "a draft", &draft);
        play.acts("the draft", &drafted);
        let submit = ask("erp", "erp.submit-purchase", "purchase/7")
            .with(json!({ "total": 1200, "items": items(12) }));
        let waiting = play.waits(&agent, "submitting", &submit);
        play.collects_nothing(&agent, "unapproved", &waiting, "pending");
        play.says(&second, "approve", &waiting, "forbidden");
        play.says(&buyer, "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &submit);
        let other = token.but(|it| it.with(json!({ "total": 1200, "items": items(900) })));
        play.refuses("other line items than were approved", &other, "wrong-params");
        play.acts("the approved items", &token);
    });
}

#[test]
fn configuration_is_applied_with_a_signed_change_request() {
    scenario(("4.2", "A deployment account"), &[], |play| {
        let agent = play.agent("deployer", &[("role", "deployment")]);
        let key = PrivateKey::generate().unwrap();
        let state =
            play.mints(&agent, "state", &ask("infra-api", "infra.read-state", "service/shop"));
        play.acts("the state is read", &state);
        let apply = ask("infra-api", "infra.apply-config", "service/shop")
            .with(json!({ "change": "CHG-17", "config_sha256": "9f86d081" }))
            .held_by(&key);
        let token = play.mints(&agent, "a configuration, to be signed by change-mgmt", &apply);
        play.refuses_for("unsigned", &token, Some(&key), "caveat-failed");
        let wrong = signed_by_a_stranger(&token);
        play.refuses_for("signed by the wrong key", &wrong, Some(&key), "bad-token");
        let other = play.attests(&token, "change-mgmt", "change_approved", "CHG-18");
        play.refuses_for("signed for another change", &other, Some(&key), "caveat-failed");
        let signed = play.attests(&token, "change-mgmt", "change_approved", "CHG-17");
        play.acts_for("signed, checked offline", &signed, Some(&key));
    });
}

/// With a block that says what is asked for, signed by nobody who is known.
fn signed_by_a_stranger(token: &Minted) -> Minted {
    let biscuit = UnverifiedBiscuit::from_base64(&token.token).unwrap();
    let block = BlockBuilder::new().code(r#"change_approved("CHG-17")"#).unwrap();
    let request = biscuit.third_party_request().unwrap();
    let block = request.create_block(&KeyPair::new().private(), block).unwrap();
    let signed = biscuit.append_third_party(&block.serialize().unwrap()).unwrap();
    let signed = signed.to_base64().unwrap();
    Minted { token: signed.trim_end_matches('=').to_owned(), ..token.clone() }
}

#[test]
fn one_record_is_fetched_and_an_export_needs_two_people() {
    scenario(("4.3", "A support bot"), &[], |play| {
        let agent = play.agent("support", &[("role", "support")]);
        let people = ["dora", "dan"].map(|name| play.approver(name, "data_protection"));
        let key = PrivateKey::generate().unwrap();
        let fetch =
            ask("crm", "support.fetch-record", "customer/c-1").with(json!({ "customer": "c-1" }));
        let token = play.mints(&agent, "one record", &fetch);
        let export = ask("crm", "support.export", "customers")
            .with(json!({ "format": "csv" }))
            .held_by(&key);
        play.refuses("its token for an export", &token.but(|_| export.clone()), "wrong-action");
        play.acts("one record", &token);
        let waiting = play.waits(&agent, "everything", &export);
        play.collects_nothing(&agent, "without anybody", &waiting, "pending");
        play.says(&people[0], "approve", &waiting, "pending");
        play.collects_nothing(&agent, "with one of two", &waiting, "pending");
        play.says(&people[0], "approve", &waiting, "pending");
        play.collects_nothing(&agent, "with the same one twice", &waiting, "pending");
        play.says(&people[1], "approve", &waiting, "approved");
        let token = play.collects(&agent, &waiting, &export);
        play.acts_for("the export", &token, Some(&key));
    });
}

#[test]
fn transfers_stay_within_each_and_within_all() {
    scenario(("4.4", "A treasury agent"), &[], |play| {
        let agent = play.agent("treasury", &[("role", "treasury-bot")]);
        let transfer = |from: &str, amount: u64| {
            ask("ledger", "ledger.transfer", &format!("account/{from}"))
                .with(json!({ "from": from, "to": "acc-2", "amount": amount }))
        };
        play.mints_nothing(&agent, "over the single limit", &transfer("acc-1", 100_001), "denied");
        play.mints_nothing(&agent, "from a frozen account", &transfer("acc-9", 1), "denied");
        let token = play.mints(&agent, "within both limits", &transfer("acc-1", 100_000));
        play.acts("the transfer", &token);
        // Forty ask at once for what is left: four times as much.
        let granted = play.mints_at_once(&agent, "forty at once", &transfer("acc-1", 100_000), 40);
        assert_eq!(granted, 4);
        let more = transfer("acc-1", 1);
        play.mints_nothing(&agent, "one cent over the running total", &more, "over-budget");
    });
}

#[test]
fn an_identity_alone_allows_nothing() {
    scenario(("4.5", "The holder of a valid identity"), &[], |play| {
        let agent = play.agent("orders", &[("role", "orders")]);
        let confirm = ask("crm", "customer.confirm-identity", "customer/c-1")
            .and("workflow", "order-7")
            .and("step", "identity");
        let update = ask("crm", "customer.update-address", "customer/c-1")
            .with(json!({ "address": "1 Main Street" }))
            .and("workflow", "order-7")
            .and("step", "address");
        play.mints_nothing(&agent, "who it is, and nothing else", &update, "denied");
        let none = Minted { grant: String::new(), token: agent.key.clone(), ask: update.clone() };
        play.refuses("its credential, where a token is asked for", &none, "bad-token");
        let confirmed = play.mints(&agent, "the step before", &confirm);
        play.acts("the identity is confirmed", &confirmed);
        play.comes_to(&confirmed, "succeeded");
        let after = update.and("after", json!([confirmed.grant]));
        let token = play.mints(&agent, "at the point of use", &after);
        play.acts("the address", &token);
        let withdrawn = play.mints(&agent, "another token", &after);
        withdraw_the_policy(play);
        play.refuses("its policy withdrawn since", &withdrawn, "revoked");
        play.mints_nothing(&agent, "asked again", &after, "denied");
    });
}

/// Takes the rule out that lets addresses be changed.
fn withdraw_the_policy(play: &Play) {
    let file = play.stage.policies().join("40-action-authorization.datalog");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("// 4.5 who somebody is").unwrap();
    let (_rule, after) = rest.split_once("\n\n").unwrap();
    std::fs::write(&file, format!("{before}{after}")).unwrap();
    let tests = play.stage.policies().join("tests");
    std::fs::remove_dir_all(tests).unwrap();
    play.stage.reload();
}

#[test]
fn everything_that_one_workflow_or_agent_did_is_found_in_order() {
    scenario(("1.5", "A response team looks for what was chained"), &[], |play| {
        let [mine, other] =
            ["orders", "orders2"].map(|name| play.agent(name, &[("role", "orders")]));
        let confirm = |run: &str| {
            ask("crm", "customer.confirm-identity", "customer/c-1")
                .and("workflow", run)
                .and("step", "identity")
        };
        let first = play.mints(&mine, "a step of order-7", &confirm("order-7"));
        play.acts("it runs", &first);
        play.comes_to(&first, "succeeded");
        let update = ask("crm", "customer.update-address", "customer/c-1")
            .with(json!({ "address": "1 Main Street" }))
            .and("workflow", "order-7")
            .and("step", "address")
            .and("after", json!([first.grant]));
        let second = play.mints(&mine, "the next step of order-7", &update);
        let elsewhere = play.mints(&other, "a step of order-8", &confirm("order-8"));
        play.acts("the next step runs", &second);
        play.comes_to(&second, "succeeded");
        let of_workflow = play.finds("what order-7 did", "workflow=order-7");
        assert!(of_workflow.contains(&first.grant) && of_workflow.contains(&second.grant));
        assert!(!of_workflow.contains(&elsewhere.grant));
        let of_agent = play.finds("what orders2 did", "agent=key:orders2");
        assert!(of_agent.contains(&elsewhere.grant) && !of_agent.contains(&first.grant));
        play.verifies();
    });
}

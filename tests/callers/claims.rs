//! What the claims of a good token say to us, and what they cannot.

use farebox::callers::jwt::{Algorithm, Source, SourceKind, Tenancy, TrustDomain};
use farebox::callers::{Reason, Role, SourceName, Tenant};
use farebox_verifier::Audience;
use serde_json::{Value, json};

use super::ground::{Ground, NOW, at, oidc, path, rule};
use super::provider::{Answer, Provider};
use super::signing::{Key, claims_but, head};

/// What comes of a token with one more claim, at a source that a test has changed.
async fn who(
    change: impl FnOnce(&mut Source),
    name: &str,
    value: Value,
) -> Result<farebox::callers::Caller, Reason> {
    let key = Key::ed25519(1);
    let provider = Provider::start(Answer::Keys(vec![key.jwk("e")])).await;
    let mut source = oidc(at(&provider.url()));
    change(&mut source);
    let ground = Ground::taking(source);
    let caller = ground.who(&key.token(&head("EdDSA", "e"), &claims_but(name, value))).await?;
    Ok((*caller).clone())
}

fn unfit(claim: &str) -> Reason {
    Reason::Claim { from: SourceName::parse("corp").unwrap(), claim: claim.to_owned() }
}

#[tokio::test]
async fn verified_claims_become_attributes_and_others_do_not() {
    let told = |source: &mut Source| {
        source.attributes = vec![("repository".into(), path("repository_id"))];
    };
    let caller = who(told, "repository_id", json!("123")).await.unwrap();
    assert_eq!(caller.attributes, [("repository".to_owned(), "123".to_owned())]);
    let caller = who(told, "repository_id", json!(["1", 2, true])).await.unwrap();
    let values: Vec<_> = caller.attributes.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["1", "2", "true"]);
    let caller = who(told, "admin", json!(true)).await.unwrap();
    assert!(caller.attributes.is_empty(), "a claim that nobody asked for says nothing");
    // One that is there and cannot be told refuses the token: a rule may deny by it.
    for odd in [
        json!("a\u{202e}b"),
        json!("a\nb"),
        json!("x".repeat(513)),
        json!({ "a": 1 }),
        json!([["a"]]),
        json!([{}]),
    ] {
        assert_eq!(
            who(told, "repository_id", odd.clone()).await,
            Err(unfit("/repository_id")),
            "{odd}"
        );
    }
    let many: Vec<_> = (0..65).collect();
    assert!(matches!(who(told, "repository_id", json!(many)).await, Err(Reason::TooMuch { .. })));
}

#[tokio::test]
async fn a_token_without_its_tenant_or_its_owner_is_nobody() {
    let tenant = |source: &mut Source| source.tenant = Tenancy::Claim(path("org"));
    let caller = who(tenant, "org", json!("acme")).await.unwrap();
    assert_eq!(caller.tenant, Some(Tenant::parse("acme").unwrap()));
    for odd in [json!(null), json!("a/b"), json!("@acme"), json!(""), json!(["acme"])] {
        assert_eq!(who(tenant, "org", odd.clone()).await, Err(unfit("/org")), "{odd}");
    }
    let owner = |source: &mut Source| source.owner = Some(path("employee"));
    assert_eq!(who(owner, "employee", json!(7)).await.unwrap().owner.unwrap().as_str(), "7");
    assert_eq!(who(owner, "other", json!(7)).await, Err(unfit("/employee")));
    let fixed = |source: &mut Source| {
        source.tenant = Tenancy::Fixed(Tenant::parse("acme").unwrap());
    };
    let caller = who(fixed, "tenant", json!("other")).await.unwrap();
    assert_eq!(caller.tenant.unwrap().as_str(), "acme");
}

#[tokio::test]
async fn groups_come_from_the_claim_that_has_them() {
    let groups = |source: &mut Source| source.groups = Some(path("/realm/groups"));
    let caller =
        who(groups, "realm", json!({ "groups": ["finance", "a b", "sre"] })).await.unwrap();
    let names: Vec<_> = caller.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(names, ["finance", "sre"]);
    assert!(who(groups, "groups", json!(["finance"])).await.unwrap().groups.is_empty());
    let many: Vec<_> = (0..65).map(|n| n.to_string()).collect();
    let refused = who(groups, "realm", json!({ "groups": many })).await;
    assert_eq!(refused, Err(unfit("/realm/groups")));
}

#[tokio::test]
async fn all_rules_that_fit_count_together() {
    let rules = |source: &mut Source| {
        let mut spending = rule(&[("env", &["prod"]), ("team", &["billing"])], &[Role::Spend]);
        spending.spends_for = vec![Audience::parse("payments-api").unwrap()];
        source.rules = vec![
            rule(&[("team", &["billing"])], &[Role::Mint]),
            spending,
            rule(&[("team", &["sales"])], &[Role::Admin]),
        ];
    };
    let caller = who(rules, "env", json!("prod")).await.unwrap();
    assert_eq!(caller.roles.to_string(), "mint, spend");
    assert_eq!(caller.spends_for.len(), 1);
    let caller = who(rules, "env", json!("test")).await.unwrap();
    assert_eq!((caller.roles.to_string().as_str(), caller.spends_for.len()), ("mint", 0));
}

#[tokio::test]
async fn leeway_and_age_are_counted_to_the_second() {
    let from = || SourceName::parse("corp").unwrap();
    let leeway = |source: &mut Source| source.leeway_seconds = 30;
    assert!(who(leeway, "exp", json!(NOW - 29)).await.is_ok());
    assert!(matches!(who(leeway, "exp", json!(NOW - 30)).await, Err(Reason::Expired { .. })));
    assert!(who(leeway, "nbf", json!(NOW + 30)).await.is_ok());
    let early = who(leeway, "nbf", json!(NOW + 31)).await;
    assert_eq!(early, Err(Reason::NotYet { from: from() }));
    // A token of a clock that goes before ours says nothing of later than now.
    assert_eq!(who(leeway, "iat", json!(NOW + 30)).await.unwrap().authenticated.0, NOW);
    let age = |source: &mut Source| source.max_age_seconds = Some(60);
    assert!(who(age, "iat", json!(NOW - 60)).await.is_ok());
    let old = Err(Reason::TooOld { from: from() });
    assert_eq!(who(age, "iat", json!(NOW - 61)).await, old);
    assert_eq!(who(age, "iat", json!(null)).await, old, "nobody knows how old it is");
}

#[tokio::test]
async fn a_workload_s_token_makes_a_spiffe_agent_and_no_other_token_does() {
    let spiffe = |source: &mut Source| {
        source.kind = SourceKind::Spiffe { trust_domain: TrustDomain::parse("acme").unwrap() };
        source.algorithms = vec![Algorithm::EdDsa];
        source.rules = vec![rule(&[("sub", &["spiffe://acme/agents/*"])], &[Role::Mint])];
    };
    let caller = who(spiffe, "sub", json!("spiffe://acme/agents/billing")).await.unwrap();
    assert_eq!(caller.name.as_str(), "spiffe://acme/agents/billing");
    assert_eq!(caller.credential.word(), "spiffe");
    for (sub, why) in [
        ("spiffe://other/agents/billing", Reason::UnknownIssuer),
        ("spiffe://acme.evil/agents/billing", Reason::UnknownIssuer),
        ("spiffe://acme/agents/../admin", Reason::UnknownIssuer),
        ("alice", Reason::UnknownIssuer),
        ("spiffe://acme/admin", Reason::NoRule { from: SourceName::parse("corp").unwrap() }),
    ] {
        assert_eq!(who(spiffe, "sub", json!(sub)).await, Err(why), "{sub}");
    }
    // An identity provider that says so makes nobody a workload.
    let caller = who(|_| {}, "sub", json!("spiffe://acme/agents/billing")).await.unwrap();
    assert_eq!(caller.name.as_str(), "oidc:corp:spiffe://acme/agents/billing");
}

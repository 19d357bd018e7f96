//! Decisions that are not the approver's, or not about this.

use farebox_verifier::{Action, Audience, Resource};

use super::*;
use crate::signer::PrivateKey;
use crate::store::desk::{Body, DecisionSignature, Need, Needs, Owner, Reason};

fn proposal() -> Proposal {
    Proposal {
        grant: GrantId::from_bytes([1; 16]),
        requester: Caller::parse("key:agent").unwrap(),
        owner: Owner::parse("olivia").unwrap(),
        agent: Agent::parse("key:agent").unwrap(),
        workflow: None,
        plan: None,
        audience: Audience::parse("erp").unwrap(),
        action: Action::parse("erp.pay-invoice").unwrap(),
        resource: Resource::parse("invoice/7").unwrap(),
        policy: PolicyHash::from_bytes([9; 32]),
        request: RequestHash([3; 32]),
        needs: Needs::new(vec![Need { group: finance(), count: 1 }]).unwrap(),
        until: UnixSeconds(1_800_003_600),
        body: Body::new(b"{}").unwrap(),
    }
}

fn finance() -> Group {
    Group::parse("finance").unwrap()
}

#[test]
fn a_decision_is_its_approvers_word_about_one_request() {
    let (key, stranger) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let (proposal, group, alice) = (proposal(), finance(), Caller::parse("key:alice").unwrap());
    let said = Statement::on(&proposal, &alice, &group, Verdict::Approve);
    let text = said.sign("key:alice", |message| key.sign(message));
    assert_eq!(said.is_in(&text, &key.public()), Ok(()));
    assert_eq!(said.is_in(&text, &stranger.public()), Err(JwsFlaw::Signature.into()));
    let in_another_name = said.sign("key:bob", |message| key.sign(message));
    assert_eq!(said.is_in(&in_another_name, &key.public()), Err(DecisionFlaw::OtherName));
    let refusal = Statement { verdict: Verdict::Refuse, ..said };
    assert_eq!(refusal.is_in(&text, &key.public()), Err(DecisionFlaw::OtherStatement));
}

#[test]
fn a_decision_on_one_request_is_none_on_another() {
    let key = PrivateKey::generate().unwrap();
    let (proposal, group, alice) = (proposal(), finance(), Caller::parse("key:alice").unwrap());
    let sign = |proposal: &Proposal| {
        let said = Statement::on(proposal, &alice, &group, Verdict::Approve);
        said.sign("key:alice", |message| key.sign(message))
    };
    let others = [
        Proposal { grant: GrantId::from_bytes([2; 16]), ..proposal.clone() },
        Proposal { request: RequestHash([4; 32]), ..proposal.clone() },
        Proposal { agent: Agent::parse("key:other").unwrap(), ..proposal.clone() },
        Proposal { policy: PolicyHash::from_bytes([8; 32]), ..proposal.clone() },
        Proposal { until: UnixSeconds(1_800_003_601), ..proposal.clone() },
    ];
    let said = Statement::on(&proposal, &alice, &group, Verdict::Approve);
    for other in others {
        let refused = said.is_in(&sign(&other), &key.public());
        assert_eq!(refused, Err(DecisionFlaw::OtherStatement), "{other:?}");
    }
}

#[test]
fn evidence_that_the_same_key_signed_is_no_decision() {
    let key = PrivateKey::generate().unwrap();
    let (proposal, group, alice) = (proposal(), finance(), Caller::parse("key:alice").unwrap());
    let said = Statement::on(&proposal, &alice, &group, Verdict::Approve);
    let text = jws::sign(crate::evidence::TYPE, "key:alice", &said.json(), |m| key.sign(m));
    assert_eq!(said.is_in(&text, &key.public()), Err(JwsFlaw::Head.into()));
}

#[test]
fn what_a_token_keeps_depends_on_every_decision_and_their_order() {
    let decision = |signed: &[u8]| Decision {
        approver: Caller::parse("key:alice").unwrap(),
        owner: Owner::parse("alice").unwrap(),
        group: finance(),
        verdict: Verdict::Approve,
        reason: Reason::parse("fine").unwrap(),
        signature: DecisionSignature::new(signed).unwrap(),
    };
    let lists: [&[&[u8]]; 5] = [&[], &[b"ab"], &[b"a", b"b"], &[b"b", b"a"], &[b"ab", b""]];
    let digests: Vec<_> = lists
        .iter()
        .map(|list| digest_of(&list.iter().map(|text| decision(text)).collect::<Vec<_>>()))
        .collect();
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[at + 1..].contains(digest), "{at}");
    }
}

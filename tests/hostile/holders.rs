//! Tokens bound to a holder, and proofs that are none, old, or another's.

use farebox_verifier::token::narrow;
use farebox_verifier::{Caveat, Grant, Proof};

use crate::forge;
use crate::refusals::{bound_to_holder, bounded, code};
use crate::world::{Asked, NOW, asked, grant, key, world};

#[test]
fn a_bound_token_is_worth_nothing_without_its_holder() {
    let world = world();
    let token = world.mint(&bound_to_holder(&world));
    let thief = key(66);
    assert_eq!(code(&world, &token, &asked()), "holder-proof-missing");
    let by_thief = asked().proved(&token, &thief, NOW);
    assert_eq!(code(&world, &token, &by_thief), "holder-proof-missing");
    let by_holder = asked().proved(&token, &world.holder, NOW);
    assert_eq!(code(&world, &token, &by_holder), "verified");
    // One's own key in the proof does not make another's signature one's own.
    let text = by_holder.proofs[0].to_string();
    let swapped = by_thief.proofs[0].to_string();
    let forged = [text.split('.').next().unwrap(), swapped.split_once('.').unwrap().1].join(".");
    let forged = Asked { proofs: vec![Proof::parse(&forged).unwrap()], ..asked() };
    assert_eq!(code(&world, &token, &forged), "holder-proof-invalid");
}

#[test]
fn a_proof_is_fresh_for_half_a_minute_either_way() {
    let world = world();
    let token = world.mint(&bound_to_holder(&world));
    for (made, expected) in [
        (NOW.minus(31), "holder-proof-invalid"),
        (NOW.minus(30), "verified"),
        (NOW.plus(30), "verified"),
        (NOW.plus(31), "holder-proof-invalid"),
    ] {
        let asked = asked().proved(&token, &world.holder, made);
        assert_eq!(code(&world, &token, &asked), expected, "{made}");
    }
}

#[test]
fn a_proof_fits_no_other_token_and_no_other_request() {
    let world = world();
    let bound = bound_to_holder(&world);
    let token = world.mint(&bound);
    let other = world.mint(&Grant { id: farebox_verifier::GrantId::from_bytes([8; 16]), ..bound });
    let for_other = asked().proved(&other, &world.holder, NOW);
    assert_eq!(code(&world, &token, &for_other), "holder-proof-invalid");
    let narrowed = narrow(&token, &[Caveat::Before(NOW.plus(20))]).unwrap();
    let for_whole = asked().proved(&token, &world.holder, NOW);
    assert_eq!(code(&world, &narrowed, &for_whole), "holder-proof-invalid");

    let varying = Grant { holder: Some(world.holder.public()), ..bounded() };
    let token = world.mint(&varying);
    let proofs = asked().proved(&token, &world.holder, NOW).proofs;
    let changed = Asked { proofs, ..asked().params(r#"{"amount":4001,"to":"acme"}"#) };
    // Within the bounds, but not what the holder sent.
    assert_eq!(code(&world, &token, &changed), "holder-proof-invalid");
}

#[test]
fn a_token_handed_to_a_worker_is_that_worker_s_alone() {
    let (world, worker) = (world(), key(5));
    let handed = narrow(&world.mint(&grant()), &[Caveat::Proved(worker.public())]).unwrap();
    assert_eq!(code(&world, &handed, &asked()), "holder-proof-missing");
    assert_eq!(code(&world, &handed, &asked().proved(&handed, &worker, NOW)), "verified");
    let both =
        narrow(&world.mint(&bound_to_holder(&world)), &[Caveat::Proved(worker.public())]).unwrap();
    let worker_only = asked().proved(&both, &worker, NOW);
    assert_eq!(code(&world, &both, &worker_only), "holder-proof-missing");
    let by_both = worker_only.proved(&both, &world.holder, NOW);
    assert_eq!(code(&world, &both, &by_both), "verified");
}

#[test]
fn a_proof_by_a_small_order_key_is_not_read() {
    let zeros = forge::encode(&[0; 32]);
    let signature = forge::encode(&[0; 64]);
    assert!(Proof::parse(&format!("{zeros}.{}.{signature}", NOW.0)).is_err());
}

#[test]
fn a_proof_that_is_none_is_not_read() {
    let world = world();
    let token = world.mint(&bound_to_holder(&world));
    let good = asked().proved(&token, &world.holder, NOW).proofs[0].to_string();
    let (key, rest) = good.split_once('.').unwrap();
    for bad in [
        String::new(),
        format!("{good}."),
        format!("{key}.{key}"),
        format!("{key}.+{rest}"),
        format!("{key}=.{rest}"),
        format!("{key}.-1.{}", rest.split_once('.').unwrap().1),
        format!(" {good}"),
    ] {
        assert!(Proof::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_proof_does_not_show() {
    let world = world();
    let token = world.mint(&bound_to_holder(&world));
    let proof = &asked().proved(&token, &world.holder, NOW).proofs[0];
    let text = proof.to_string();
    let signature = forge::bytes(text.rsplit('.').next().unwrap());
    let shown = format!("{proof:?}");
    assert!(!shown.contains(&text) && !shown.contains(&format!("{signature:?}")), "{shown}");
}

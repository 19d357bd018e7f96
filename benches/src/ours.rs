//! farebox's own paths, each from text to decision or from grant to text.

use std::hint::black_box;

use farebox_verifier::token::narrow;
use farebox_verifier::*;

use crate::fixture::{self, World, request, world};
use crate::meter::Case;

/// Takes a token from its text to the decision.
fn verify(world: &World, token: &str, proofs: &[Proof], grant: &Grant) -> Result<(), Refusal> {
    let request = request(world, grant, proofs);
    let verified = world.verifier.verify(Presented::read(token)?, &request)?;
    black_box(verified.end());
    Ok(())
}

fn accepted(name: &'static str, token: impl Fn(&World) -> String, proved: bool) -> Case {
    let world = world();
    let (token, grant) = (token(&world), world.grant());
    let proofs = if proved { vec![world.proof(&token)] } else { vec![] };
    Case::new(name, move || verify(&world, &token, &proofs, &grant).unwrap())
}

pub fn cases() -> Vec<Case> {
    let (w, g) = (world(), world().grant());
    let mint = Case::new("mint", move || drop(black_box(w.signer.mint(&g).unwrap())));
    let (w, caveats) = (world(), fixture::narrowing());
    let token = w.signer.mint(&w.grant()).unwrap();
    let narrow = Case::new("attenuate", move || drop(black_box(narrow(&token, &caveats).unwrap())));
    let token = w.mint(&w.grant());
    let read = Case::new("read", move || drop(black_box(Presented::read(&token).unwrap())));
    vec![
        read,
        accepted("verify", |w| w.mint(&w.grant()), false),
        accepted("verify with proof", |w| w.mint(&w.bound_to_holder()), true),
        accepted("verify 2 blocks", World::narrowed, false),
        accepted("verify bounds", |w| w.mint(&w.with_bounds()), false),
        accepted("verify third party", World::with_statement, false),
        mint,
        narrow,
    ]
}

fn refused(
    name: &'static str,
    code: &'static str,
    token: impl Fn(&World) -> String,
    change: impl Fn(&mut Grant),
) -> Case {
    let world = world();
    let (token, mut grant) = (token(&world), world.grant());
    change(&mut grant);
    Case::new(name, move || {
        assert_eq!(verify(&world, &token, &[], &grant).unwrap_err().code(), code);
    })
}

pub fn refusals() -> Vec<Case> {
    let plain = |w: &World| w.mint(&w.grant());
    let flipped = |w: &World| {
        let mut token = w.mint(&w.grant()).into_bytes();
        if let Some(byte) = token.get_mut(200) {
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        String::from_utf8(token).unwrap()
    };
    vec![
        refused("refuse: other resource", "wrong-resource", plain, |grant| {
            grant.resource = Resource::parse("account/43").unwrap();
        }),
        refused(
            "refuse: no proof",
            "holder-proof-missing",
            |w| w.mint(&w.bound_to_holder()),
            |_| (),
        ),
        refused("refuse: deep join", "bad-token", World::with_deep_join, |_| ()),
        refused("refuse: bit flipped", "bad-token", flipped, |_| ()),
        refused("refuse: cut", "bad-token", |w| w.mint(&w.grant())[..500].to_owned(), |_| ()),
        refused("refuse: too long", "bad-token", |_| "A".repeat(100_000), |_| ()),
    ]
}

//! Random tokens of the whole vocabulary, against requests that half of them cover.

use farebox_verifier::{Caveat, Presented, TokenText};

use super::asked::Asked;
use super::chance::Chance;
use super::draw::{Drawn, drawn};
use super::engine;
use super::tally::Tally;
use super::world::World;

#[test]
fn the_engine_agrees_on_random_tokens() {
    let world = World::new();
    let (mut tally, mut accepted) = (Tally::default(), Tally::default());
    for seed in 0..16_000 {
        // Half of the tokens go wrong seldom, the others often.
        let slips = if seed % 2 == 0 { 400 } else { 12 };
        let mut chance = Chance::of(seed).with_slips(slips);
        let Drawn { token, grant, asked, steps } = drawn(&mut chance, &world);
        let end = world.agreed(&token, &asked);
        tally.count(end);
        if end == "accepted" {
            steps.iter().for_each(|step| accepted.count(step));
            grant.caveats.iter().for_each(|caveat| accepted.count(kind(caveat)));
        }
        if seed % 4 == 0 {
            around_its_end(&world, &token, &asked);
            engine::assert_means(&token, &grant, &world.signer);
        }
    }
    tally.print("random");
    accepted.print("random, accepted, by what they hold");
    assert!(tally.of("accepted") > 4000 && tally.of("") - tally.of("accepted") > 4000);
    for code in CODES {
        assert!(tally.of(code) > 20, "{code}: {}", tally.of(code));
    }
    for part in PARTS {
        assert!(accepted.of(part) > 100, "{part}: {}", accepted.of(part));
    }
}

/// Every code that a verdict without a store can have.
const CODES: [&str; 10] = [
    "bad-token",
    "expired",
    "not-yet-valid",
    "wrong-audience",
    "wrong-action",
    "wrong-resource",
    "wrong-params",
    "holder-proof-missing",
    "holder-proof-invalid",
    "caveat-failed",
];

/// What a token can hold beside its grant.
const PARTS: [&str; 13] = [
    "before",
    "int at most",
    "int at least",
    "text is",
    "text one of",
    "text prefix",
    "proved",
    "signed",
    "output max",
    "output one of",
    "narrowed",
    "stated of",
    "sealed",
];

fn kind(caveat: &Caveat) -> &'static str {
    match caveat {
        Caveat::Before(_) => "before",
        Caveat::IntAtMost(..) => "int at most",
        Caveat::IntAtLeast(..) => "int at least",
        Caveat::TextIs(..) => "text is",
        Caveat::TextOneOf(..) => "text one of",
        Caveat::TextPrefix(..) => "text prefix",
        Caveat::Proved(_) => "proved",
        Caveat::Signed(..) => "signed",
        Caveat::OutputMax(..) => "output max",
        Caveat::OutputOneOf(..) => "output one of",
        other => panic!("a caveat that no test draws: {other}"),
    }
}

/// The last second is the last for both.
fn around_its_end(world: &World, token: &TokenText, asked: &Asked) {
    let Ok(presented) = Presented::read(token.expose()) else { return };
    let Ok(verified) = world.verify(presented, asked) else { return };
    let end = verified.end();
    assert_eq!(world.agreed(token, &Asked { now: end, ..asked.clone() }), "expired");
    world.agreed(token, &Asked { now: end.minus(1), ..asked.clone() });
}

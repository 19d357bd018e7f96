//! Random tokens of the whole vocabulary, against requests that half of them cover.

use super::asked::Asked;
use super::chance::Chance;
use super::draw::{Drawn, drawn};
use super::engine;
use super::tally::Tally;
use super::world::World;

const TOKENS: u64 = 16_000;

#[test]
fn the_engine_agrees_on_random_tokens() {
    let world = World::new();
    let (mut tally, mut shapes) = (Tally::default(), Tally::default());
    for seed in 0..TOKENS {
        // Half of the tokens go wrong seldom, the others often.
        let slips = if seed % 2 == 0 { 400 } else { 12 };
        let mut chance = Chance::of(seed).with_slips(slips);
        let Drawn { token, grant, asked, shape } = drawn(&mut chance, &world);
        let end = world.agreed(&token, &asked);
        tally.count(end);
        if end == "accepted" {
            shapes.count(&format!(
                "{} caveats, narrowed {} times, stated of {}, sealed {}",
                grant.caveats.len().min(4),
                shape.narrowed,
                shape.stated,
                shape.sealed,
            ));
        }
        if seed % 4 == 0 {
            around_its_end(&world, &token, &asked);
            engine::assert_means(&token, &grant, &world.signer);
        }
    }
    tally.print("random");
    shapes.print("random, accepted");
    let accepted = tally.of("accepted");
    assert!(accepted * 3 > TOKENS.try_into().unwrap(), "{accepted} accepted");
    for code in CODES {
        assert!(tally.of(code) > 20, "{code}: {}", tally.of(code));
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

/// The last second is the last for both.
fn around_its_end(world: &World, token: &farebox_verifier::TokenText, asked: &Asked) {
    let Ok(presented) = farebox_verifier::Presented::read(token.expose()) else { return };
    let Ok(verified) = world.verify(presented, asked) else { return };
    let end = verified.end();
    assert_eq!(world.agreed(token, &Asked { now: end, ..asked.clone() }), "expired");
    world.agreed(token, &Asked { now: end.minus(1), ..asked.clone() });
}

//! What refusing costs beside accepting, in the same run.

use std::time::{Duration, Instant};

use farebox::signer::Signer;
use farebox_verifier::token::narrow;
use farebox_verifier::{Caveat, CaveatText, Grant, OneOf, OutputName, Pointer, Resource};

use crate::forge::{self, changed, encode, with_block};
use crate::world::{Asked, KEY_ID, NOW, World, asked, grant, key, world};

struct Case {
    name: &'static str,
    token: String,
    asked: Asked,
    code: &'static str,
}

/// The least that each case took, measured turn by turn: the least is what the work itself costs,
/// whatever else the machine does.
fn least(world: &World, cases: &[&Case]) -> Vec<Duration> {
    let mut least = vec![Duration::MAX; cases.len()];
    for _ in 0..60 {
        for (case, least) in cases.iter().zip(&mut least) {
            #[expect(clippy::disallowed_methods, reason = "how long, not what time")]
            let begun = Instant::now();
            for _ in 0..4 {
                assert_eq!(world.code(&case.token, &case.asked), case.code, "{}", case.name);
            }
            *least = (*least).min(begun.elapsed());
        }
    }
    least
}

/// In the place of a number of blocks: as much for the reader as one block can be.
const LARGE: u8 = 3;

fn large() -> Grant {
    let text = |i: usize| CaveatText::parse(&format!("{i:040}")).unwrap();
    let mut caveats = vec![Caveat::Before(NOW.plus(50)); 22];
    let set = |i: usize| OneOf::new((i..i + 32).map(text)).unwrap();
    caveats
        .extend([0, 1].map(|i| Caveat::OutputOneOf(OutputName::parse("class").unwrap(), set(i))));
    Grant { caveats, ..grant() }
}

fn accepted(world: &World, blocks: u8) -> Case {
    let mut token = world.mint(&grant());
    for _ in 1..blocks {
        token = narrow(&token, &[Caveat::Before(NOW.plus(30))]).unwrap();
    }
    let (token, asked) = (token.expose().to_owned(), asked());
    Case { name: "accepted", token, asked, code: "verified" }
}

/// Hostile tokens that the shape alone refuses, with the blocks that they have.
fn by_shape(world: &World) -> Vec<(u8, Case)> {
    let token = world.mint(&grant());
    let case =
        |name, blocks, token| (blocks, Case { name, token, asked: asked(), code: "bad-token" });
    let facts: String = (0..24).map(|i| format!("x({i});")).collect();
    let burner = format!("{facts} check if x($a), x($b), x($c), x($d), x($e), $a < 0");
    let regex = r#"check if text("/to", $v), $v.matches("(?:[a-z]{1000}){8}x")"#;
    let many: String = (0..90).map(|i| format!("a{i:04}z({i});")).collect();
    let set = (0..32).map(|i| format!("\"a{i:06}z\"")).collect::<Vec<_>>().join(",");
    let checks: String =
        (0..10).map(|i| format!("check if text(\"/{i}\", $v), {{{set}}}.contains($v);")).collect();
    let bytes = forge::bytes(token.expose());
    vec![
        case("deep join", 2, with_block(world, &token, &burner)),
        case("regex", 2, with_block(world, &token, regex)),
        case("many facts", 2, with_block(world, &token, &many)),
        case("many checks", 2, with_block(world, &token, &checks)),
        case("cut", 1, encode(&bytes[..bytes.len() - 40])),
        case("too long", 1, "A".repeat(1_000_000)),
        case("zeros", 1, "A".repeat(5000)),
        case(
            "many blocks",
            1,
            changed(token.expose(), |t| {
                t.blocks = vec![t.authority.clone(); 3];
            }),
        ),
    ]
}

/// Hostile tokens of the right shape.
fn by_content(world: &World) -> Vec<(u8, Case)> {
    let token = world.mint(&grant());
    let flipped = changed(token.expose(), |t| t.authority.signature[5] ^= 1);
    let other = Asked { resource: Resource::parse("account/43").unwrap(), ..asked() };
    let bound = world.mint(&Grant { holder: Some(world.holder.public()), ..grant() });
    let tight = Caveat::IntAtMost(Pointer::parse("/amount").unwrap(), 1);
    let narrowed = narrow(&token, &[tight]).unwrap();
    let cut = changed(narrowed.expose(), |t| t.blocks.clear());
    let forged = Signer::new(KEY_ID, key(99)).mint(&large()).unwrap();
    let unknown = changed(token.expose(), |t| t.root_key_id = Some(1));
    let case = |name, blocks, token: &str, asked, code| {
        (blocks, Case { name, token: token.to_owned(), asked, code })
    };
    vec![
        case("bad signature", 1, &flipped, asked(), "bad-token"),
        case("other resource", 1, token.expose(), other, "wrong-resource"),
        case("no proof", 1, bound.expose(), asked(), "holder-proof-missing"),
        case("narrowed", 2, narrowed.expose(), asked(), "caveat-failed"),
        case("block dropped", 1, &cut, asked(), "bad-token"),
        case("large and forged", LARGE, forged.expose(), asked(), "bad-token"),
        case("unknown key", 1, &unknown, asked(), "unknown-key"),
    ]
}

#[test]
fn no_refusal_costs_more_than_accepting_and_one_by_shape_less_than_a_tenth() {
    let world = world();
    let token = world.mint(&large()).expose().to_owned();
    let large = Case { name: "large", token, asked: asked(), code: "verified" };
    let good = [accepted(&world, 1), accepted(&world, 2), large];
    let (shape, content) = (by_shape(&world), by_content(&world));
    let hostile: Vec<_> = shape.iter().chain(&content).collect();
    let cases: Vec<&Case> = good.iter().chain(hostile.iter().map(|(_, case)| case)).collect();
    let least = least(&world, &cases);
    let (good, costs) = least.split_at(good.len());
    assert!(good[2] < good[0] * 2, "a large token costs {:?}, one block {:?}", good[2], good[0]);
    for (i, ((blocks, case), cost)) in hostile.iter().zip(costs).enumerate() {
        let share = cost.as_secs_f64() / good[usize::from(*blocks) - 1].as_secs_f64();
        println!("{:16} {share:.3} of accepting {blocks} block(s)", case.name);
        // A tenth of room above 1: the same work twice does not take the same time twice.
        let most = if i < shape.len() { 0.1 } else { 1.1 };
        assert!(share < most, "{} costs {share:.3}, {most} is the most", case.name);
    }
}

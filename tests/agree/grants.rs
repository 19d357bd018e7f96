//! Grants of the whole vocabulary, drawn to cover a request but for the slips.

use farebox_verifier::{
    Action, Agent, ApprovalDigest, Audience, Caveat, CaveatText, Generation, Grant, GrantId, Leaf,
    OneOf, OutputName, Params, ParamsDigest, Pointer, PolicyHash, Purpose, Resource, Seat, Seats,
    Shard, StatementName, Step, StoreName, UnixSeconds, Uses, Window, Workflow,
};

use super::asked::Asked;
use super::chance::Chance;
use super::values::{self, WORDS};
use super::world::World;

/// A grant that covers what is asked, unless chance slips.
pub(crate) fn grant(chance: &mut Chance, world: &World, asked: &Asked) -> Grant {
    let (varies, mut caveats) = varying(chance, &asked.params);
    for _ in 0..chance.below(5) {
        caveats.push(caveat(chance, world, asked));
    }
    let word = |chance: &mut Chance| chance.pick(&WORDS);
    Grant {
        id: GrantId::from_bytes(chance.bytes()),
        action: name(chance, &asked.action, Action::parse),
        resource: name(chance, &asked.resource, Resource::parse),
        params: digest(&asked.params, &varies),
        audience: name(chance, &asked.audience, Audience::parse),
        window: window(chance, asked.now),
        agent: Agent::parse(word(chance)).unwrap(),
        policy: PolicyHash::from_bytes([chance.byte(); 32]),
        varies,
        approval: chance.once_in(4).then(|| ApprovalDigest::from_bytes(chance.bytes())),
        stores: chance.once_in(2).then(|| seats(chance)),
        workflow: chance
            .once_in(3)
            .then(|| (Workflow::parse(word(chance)).unwrap(), Step::parse(word(chance)).unwrap())),
        purpose: chance.once_in(3).then(|| {
            Purpose::parse(chance.pick(&["invoice \"7\"", "read", "a\\b", "{x} $v"])).unwrap()
        }),
        holder: chance.once_in(3).then(|| chance.choose(&world.holders).public()),
        uses: if chance.once_in(40) { Uses::Fresh } else { Uses::Once },
        caveats,
    }
}

fn name<N: Clone, E: std::fmt::Debug>(
    chance: &mut Chance,
    asked: &N,
    parse: fn(&str) -> Result<N, E>,
) -> N {
    if chance.slip() { parse(chance.pick(&WORDS)).unwrap() } else { asked.clone() }
}

fn digest(params: &Params, varies: &[Pointer]) -> ParamsDigest {
    if varies.is_empty() { params.digest() } else { params.digest_without(varies).unwrap() }
}

/// Members that vary, and the caveats that hold them.
fn varying(chance: &mut Chance, params: &Params) -> (Vec<Pointer>, Vec<Caveat>) {
    let mut varies = Vec::new();
    let mut caveats = Vec::new();
    for (at, leaf) in values::leaves(params) {
        if chance.once_in(6) && params.digest_without([&at]).is_ok() {
            caveats.push(about(chance, &at, leaf));
            varies.push(at);
        }
    }
    varies.sort_unstable();
    (varies, caveats)
}

/// A window around the time of the request, often with an edge on it.
fn window(chance: &mut Chance, now: UnixSeconds) -> Window {
    let (before, after) = (*chance.choose(&[0, 1, 30]), *chance.choose(&[1, 2, 60]));
    let (from, end) = if chance.slip() {
        *chance.choose(&[(now.plus(1), now.plus(60)), (now.minus(60), now)])
    } else {
        (now.minus(before), now.plus(after))
    };
    Window::between(from, end).unwrap()
}

fn seats(chance: &mut Chance) -> Seats {
    let names = ["r1", "read", "r3", "00", "r5"];
    let count = 1 + chance.below(5);
    let seat = |name: &&str| Seat {
        store: StoreName::parse(name).unwrap(),
        shard: Shard::parse(chance.pick(&["00", "ff", "7a"])).unwrap(),
        generation: Generation::from_bytes(chance.bytes()),
        sequence: *chance.choose(&[0, 17, u64::try_from(i64::MAX).unwrap()]),
    };
    let seats: Vec<_> = names.iter().take(count).map(seat).collect();
    Seats::new(u8::try_from(count / 2 + 1).unwrap(), seats).unwrap()
}

/// A caveat of any kind, that holds unless chance slips.
pub(crate) fn caveat(chance: &mut Chance, world: &World, asked: &Asked) -> Caveat {
    let slip = chance.slip();
    match chance.below(12) {
        0 if slip => Caveat::Before(asked.now.minus(u64::from(chance.once_in(2)))),
        0 => Caveat::Before(asked.now.plus(*chance.choose(&[1, 2, 1000]))),
        1 => Caveat::OutputMax(output(chance), i64::from(chance.byte()) - 9),
        2 => Caveat::OutputOneOf(output(chance), one_of(chance, "acme")),
        3 => Caveat::Proved(chance.choose(&world.holders).public()),
        4 => signed(chance, world),
        _ => {
            let leaves = values::leaves(&asked.params);
            if leaves.is_empty() || slip && chance.once_in(2) {
                return nowhere(chance);
            }
            let (at, leaf) = chance.choose(&leaves);
            about(chance, at, *leaf)
        }
    }
}

/// A caveat on a place where there may be nothing.
fn nowhere(chance: &mut Chance) -> Caveat {
    let at = values::place(chance);
    let leaf = chance.choose(&[Leaf::Int(5), Leaf::Text("acme"), Leaf::Text("")]);
    about(chance, &at, *leaf)
}

/// A caveat on a leaf.
fn about(chance: &mut Chance, at: &Pointer, leaf: Leaf<'_>) -> Caveat {
    let at = at.clone();
    match (leaf, chance.slip()) {
        (Leaf::Int(value), false) => match chance.below(4) {
            0 => Caveat::IntAtMost(at, value),
            1 => Caveat::IntAtLeast(at, value),
            2 => Caveat::IntAtMost(at, *chance.choose(&[value + 1, i64::MAX])),
            _ => Caveat::IntAtLeast(at, *chance.choose(&[value - 1, i64::MIN])),
        },
        (Leaf::Int(value), true) => match chance.below(4) {
            0 => Caveat::IntAtMost(at, value - 1),
            1 => Caveat::IntAtLeast(at, value + 1),
            2 => Caveat::TextIs(at, caveat_text(&value.to_string())),
            _ => Caveat::IntAtMost(at, i64::MIN),
        },
        // What starts with nothing holds nothing, and no token says so of a member that varies.
        (Leaf::Text(""), false) => Caveat::TextIs(at, caveat_text("")),
        (Leaf::Text(text), false) => match chance.below(4) {
            0 => Caveat::TextIs(at, caveat_text(text)),
            1 => Caveat::TextOneOf(at, one_of(chance, text)),
            2 => Caveat::TextPrefix(at, caveat_text(text)),
            _ => {
                let start: String = text.chars().take(1 + chance.below(2)).collect();
                Caveat::TextPrefix(at, caveat_text(&start))
            }
        },
        (Leaf::Text(text), true) => match chance.below(4) {
            0 => Caveat::TextIs(at, caveat_text(values::text(chance))),
            1 => Caveat::TextOneOf(at, one_of(chance, "initech")),
            2 => Caveat::TextPrefix(at, caveat_text(&format!("{text}x"))),
            _ => Caveat::IntAtLeast(at, i64::MIN),
        },
        _ => Caveat::IntAtMost(at, 0),
    }
}

/// The text as far as a caveat can hold it.
fn caveat_text(text: &str) -> CaveatText {
    let shown: String = text.chars().take_while(|c| !c.is_control()).collect();
    CaveatText::parse(&shown).unwrap()
}

fn one_of(chance: &mut Chance, member: &str) -> OneOf {
    let others: Vec<&str> = (0..chance.below(4)).map(|_| values::text(chance)).collect();
    OneOf::new(others.into_iter().chain([member]).map(caveat_text)).unwrap()
}

fn output(chance: &mut Chance) -> OutputName {
    OutputName::parse(chance.pick(&["rows", "/records", "read", "v"])).unwrap()
}

fn signed(chance: &mut Chance, world: &World) -> Caveat {
    let name = StatementName::parse(chance.pick(&["change_approved", "read", "role", "t"]));
    let value = caveat_text(values::text(chance));
    Caveat::Signed(name.unwrap(), value, chance.choose(&world.parties).public())
}

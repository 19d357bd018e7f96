//! Holders' blocks typed as Datalog text: what farebox reads, the engine decides alike; what is outside
//! of the vocabulary is no token here, whatever the engine makes of it.

use biscuit_auth::UnverifiedBiscuit;
use biscuit_auth::builder::BlockBuilder;
use farebox_verifier::{
    Action, Agent, Audience, Grant, GrantId, Outputs, Params, PolicyHash, Proof, RequestDigest,
    Resource, TokenText, Uses, Window,
};

use super::asked::{Asked, Sees};
use super::chance::Chance;
use super::engine;
use super::tally::Tally;
use super::vocabulary::{self, OUTSIDE};
use super::world::{NOW, World, engines_key};

const PARAMS: [&str; 8] = [
    r#"{"amount":5,"to":"acme","note":"src/main","list":[5,"acme"]}"#,
    r#"{"amount":4000,"to":"acme corp","note":"","list":[1,"read"],"nested":{"amount":0}}"#,
    r#"{"amount":0,"to":"globex","note":"read"}"#,
    r#"{"amount":-1,"to":"read","list":["x",1]}"#,
    r#"{"amount":"5","to":5,"note":"query"}"#,
    r#"{"amount":5.5,"to":null,"nested":{"amount":4000}}"#,
    r#"{"amount":4000.0,"to":"","note":"/to"}"#,
    "{}",
];

/// A token of one block with the request that it covers.
struct Base {
    open: UnverifiedBiscuit,
    asked: Asked,
}

fn bases(world: &World) -> Vec<Base> {
    let base = |text: &&str| {
        let params = Params::parse(text.as_bytes()).unwrap();
        let grant = grant(&params);
        let token = world.signer.mint(&grant).unwrap();
        let asked = asked(&grant, params);
        Base { open: UnverifiedBiscuit::from_base64(token.expose()).unwrap(), asked }
    };
    PARAMS.iter().map(base).collect()
}

/// A plain grant with these parameters.
pub(crate) fn grant(params: &Params) -> Grant {
    Grant {
        id: GrantId::from_bytes([7; 16]),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        params: params.digest(),
        audience: Audience::parse("payments-api").unwrap(),
        window: Window::minted(NOW, 60).unwrap(),
        agent: Agent::parse("key:billing").unwrap(),
        policy: PolicyHash::NONE,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    }
}

/// The request that it covers.
pub(crate) fn asked(grant: &Grant, params: Params) -> Asked {
    Asked {
        audience: grant.audience.clone(),
        action: grant.action.clone(),
        resource: grant.resource.clone(),
        params,
        sees: Sees::Params,
        proofs: Vec::new(),
        outputs: Outputs::Enforced,
        now: NOW,
    }
}

impl Base {
    /// The token with one more block for each text.
    fn narrowed(&self, texts: &[String]) -> TokenText {
        let append = |open: UnverifiedBiscuit, text: &String| {
            let block =
                BlockBuilder::new().code(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            open.append_with_keypair(&engines_key([9; 32]), block).unwrap()
        };
        let open = texts.iter().fold(self.open.clone(), append);
        engine::text(&open.to_vec().unwrap())
    }

    /// The request, with a proof by a holder whom the checks may name.
    fn proved(&self, chance: &mut Chance, world: &World, token: &TokenText) -> Asked {
        let asked = &self.asked;
        let holder = chance.choose(&world.holders);
        let digest = asked.params.digest();
        let digest =
            RequestDigest::of(&asked.action, &asked.resource, &asked.audience, digest, None);
        let by = (holder.public(), NOW);
        let proof = Proof::make(token, &asked.audience, &digest, by, |m| holder.sign(m)).unwrap();
        let outputs = if chance.once_in(8) { Outputs::Unseen } else { Outputs::Enforced };
        Asked { proofs: vec![proof], outputs, ..asked.clone() }
    }
}

/// So many statements, one after the other.
fn statements(count: usize, draw: impl FnMut() -> String) -> String {
    std::iter::repeat_with(draw).take(count).map(|statement| statement + ";\n").collect()
}

#[test]
fn the_engine_agrees_on_what_a_holder_types() {
    let world = World::new();
    let bases = bases(&world);
    let keys = [0, 1, 2].map(|i: usize| world.holders[i].public().to_string());
    let mut tally = Tally::default();
    for seed in 0..8000 {
        let mut chance = Chance::of(seed);
        let base = chance.choose(&bases);
        let blocks = if chance.once_in(4) { 2 } else { 1 };
        let block = || {
            let checks = if chance.once_in(4) { 1 + chance.below(4) } else { 1 };
            statements(checks, || vocabulary::inside(&mut chance, &keys))
        };
        let blocks: Vec<_> = std::iter::repeat_with(block).take(blocks).collect();
        let token = base.narrowed(&blocks);
        let asked = base.proved(&mut chance, &world, &token);
        let end = world.agreed(&token, &asked);
        assert_ne!(end, "bad-token", "{blocks:?}");
        tally.count(end);
    }
    tally.print("typed, in the vocabulary");
    assert!(tally.of("accepted") > 1000);
    for code in ["caveat-failed", "expired", "holder-proof-missing"] {
        assert!(tally.of(code) > 100, "{code}");
    }
}

#[test]
fn the_engine_agrees_on_values_at_the_edge() {
    let world = World::new();
    let bases = bases(&world);
    let mut tally = Tally::default();
    for seed in 0..1500 {
        let mut chance = Chance::of(seed);
        let base = chance.choose(&bases);
        let token = base.narrowed(&[statements(1, || vocabulary::edge(&mut chance))]);
        let end = world.agreed(&token, &base.asked);
        tally.count(end);
    }
    tally.print("typed, at the edge of the vocabulary");
    for code in ["accepted", "bad-token", "caveat-failed"] {
        assert!(tally.of(code) > 100, "{code}");
    }
}

#[test]
fn what_is_outside_of_the_vocabulary_is_no_token() {
    let world = World::new();
    let bases = bases(&world);
    let keys = [0, 1, 2].map(|i: usize| world.holders[i].public().to_string());
    let mut tally = Tally::default();
    for (number, outside) in OUTSIDE.iter().enumerate() {
        for seed in 0..25 {
            let mut chance = Chance::of(seed);
            // Alone, or behind checks of the vocabulary, in one block or in two.
            let before = statements(chance.below(3), || vocabulary::inside(&mut chance, &keys));
            let outside = format!("{outside};\n");
            let blocks = if before.is_empty() || chance.once_in(2) {
                vec![before + &outside]
            } else {
                vec![before, outside]
            };
            let base = &bases[number % bases.len()];
            let token = base.narrowed(&blocks);
            assert_eq!(world.agreed(&token, &base.asked), "bad-token", "{blocks:?}");
            tally.count("bad-token");
        }
    }
    tally.print("typed, outside of the vocabulary");
}

#[test]
fn a_holder_who_types_too_much_has_no_token() {
    let world = World::new();
    let base = &bases(&world)[0];
    let check = |i: usize| format!("check if int(\"/amount\", $v{i}), $v{i} < 5000;\n");
    let checks = |count: usize| (0..count).map(check).collect::<String>();
    let member = |i: usize| format!("\"m{i}\", ");
    let members = |count: usize| (0..count).map(member).collect::<String>();
    let one_of = |count| format!("{{{}\"acme\"}}.contains($v);\n", members(count));
    let one_of = |count| format!("check if text(\"/to\", $v), {}", one_of(count));
    let table = [
        (vec![checks(8)], "accepted"),
        (vec![checks(9)], "bad-token"),
        (vec![checks(1), checks(1)], "accepted"),
        (vec![checks(1), checks(1), checks(1)], "bad-token"),
        (vec![one_of(31)], "accepted"),
        (vec![one_of(32)], "bad-token"),
        (vec![one_of(31) + &checks(8)], "bad-token"),
        (vec![String::new()], "bad-token"),
    ];
    for (blocks, want) in table {
        let token = base.narrowed(&blocks);
        assert_eq!(world.agreed(&token, &base.asked), want, "{blocks:?}");
    }
}

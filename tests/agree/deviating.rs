//! Authority blocks that say otherwise than the layout, built with biscuit-auth and signed with the
//! trusted key: either they are no token, or they mean exactly the grant that was read, to the engine too.

use biscuit_auth::datalog::SymbolTable;
use biscuit_auth::{Biscuit, BiscuitBuilder};
use farebox_verifier::{Presented, TokenText};

use super::chance::Chance;
use super::draw::{Drawn, drawn, proved_by_all};
use super::engine;
use super::tally::Tally;
use super::world::{KEY, World, engines_key};

const TOKENS: u64 = 6000;
const LAYOUT: &str = "farebox/1";

/// Statements that no layout of ours has, or that it has elsewhere.
const STRANGE: [&str; 16] = [
    "ok(true)",
    "grant(\"00\")",
    "grant(hex:00)",
    "holder(hex:0101010101010101010101010101010101010101010101010101010101010101)",
    "purpose(\"more\")",
    "stores(1)",
    "stores(0)",
    "varies({\"/amount\"})",
    "approval(hex:00)",
    "time(2027-01-15T08:00:00Z)",
    "request(\"a\", \"b\", \"c\", hex:00)",
    "once($g) <- grant($g)",
    "check if true",
    "check if grant($g)",
    "check if int(\"/amount\", $v), $v >= -9223372036854775808",
    "check if output_max(\"rows\", 5)",
];

/// Another way to write a part of a statement.
const REWRITTEN: [(&str, &str); 24] = [
    ("check if", "check all"),
    ("check if", "reject if"),
    ("$t", "$time"),
    ("$v", "$t"),
    (" < ", " <= "),
    (" <= ", " < "),
    (" >= ", " > "),
    ("hex:", "hex:00"),
    ("hex:", "\""),
    ("(hex:", "(hex:ff"),
    ("Z)", "Z, 1)"),
    ("(1)", "(2)"),
    ("(1)", "(\"1\")"),
    ("(2)", "(1)"),
    (", 17)", ", -17)"),
    (", 0)", ", -1)"),
    ("\"00\"", "\"0\""),
    ("\"read\"", "\"write\""),
    ("once(", "fresh("),
    ("grant(", "grants("),
    ("agent(", "holder("),
    ("2027-01-15T08:0", "2027-01-15T07:0"),
    (" trusting ed25519/", " trusting authority, ed25519/"),
    (")", ", null)"),
];

/// The authority block, statement by statement.
struct Authority {
    statements: Vec<String>,
    context: Option<&'static str>,
    key_id: Option<u32>,
}

impl Authority {
    fn of(token: &TokenText) -> Authority {
        let source = engine::source(token).unwrap();
        let statements = source.split(";\n").filter(|line| !line.is_empty()).map(str::to_owned);
        Authority { statements: statements.collect(), context: Some(LAYOUT), key_id: Some(KEY) }
    }

    /// Changes one thing, and says what.
    fn deviate(&mut self, chance: &mut Chance, other: &Authority) -> &'static str {
        let (at, to) = (chance.below(self.statements.len()), chance.below(self.statements.len()));
        match chance.below(12) {
            0 => {
                self.statements.swap(at, to);
                "swapped"
            }
            1 => {
                self.statements.remove(at);
                "removed"
            }
            2 => {
                self.statements.insert(to, self.statements[at].clone());
                "doubled"
            }
            3 | 4 => {
                // The place's own kind, so that the block stays close to the layout.
                let name = |text: &str| text.split('(').next().map(str::to_owned);
                let alike: Vec<_> = other
                    .statements
                    .iter()
                    .filter(|s| name(s) == name(&self.statements[at]))
                    .collect();
                if !alike.is_empty() {
                    self.statements[at] = (*chance.choose(&alike)).clone();
                }
                "replaced"
            }
            5 => {
                self.statements.insert(to, chance.pick(&STRANGE).to_owned());
                "added"
            }
            6 => {
                let added = chance.choose(&other.statements).clone();
                self.statements.insert(to, added);
                "added of another"
            }
            7 => {
                self.context = *chance.choose(&[None, Some("farebox/2"), Some("")]);
                "context"
            }
            8 => {
                self.key_id = *chance.choose(&[None, Some(5), Some(6), Some(8)]);
                "key"
            }
            _ => {
                let (from, to) = chance.choose(&REWRITTEN);
                self.statements[at] = self.statements[at].replacen(from, to, 1);
                "rewritten"
            }
        }
    }

    /// The token, if the text is Datalog still.
    fn signed(&self, world: &World) -> Option<TokenText> {
        let mut builder = BiscuitBuilder::new();
        for statement in &self.statements {
            builder = builder.code(format!("{statement};")).ok()?;
        }
        if let Some(context) = self.context {
            builder = builder.context(context.to_owned());
        }
        if let Some(key_id) = self.key_id {
            builder = builder.root_key_id(key_id);
        }
        let (issuer, next) = (world.engines_key(), engines_key([8; 32]));
        let token: Biscuit =
            builder.build_with_key_pair(&issuer, SymbolTable::new(), &next).ok()?;
        Some(engine::text(&token.to_vec().unwrap()))
    }
}

/// A token of one block.
fn minted(chance: &mut Chance, world: &World) -> Drawn {
    let drawn = drawn(chance, world);
    let token = world.signer.mint(&drawn.grant).unwrap();
    Drawn { token, ..drawn }
}

#[test]
fn a_deviating_authority_block_is_no_token_or_exactly_its_grant() {
    let world = World::new();
    let (mut tally, mut verdicts) = (Tally::default(), Tally::default());
    for seed in 0..TOKENS {
        let mut chance = Chance::of(seed).with_slips(1000);
        let drawn = minted(&mut chance, &world);
        let other = Authority::of(&minted(&mut chance, &world).token);
        let mut authority = Authority::of(&drawn.token);
        let how = match chance.below(10) {
            0 => "as it was",
            1..=6 => authority.deviate(&mut chance, &other),
            _ => {
                authority.deviate(&mut chance, &other);
                authority.deviate(&mut chance, &other);
                "twice"
            }
        };
        let Some(token) = authority.signed(&world) else {
            tally.count(&format!("no Datalog: {how}"));
            continue;
        };
        match Presented::read(token.expose()) {
            Err(_) => tally.count(&format!("refused: {how}")),
            Ok(presented) => {
                engine::assert_means(&token, presented.unverified().grant(), &world.signer);
                tally.count(&format!("read: {how}"));
                let asked = proved_by_all(&world, &token, &drawn.asked);
                verdicts.count(world.agreed(&token, &asked));
            }
        }
    }
    tally.print("deviating");
    verdicts.print("deviating, read");
    assert!(tally.of("refused") > 1500 && tally.of("read") > 1000);
    assert!(verdicts.of("accepted") > 300);
    assert_eq!(tally.of("refused: as it was"), 0);
    for how in ["swapped", "removed", "doubled", "replaced", "added", "rewritten"] {
        for end in ["read", "refused"] {
            assert!(tally.of(&format!("{end}: {how}")) > 0, "{end}: {how}");
        }
    }
}

//! Tokens with changed bytes, which nobody signed: each is refused, or means exactly what it meant.

use biscuit_auth::format::schema;
use farebox_verifier::token;
use farebox_verifier::{
    Caveat, CaveatText, Grant, Params, Pointer, Presented, StatementName, TokenText, UnixSeconds,
};
use prost::Message as _;

use super::asked::Asked;
use super::chance::Chance;
use super::draw::{Drawn, drawn, proved_by_all, sealed};
use super::engine::{self, bytes, text};
use super::protobuf::{bent, changed};
use super::tally::Tally;
use super::typed;
use super::world::World;

/// A token that covers a request, and all that it means.
struct Original {
    token: TokenText,
    asked: Asked,
    means: Meaning,
}

/// What a token means: the issuer's key, the grant, what third parties say, what holders added, and the
/// end and the outputs that come of it.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    key_id: Option<u32>,
    grant: Grant,
    statements: Vec<Caveat>,
    narrowing: Vec<Caveat>,
    end: UnixSeconds,
    outputs: Vec<Caveat>,
}

/// What the token means, if it covers the request.
fn meaning(world: &World, token: &TokenText, asked: &Asked) -> Result<Meaning, &'static str> {
    let presented = Presented::read(token.expose()).map_err(|refusal| refusal.code())?;
    let said = presented.unverified();
    let (key_id, grant) = (said.key_id(), said.grant().clone());
    let (statements, narrowing) = (said.statements().collect(), said.narrowing().to_vec());
    let verified = world.verify(presented, asked).map_err(|refusal| refusal.code())?;
    let (end, outputs) = (verified.end(), verified.outputs().cloned().collect());
    Ok(Meaning { key_id, grant, statements, narrowing, end, outputs })
}

impl Original {
    fn of(world: &World, token: TokenText, asked: &Asked) -> Option<Original> {
        let asked = proved_by_all(world, &token, asked);
        let means = meaning(world, &token, &asked).ok()?;
        Some(Original { token, asked, means })
    }

    /// A random one that covers its request.
    fn drawn(chance: &mut Chance, world: &World) -> Original {
        loop {
            let Drawn { token, asked, .. } = drawn(chance, world);
            if let Some(original) = Original::of(world, token, &asked) {
                return original;
            }
        }
    }

    /// Refused, or means the same, to the engine too. Says which.
    fn assert_harmless(&self, world: &World, mutant: &TokenText, how: &str) -> String {
        // Whoever presents a mutant proves anew, for that mutant.
        let asked = proved_again(world, mutant, &self.asked);
        match meaning(world, mutant, &asked) {
            Err(code) => format!("{code}: {how}"),
            Ok(means) => {
                assert_eq!(means, self.means, "{how}\n{}", mutant.expose());
                assert_eq!(world.agreed(mutant, &asked), "accepted", "{how}");
                format!("accepted: {how}")
            }
        }
    }
}

/// New proofs where the token's last signature may be another; it has none where it is no token.
fn proved_again(world: &World, mutant: &TokenText, asked: &Asked) -> Asked {
    match Presented::read(mutant.expose()) {
        Ok(_) => proved_by_all(world, mutant, asked),
        Err(_) => asked.clone(),
    }
}

/// One token of each shape: one block, caveats, bound to a holder, narrowed, stated of, sealed.
fn shapes(world: &World) -> Vec<Original> {
    let params = Params::parse(br#"{"amount":5,"to":"acme"}"#).unwrap();
    let plain = typed::grant(&params);
    let at_most = Caveat::IntAtMost(Pointer::parse("/amount").unwrap(), 4000);
    let (name, value) = ("change_approved", "CHG-17");
    let (name, value) = (StatementName::parse(name).unwrap(), CaveatText::parse(value).unwrap());
    let party = &world.parties[0];
    let signed = Caveat::Signed(name.clone(), value.clone(), party.public());
    let caveats = vec![at_most.clone(), signed];
    let mint = |grant: &Grant| world.signer.mint(grant).unwrap();

    let one = mint(&plain);
    let bound = mint(&Grant { holder: Some(world.holders[0].public()), ..plain.clone() });
    let narrowed = token::narrow(&one, &[at_most, Caveat::Before(UnixSeconds(1_800_000_050))]);
    let asking = mint(&Grant { caveats, ..plain.clone() });
    let payload = token::unverified_statement_payload(&asking, &name, &value).unwrap();
    let (key, signature) = (party.public(), party.sign(&payload));
    let statement = token::Statement { name, value, key, signature };
    let stated = token::append_statement(&asking, &statement).unwrap();
    let closed = sealed(&one);
    let asked = typed::asked(&plain, params);
    [one, bound, narrowed.unwrap(), stated, closed]
        .into_iter()
        .map(|token| Original::of(world, token, &asked).unwrap())
        .collect()
}

#[test]
fn no_bit_of_a_token_can_be_flipped() {
    let world = World::new();
    let mut tally = Tally::default();
    for original in shapes(&world) {
        let bytes = bytes(&original.token);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let end = original.assert_harmless(&world, &text(&flipped), "bit");
            assert!(!end.starts_with("accepted"), "bit {bit} means nothing");
            tally.count(&end);
        }
    }
    tally.print("every bit flipped");
}

#[test]
fn a_mutant_is_refused_or_means_what_it_meant() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..1500 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let original = Original::drawn(&mut chance, &world);
        let bytes = bytes(&original.token);
        let mut count = |mutant: &[u8], how: &str| {
            if mutant != bytes {
                tally.count(&original.assert_harmless(&world, &text(mutant), how));
            }
        };
        for _ in 0..4 {
            let (mutant, how) = bent(&mut chance, &bytes);
            count(&mutant, how);
        }
        for _ in 0..6 {
            let (mutant, how) = changed(&mut chance, &bytes);
            count(&mutant, how);
            // What another library reads in it, written again without what it passed over.
            if let Ok(read) = schema::Biscuit::decode(mutant.as_slice()) {
                count(&read.encode_to_vec(), "written again");
            }
        }
    }
    tally.print("mutants");
    // More than was asked for: no byte means nothing, so none can be written otherwise.
    assert_eq!(tally.of("accepted"), 0);
    assert!(tally.of("bad-token") > 8000);
    assert!(tally.of("unknown-key") > 20);
}

#[test]
fn a_token_written_again_or_sealed_by_another_library_means_what_it_meant() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..1000 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let original = Original::drawn(&mut chance, &world);
        let bytes = bytes(&original.token);
        let read = schema::Biscuit::decode(bytes.as_slice()).unwrap();
        // Every byte is where the other library puts it.
        assert_eq!(read.encode_to_vec(), bytes);
        for (block, before) in read.blocks.iter().chain([&read.authority]).map(|b| (&b.block, b)) {
            let again = schema::Block::decode(block.as_slice()).unwrap();
            assert_eq!(again.encode_to_vec(), before.block);
        }
        let end = original.assert_harmless(&world, &original.token, "as it was");
        tally.count(&end);
        if read.proof.content.is_some_and(|c| matches!(c, schema::proof::Content::NextSecret(_))) {
            let end = original.assert_harmless(&world, &sealed(&original.token), "sealed");
            tally.count(&end);
        }
    }
    tally.print("written again");
    assert_eq!(tally.of("accepted"), tally.of(""));
}

#[test]
fn a_text_stands_for_one_token_and_a_token_for_one_text() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..400 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let original = Original::drawn(&mut chance, &world);
        for (mutant, how) in texts(&mut chance, original.token.expose()) {
            if mutant == original.token.expose() {
                continue;
            }
            let end = original.assert_harmless(&world, &TokenText::unread(&mutant), how);
            assert!(end.starts_with("bad-token") || end.starts_with("unknown-key"), "{end}");
            tally.count(&end);
        }
    }
    tally.print("texts");
    assert!(tally.of("bad-token: spare bits") > 100);
}

/// The text in other spellings, and other texts.
fn texts(chance: &mut Chance, text: &str) -> Vec<(String, &'static str)> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letters: Vec<char> = text.chars().collect();
    let at = chance.below(letters.len());
    let with = |at: usize, letter: char| {
        let mut letters = letters.clone();
        letters[at] = letter;
        letters.into_iter().collect::<String>()
    };
    let inserted = |letter: char| {
        let mut letters = letters.clone();
        letters.insert(at, letter);
        letters.into_iter().collect::<String>()
    };
    let mut texts = vec![
        (format!("{text}="), "padding"),
        (format!("{text}=="), "padding"),
        (format!(" {text}"), "space"),
        (format!("{text}\n"), "space"),
        (inserted('\n'), "space"),
        (inserted('\0'), "space"),
        (text.replace('-', "+").replace('_', "/"), "other alphabet"),
        (text.to_lowercase(), "other case"),
        (with(at, char::from(*chance.choose(ALPHABET))), "letter"),
        (with(at, 'é'), "letter"),
        (inserted(char::from(*chance.choose(ALPHABET))), "letter inserted"),
        (letters[..at].iter().collect(), "truncated"),
        (format!("biscuit:{text}"), "prefix"),
    ];
    // The last letter of such a text has bits that stand for nothing.
    let last = ALPHABET.iter().position(|letter| char::from(*letter) == *letters.last().unwrap());
    if !letters.len().is_multiple_of(4) {
        let spare = char::from(ALPHABET[last.unwrap() ^ 1]);
        texts.push((with(letters.len() - 1, spare), "spare bits"));
    }
    texts
}

#[test]
fn what_was_cut_from_a_token_does_not_come_off() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..1000 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let (mut one, other) =
            (Original::drawn(&mut chance, &world), Original::drawn(&mut chance, &world));
        let read = |original: &Original| {
            schema::Biscuit::decode(bytes(&original.token).as_slice()).unwrap()
        };
        let (mut mixed, from) = (read(&one), read(&other));
        let how = match chance.below(5) {
            0 => {
                mixed.blocks.pop();
                "last block cut"
            }
            1 => {
                mixed.blocks.extend(from.blocks);
                "blocks of another"
            }
            2 => {
                mixed.proof = from.proof;
                "proof of another"
            }
            3 => {
                mixed.authority = from.authority;
                "authority of another"
            }
            _ => {
                mixed.blocks.reverse();
                "blocks reversed"
            }
        };
        let mutant = engine::text(&mixed.encode_to_vec());
        if mutant != one.token {
            one.asked.proofs.clear();
            tally.count(&one.assert_harmless(&world, &mutant, how));
        }
    }
    tally.print("cut and mixed");
    assert_eq!(tally.of("accepted"), 0);
    assert!(tally.of("bad-token: last block cut") > 30);
}

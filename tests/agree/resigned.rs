//! Blocks with changed bytes, signed anew by whoever may sign them: the issuer its own, a holder its own.
//! Signatures keep nobody of these from saying whatever bytes can say, so the reader alone stands there:
//! what it reads, the engine reads alike and decides alike.

use aws_lc_rs::digest::{SHA512, digest};
use biscuit_auth::format::schema;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use farebox_verifier::{
    Caveat, CaveatText, Grant, Params, Presented, StatementName, TokenText, token,
};
use prost::Message as _;

use super::asked::Asked;
use super::chance::Chance;
use super::draw::{Drawn, drawn, narrowing, proved_by_all};
use super::engine;
use super::protobuf::{bent, changed};
use super::tally::Tally;
use super::typed;
use super::world::{ISSUER, World, key};

/// Ed25519's number among the algorithms, as signed payloads spell it.
const ED25519: [u8; 4] = [0; 4];

/// The seed of the key that may append to the token.
fn secret(token: &schema::Biscuit) -> [u8; 32] {
    match &token.proof.content {
        Some(schema::proof::Content::NextSecret(seed)) => seed.as_slice().try_into().unwrap(),
        _ => panic!("the token is sealed"),
    }
}

/// Puts the block's signature on it, by the key of this seed.
fn sign(block: &mut schema::SignedBlock, sign: impl FnOnce(&[u8]) -> [u8; 64]) {
    let payload = [block.block.as_slice(), &ED25519, &block.next_key.key].concat();
    block.signature = sign(&payload).to_vec();
}

/// The token with other bytes in its authority block, signed by the issuer.
fn with_authority(world: &World, token: &TokenText, block: Vec<u8>) -> TokenText {
    let mut token = schema::Biscuit::decode(engine::bytes(token).as_slice()).unwrap();
    token.authority.block = block;
    sign(&mut token.authority, |message| world.issuer.sign(message));
    engine::text(&token.encode_to_vec())
}

/// The token with these bytes as a block of its holder's.
fn with_block(token: &TokenText, block: Vec<u8>, next: [u8; 32]) -> TokenText {
    let mut token = schema::Biscuit::decode(engine::bytes(token).as_slice()).unwrap();
    let holder = key(secret(&token));
    let next_key = schema::PublicKey { algorithm: 0, key: key(next).public().as_bytes().to_vec() };
    let mut signed = schema::SignedBlock {
        block,
        next_key,
        signature: Vec::new(),
        external_signature: None,
        version: None,
    };
    sign(&mut signed, |message| holder.sign(message));
    token.blocks.push(signed);
    token.proof.content = Some(schema::proof::Content::NextSecret(next.to_vec()));
    engine::text(&token.encode_to_vec())
}

fn mutant(chance: &mut Chance, block: &[u8]) -> (Vec<u8>, &'static str) {
    let (mut block, how) =
        if chance.once_in(3) { bent(chance, block) } else { changed(chance, block) };
    if chance.once_in(8) {
        block = changed(chance, &block).0;
    }
    (block, how)
}

/// Counts what both make of the token, or that it is none.
fn count(world: &World, token: &TokenText, asked: &Asked, tally: &mut Tally) -> bool {
    if let Err(refusal) = Presented::read(token.expose()) {
        tally.count(refusal.code());
        return false;
    }
    tally.count(&format!("read: {}", world.agreed(token, &proved_by_all(world, token, asked))));
    true
}

#[test]
fn the_engine_agrees_on_whatever_an_issuer_signs() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..1200 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let Drawn { grant, asked, .. } = drawn(&mut chance, &world);
        let token = world.signer.mint(&grant).unwrap();
        let block = schema::Biscuit::decode(engine::bytes(&token).as_slice()).unwrap();
        for _ in 0..12 {
            let (mutant, _) = mutant(&mut chance, &block.authority.block);
            let token = with_authority(&world, &token, mutant);
            if count(&world, &token, &asked, &mut tally) {
                let presented = Presented::read(token.expose()).unwrap();
                engine::assert_means(&token, presented.unverified().grant(), &world.signer);
            }
        }
    }
    tally.print("signed anew by the issuer");
    assert!(tally.of("read: accepted") > 300 && tally.of("bad-token") > 5000);
    assert!(tally.of("read") - tally.of("read: accepted") > 100);
}

#[test]
fn the_engine_agrees_on_whatever_a_holder_signs() {
    let world = World::new();
    let mut tally = Tally::default();
    for seed in 0..1200 {
        let mut chance = Chance::of(seed).with_slips(1000);
        let Drawn { grant, asked, .. } = drawn(&mut chance, &world);
        let token = world.signer.mint(&grant).unwrap();
        let caveats = narrowing(&mut chance, &world, &asked);
        let narrowed = token::narrow(&token, &caveats).unwrap();
        let narrowed = schema::Biscuit::decode(engine::bytes(&narrowed).as_slice()).unwrap();
        for _ in 0..12 {
            let (mutant, _) = mutant(&mut chance, &narrowed.blocks[0].block);
            let token = with_block(&token, mutant, chance.bytes());
            count(&world, &token, &asked, &mut tally);
        }
    }
    tally.print("signed by a holder");
    assert!(tally.of("read: accepted") > 300 && tally.of("bad-token") > 5000);
    assert!(tally.of("read: caveat-failed") > 100);
}

/// Lists keys otherwise than the layout does.
type List = fn(&mut Vec<schema::PublicKey>);

fn listed(key: &[u8; 32]) -> schema::PublicKey {
    schema::PublicKey { algorithm: 0, key: key.to_vec() }
}

/// A token whose block trusts one key, listed so; the third party's statement is in it.
fn stated(world: &World, list: List) -> (TokenText, Asked) {
    let params = Params::parse(b"{}").unwrap();
    let name = StatementName::parse("change_approved").unwrap();
    let value = CaveatText::parse("CHG-17").unwrap();
    let party = &world.parties[0];
    let caveats = vec![Caveat::Signed(name.clone(), value.clone(), party.public())];
    let grant = Grant { caveats, ..typed::grant(&params) };
    let minted = world.signer.mint(&grant).unwrap();
    let read = schema::Biscuit::decode(engine::bytes(&minted).as_slice()).unwrap();
    let mut block = schema::Block::decode(read.authority.block.as_slice()).unwrap();
    list(&mut block.public_keys);
    let token = with_authority(world, &minted, block.encode_to_vec());
    let signature =
        party.sign(&token::unverified_statement_payload(&token, &name, &value).unwrap());
    let statement = token::Statement { name, value, key: party.public(), signature };
    // Nothing can be stated of what is no token.
    let token = token::append_statement(&token, &statement).unwrap_or(token);
    (token, typed::asked(&grant, params))
}

#[test]
fn the_engine_agrees_on_keys_that_an_issuer_lists() {
    const LISTS: [(List, &str); 6] = [
        (|_| {}, "accepted"),
        (|keys| keys.extend_from_within(..), "bad-token"),
        (|keys| keys.push(listed(&[7; 32])), "bad-token"),
        (|keys| keys.push(listed(key([77; 32]).public().as_bytes())), "bad-token"),
        (|keys| keys.insert(0, listed(key([77; 32]).public().as_bytes())), "bad-token"),
        (Vec::clear, "bad-token"),
    ];
    let world = World::new();
    for (number, (list, want)) in LISTS.into_iter().enumerate() {
        let (token, asked) = stated(&world, list);
        assert_eq!(world.agreed(&token, &asked), want, "list {number}");
    }
}

#[test]
fn the_engine_agrees_on_symbols_that_a_block_brings() {
    const SYMBOLS: [(&str, &str); 5] = [
        ("a name of nothing in the token", "accepted"),
        ("query", "bad-token"),
        ("read", "bad-token"),
        ("grant", "bad-token"),
        ("payments.transfer", "bad-token"),
    ];
    let world = World::new();
    let params = Params::parse(b"{}").unwrap();
    let grant = typed::grant(&params);
    let asked = typed::asked(&grant, params);
    let minted = world.signer.mint(&grant).unwrap();
    let narrowed = token::narrow(&minted, &[Caveat::Before(asked.now.plus(1))]).unwrap();
    let read = schema::Biscuit::decode(engine::bytes(&narrowed).as_slice()).unwrap();
    let bringing = |block: &[u8], symbol: &str| {
        let mut block = schema::Block::decode(block).unwrap();
        block.symbols.push(symbol.to_owned());
        block.encode_to_vec()
    };
    for (symbol, want) in SYMBOLS {
        let issued = with_authority(&world, &minted, bringing(&read.authority.block, symbol));
        let appended = with_block(&minted, bringing(&read.blocks[0].block, symbol), [9; 32]);
        for token in [issued, appended] {
            assert_eq!(world.agreed(&token, &asked), want, "{symbol}");
        }
    }
}

/// Ed25519 with nothing for a nonce: only who has the key can sign so, and gives it away by it.
fn sign_bare(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let half = digest(&SHA512, seed).as_ref()[..32].try_into().unwrap();
    let scalar = Scalar::from_bytes_mod_order(clamp_integer(half));
    let nonce: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
    let public = key(*seed).public();
    let hash = digest(&SHA512, &[nonce.as_slice(), public.as_bytes(), message].concat());
    let hash = Scalar::from_bytes_mod_order_wide(hash.as_ref().try_into().unwrap());
    [nonce, (hash * scalar).to_bytes()].concat().try_into().unwrap()
}

#[test]
fn the_engine_agrees_on_a_signature_without_a_nonce() {
    let world = World::new();
    let params = Params::parse(b"{}").unwrap();
    let grant = typed::grant(&params);
    let token = world.signer.mint(&grant).unwrap();
    let mut token = schema::Biscuit::decode(engine::bytes(&token).as_slice()).unwrap();
    sign(&mut token.authority, |message| sign_bare(&ISSUER, message));
    let token = engine::text(&token.encode_to_vec());
    assert_eq!(world.agreed(&token, &typed::asked(&grant, params)), "bad-token");
}

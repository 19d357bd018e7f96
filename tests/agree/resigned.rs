//! Blocks with changed bytes, signed anew by whoever may sign them: the issuer its own, a holder its own.
//! Signatures keep nobody of these from saying whatever bytes can say, so the reader alone stands there:
//! what it reads, the engine reads alike and decides alike.

use biscuit_auth::format::schema;
use farebox_verifier::{Presented, TokenText, token};
use prost::Message as _;

use super::asked::Asked;
use super::chance::Chance;
use super::draw::{Drawn, drawn, narrowing, proved_by_all};
use super::engine;
use super::protobuf::{bent, changed};
use super::tally::Tally;
use super::world::{World, key};

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

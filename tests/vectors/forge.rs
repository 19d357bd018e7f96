//! The smith: takes a token's messages apart, changes one, and signs it again for real.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use biscuit_auth::format::schema::{
    Biscuit, Block, ExternalSignature, Proof, PublicKey, SignedBlock, proof,
};
use farebox::signer::PrivateKey;
use prost::Message as _;
use zeroize::Zeroizing;

use super::fixture::{ISSUER, Key, NEXT};

/// Ed25519's number among the algorithms, as signed payloads spell it.
const ED25519: [u8; 4] = [0; 4];

pub(super) fn decode(token: &str) -> Biscuit {
    Biscuit::decode(bytes(token).as_slice()).unwrap()
}

pub(super) fn bytes(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap()
}

pub(super) fn encode(token: &Biscuit) -> String {
    URL_SAFE_NO_PAD.encode(token.encode_to_vec())
}

/// The token with another authority block, signed again by issuer 1.
pub(super) fn authority(token: &str, change: impl FnOnce(&mut Block)) -> String {
    resigned(token, |signed| {
        let mut block = Block::decode(signed.block.as_slice()).unwrap();
        change(&mut block);
        signed.block = block.encode_to_vec();
    })
}

/// The token of one block, signed again by issuer 1 with whatever was changed beside the block.
pub(super) fn resigned(token: &str, change: impl FnOnce(&mut SignedBlock)) -> String {
    let mut token = decode(token);
    assert!(token.blocks.is_empty(), "later blocks would not fit the new signature");
    change(&mut token.authority);
    token.authority.signature = ISSUER.private().sign(&plain(&token.authority)).to_vec();
    encode(&token)
}

/// The token with another last block, signed again by whoever could append it to `base`.
pub(super) fn last(base: &str, token: &str, change: impl FnOnce(&mut Block)) -> String {
    let mut token = decode(token);
    let signed = token.blocks.last_mut().unwrap();
    let mut block = Block::decode(signed.block.as_slice()).unwrap();
    change(&mut block);
    signed.block = block.encode_to_vec();
    signed.signature = secret(base).sign(&plain(signed)).to_vec();
    encode(&token)
}

/// The token with a third party's block, for which `key` stands and `by` signed this payload.
pub(super) fn third_party(token: &str, block: Vec<u8>, key: Key, external: Vec<u8>) -> String {
    let holder = secret(token);
    let mut token = decode(token);
    let previous = token.blocks.last().unwrap_or(&token.authority).signature.clone();
    let next = NEXT[0];
    let public = |key: Key| PublicKey { algorithm: 0, key: key.public().as_bytes().to_vec() };
    let payload = [
        b"\0BLOCK\0\0VERSION\0".as_slice(),
        &1_u32.to_le_bytes(),
        b"\0PAYLOAD\0",
        &block,
        b"\0ALGORITHM\0",
        &ED25519,
        b"\0NEXTKEY\0",
        next.public().as_bytes(),
        b"\0PREVSIG\0",
        &previous,
        b"\0EXTERNALSIG\0",
        &external,
    ]
    .concat();
    token.blocks.push(SignedBlock {
        block,
        next_key: public(next),
        signature: holder.sign(&payload).to_vec(),
        external_signature: Some(ExternalSignature {
            signature: external,
            public_key: public(key),
        }),
        version: Some(1),
    });
    token.proof = Proof { content: Some(proof::Content::NextSecret(next.seed().to_vec())) };
    encode(&token)
}

/// The last block of a token, and the third party's signature on it.
pub(super) fn third_party_of(token: &str) -> (Vec<u8>, Vec<u8>) {
    let signed = decode(token).blocks.pop().unwrap();
    (signed.block, signed.external_signature.unwrap().signature)
}

/// The key with which the next block is appended.
pub(super) fn secret(token: &str) -> PrivateKey {
    let Some(proof::Content::NextSecret(seed)) = decode(token).proof.content else {
        panic!("a sealed token has no secret");
    };
    PrivateKey::from_seed(Zeroizing::new(seed.try_into().unwrap())).unwrap()
}

/// What a signature of version 0 is over.
fn plain(signed: &SignedBlock) -> Vec<u8> {
    let external = signed.external_signature.as_ref().map(|e| e.signature.as_slice());
    let algorithm = signed.next_key.algorithm.to_le_bytes();
    [&signed.block, external.unwrap_or_default(), &algorithm, &signed.next_key.key].concat()
}

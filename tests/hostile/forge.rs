//! Makes tokens that our own writer would not: by biscuit-auth's builders, and by its protobuf structs.

use biscuit_auth::builder::{Algorithm, BlockBuilder};
use biscuit_auth::format::schema;
use biscuit_auth::{Biscuit, BiscuitBuilder, KeyPair, PrivateKey};
use farebox_verifier::TokenText;
use prost::Message as _;

use crate::world::{KEY_ID, World};

pub(crate) fn pair(seed: u8) -> KeyPair {
    KeyPair::from(&PrivateKey::from_bytes(&[seed; 32], Algorithm::Ed25519).unwrap())
}

/// The issuer's own key, as the other library has it.
pub(crate) fn issuer() -> KeyPair {
    pair(1)
}

pub(crate) fn foreign(world: &World, token: &TokenText) -> Biscuit {
    let key = world.signer.public();
    let key = biscuit_auth::PublicKey::from_bytes(key.as_bytes(), Algorithm::Ed25519).unwrap();
    Biscuit::from_base64(token.expose(), key).unwrap()
}

pub(crate) fn text(token: &Biscuit) -> String {
    token.to_base64().unwrap().trim_end_matches('=').to_owned()
}

/// The token with a block of this Datalog.
pub(crate) fn with_block(world: &World, token: &TokenText, code: &str) -> String {
    let block = BlockBuilder::new().code(code).unwrap();
    text(&foreign(world, token).append(block).unwrap())
}

/// A token of this authority block, signed by the issuer itself.
pub(crate) fn signed(context: &str, code: &str) -> String {
    let builder = BiscuitBuilder::new().context(context.to_owned()).root_key_id(KEY_ID);
    text(&builder.code(code).unwrap().build(&issuer()).unwrap())
}

/// The Datalog of the token's authority block.
pub(crate) fn source(world: &World, token: &TokenText) -> String {
    foreign(world, token).print_block_source(0).unwrap()
}

/// The token's envelope, changed; what signatures cover does not follow.
pub(crate) fn changed(token: &str, change: impl FnOnce(&mut schema::Biscuit)) -> String {
    let mut envelope = schema::Biscuit::decode(bytes(token).as_slice()).unwrap();
    change(&mut envelope);
    encode(&envelope.encode_to_vec())
}

pub(crate) fn bytes(token: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token).unwrap()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

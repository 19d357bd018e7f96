//! Who signed which block: each block's key is named by the block before it.

use crate::crypto::{self, Signature};
use crate::key::PublicKey;
use crate::wire::envelope::{Envelope, Signed, Tail};
use crate::wire::flaw::Flaw;

/// Ed25519's number among the algorithms, as signed payloads spell it.
const ED25519: [u8; 4] = 0_u32.to_le_bytes();

/// Checks every signature of the token, the authority's under `issuer`.
pub(crate) fn verify(envelope: &Envelope<'_>, issuer: &PublicKey) -> Result<(), Flaw> {
    let authority = &envelope.authority;
    verify_block(authority, issuer, None)?;
    let mut before = authority;
    for block in &envelope.later {
        verify_block(block, &before.next_key, Some(&before.signature))?;
        before = block;
    }
    let whole = match &envelope.tail {
        Tail::Secret(seed) => crypto::public_of(seed).as_ref() == Some(before.next_key.as_bytes()),
        Tail::Seal(signature) => before.next_key.verifies(&seal_payload(before), signature),
    };
    if whole { Ok(()) } else { Err(Flaw::Proof) }
}

fn verify_block(
    block: &Signed<'_>,
    key: &PublicKey,
    previous: Option<&Signature>,
) -> Result<(), Flaw> {
    if !key.verifies(&payload(block, previous), &block.signature) {
        return Err(Flaw::Signature);
    }
    let Some((third_party, signature)) = &block.third_party else { return Ok(()) };
    let (Some(previous), 1) = (previous, block.version) else { return Err(Flaw::ThirdParty) };
    // Bound to the signature before it, so that it fits no other token.
    if third_party.verifies(&third_party_payload(block.block, previous), signature) {
        Ok(())
    } else {
        Err(Flaw::Signature)
    }
}

/// What a block's signature is over; `previous` is absent for the authority block.
pub(crate) fn payload(block: &Signed<'_>, previous: Option<&Signature>) -> Vec<u8> {
    let next_key = block.next_key.as_bytes();
    if block.version == 0 {
        let third_party = block.third_party.as_ref().map_or(&[][..], |(_, signature)| signature);
        return [block.block, third_party, &ED25519, next_key].concat();
    }
    let mut payload = [
        b"\0BLOCK\0\0VERSION\0",
        block.version.to_le_bytes().as_slice(),
        b"\0PAYLOAD\0",
        block.block,
        b"\0ALGORITHM\0",
        &ED25519,
        b"\0NEXTKEY\0",
        next_key,
    ]
    .concat();
    if let Some(previous) = previous {
        payload.extend_from_slice(b"\0PREVSIG\0");
        payload.extend_from_slice(previous);
    }
    if let Some((_, signature)) = &block.third_party {
        payload.extend_from_slice(b"\0EXTERNALSIG\0");
        payload.extend_from_slice(signature);
    }
    payload
}

/// What a third party signs: its block, and the signature that stands before it.
pub(crate) fn third_party_payload(block: &[u8], previous: &Signature) -> Vec<u8> {
    let version = 1_u32.to_le_bytes();
    [
        b"\0EXTERNAL\0\0VERSION\0",
        version.as_slice(),
        b"\0PAYLOAD\0",
        block,
        b"\0PREVSIG\0",
        previous,
    ]
    .concat()
}

fn seal_payload(last: &Signed<'_>) -> Vec<u8> {
    [last.block, &ED25519, last.next_key.as_bytes(), &last.signature].concat()
}

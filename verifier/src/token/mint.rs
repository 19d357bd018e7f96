//! Minting: a grant's bytes, made ready for a signature that is made elsewhere.

use super::chain;
use super::layout;
use super::text::TokenText;
use crate::caveat::Caveat;
use crate::clock::UnixSeconds;
use crate::crypto::{self, Signature};
use crate::grant::{Grant, Seats};
use crate::key::PublicKey;
use crate::limits;
use crate::wire::envelope::{Envelope, Signed, Tail};
use crate::wire::flaw::Flaw;
use crate::wire::symbols::Symbols;

/// Why a grant has no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// More than a token holds.
    #[error("grant does not fit a token")]
    TooLarge(#[source] Flaw),
    /// A member that varies without a caveat, or twice.
    #[error("each member that varies must be named once and held by a caveat")]
    Varying,
    /// A date after the year 9999, or a store's number beyond 2^63.
    #[error("grant says what no token can")]
    Unreadable,
    /// The next key's seed makes no key.
    #[error("next key's seed makes no usable key")]
    NextKey,
}

/// Makes the token of `grant`: `sign` signs with the issuer's key of that id, and `next_seed` is the
/// secret with which the holder may narrow the token.
///
/// The same grant, seed and key make the same bytes, so nothing secret is kept for a retry.
///
/// # Errors
/// [`MintError`] where no verifier would take the token.
pub fn mint(
    grant: &Grant,
    key_id: u32,
    next_seed: &[u8; 32],
    sign: impl FnOnce(&[u8]) -> Signature,
) -> Result<TokenText, MintError> {
    check(grant)?;
    let mut symbols = Symbols::default();
    let block = layout::write_authority(grant, &mut symbols);
    if symbols.len() > limits::AUTHORITY_SYMBOLS_MAX {
        return Err(MintError::TooLarge(Flaw::Symbols));
    }
    let next_key = crypto::public_of(next_seed).ok_or(MintError::NextKey)?;
    let next_key = PublicKey::from_bytes(next_key).or(Err(MintError::NextKey))?;
    let mut authority =
        Signed { block: &block, next_key, signature: [0; 64], third_party: None, version: 0 };
    authority.signature = sign(&chain::payload(&authority, None));
    let tail = Tail::Secret(*next_seed);
    let bytes = Envelope { key_id: Some(key_id), authority, later: Vec::new(), tail }.write();
    if bytes.len() > limits::TOKEN_BYTES_MAX {
        return Err(MintError::TooLarge(Flaw::TooLong));
    }
    Ok(TokenText::of(&bytes))
}

/// What the types let a grant say, and no reader takes.
fn check(grant: &Grant) -> Result<(), MintError> {
    layout::check_varying(grant).or(Err(MintError::Varying))?;
    if grant.caveats.len() > limits::CAVEATS_MAX || grant.varies.len() > limits::BOUNDS_MAX {
        return Err(MintError::TooLarge(Flaw::Check));
    }
    let members = grant.caveats.iter().map(Caveat::members).sum::<usize>() + grant.varies.len();
    if members > limits::SET_MEMBERS_MAX {
        return Err(MintError::TooLarge(Flaw::Value));
    }
    let late = |caveat: &Caveat| matches!(caveat, Caveat::Before(end) if *end > UnixSeconds::MAX);
    let seats = grant.stores.iter().flat_map(Seats::seats);
    let unread = grant.caveats.iter().any(late)
        || seats.into_iter().any(|seat| i64::try_from(seat.sequence).is_err());
    if unread { Err(MintError::Unreadable) } else { Ok(()) }
}

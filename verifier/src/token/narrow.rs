//! Narrowing: what a holder may do to a token offline, and how a third party's statement joins it.

use super::chain;
use super::layout;
use super::text::TokenText;
use crate::caveat::{Caveat, CaveatText, StatementName};
use crate::crypto::{self, NoRandom, Signature};
use crate::key::PublicKey;
use crate::limits;
use crate::wire::envelope::{Envelope, Signed, Tail};
use crate::wire::flaw::Flaw;
use crate::wire::symbols::Symbols;

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NarrowError {
    /// The token is none, or would be none with the block.
    #[error("token cannot be narrowed")]
    Token(#[source] Flaw),
    /// The token was sealed: nobody appends to it.
    #[error("token is sealed")]
    Sealed,
    /// There are no random bytes for the next key.
    #[error("no next key could be made")]
    Random(#[source] NoRandom),
}

impl From<Flaw> for NarrowError {
    fn from(flaw: Flaw) -> NarrowError {
        NarrowError::Token(flaw)
    }
}

/// What a third party says of a token, ready to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is said: `change_approved`.
    pub name: StatementName,
    /// Of what: `CHG-17`.
    pub value: CaveatText,
    /// By whom.
    pub key: PublicKey,
    /// Their signature over what [`Verifier::statement_payload`](crate::Verifier) says.
    pub signature: Signature,
}

/// The token with more caveats: it allows less than before, and who holds it cannot take them back.
///
/// # Errors
/// [`NarrowError`] where the token is none, is sealed, or has no room for another block.
pub fn narrow(token: &TokenText, caveats: &[Caveat]) -> Result<TokenText, NarrowError> {
    let bytes = token.bytes()?;
    let envelope = Envelope::read(&bytes)?;
    let mut symbols = Symbols::default();
    layout::read(&envelope, &mut symbols)?;
    let block = layout::write_holder(caveats, &mut symbols);
    append(envelope, &block, None)
}

/// What a third party signs to state `name(value)` of the token with this last signature.
///
/// Whether that signature is over what the token says is not known here: a token that says something
/// harmless may carry the signature of another. [`Verifier::statement_payload`](crate::Verifier) asks first.
///
/// # Errors
/// [`NarrowError`] where the token is none.
pub fn unverified_statement_payload(
    token: &TokenText,
    name: &StatementName,
    value: &CaveatText,
) -> Result<Vec<u8>, NarrowError> {
    let bytes = token.bytes()?;
    let envelope = Envelope::read(&bytes)?;
    let block = layout::write_third_party(name, value);
    Ok(chain::third_party_payload(&block, &envelope.last().signature))
}

/// The token with a third party's statement.
///
/// # Errors
/// [`NarrowError`] where the token is none, is sealed, or asks for no such statement.
pub fn append_statement(
    token: &TokenText,
    statement: &Statement,
) -> Result<TokenText, NarrowError> {
    let bytes = token.bytes()?;
    let envelope = Envelope::read(&bytes)?;
    let block = layout::write_third_party(&statement.name, &statement.value);
    append(envelope, &block, Some((statement.key, statement.signature)))
}

fn append<'a>(
    mut envelope: Envelope<'a>,
    block: &'a [u8],
    third_party: Option<(PublicKey, Signature)>,
) -> Result<TokenText, NarrowError> {
    let Tail::Secret(secret) = envelope.tail else { return Err(NarrowError::Sealed) };
    let seed: [u8; 32] = crypto::random().map_err(NarrowError::Random)?;
    let next_key = crypto::public_of(&seed).ok_or(Flaw::Algorithm)?;
    let next_key = PublicKey::from_bytes(next_key).or(Err(Flaw::SmallOrder))?;
    // As biscuit-auth chooses: version 1 for third parties and for whatever follows one.
    let followed = envelope.later.iter().chain([&envelope.authority]).any(|b| b.version == 1);
    let version = u32::from(followed || third_party.is_some());
    let mut signed = Signed { block, next_key, signature: [0; 64], third_party, version };
    let payload = chain::payload(&signed, Some(&envelope.last().signature));
    signed.signature = crypto::sign(&secret, &payload).ok_or(Flaw::Algorithm)?;
    envelope.later.push(signed);
    envelope.tail = Tail::Secret(seed);
    layout::read(&envelope, &mut Symbols::default())?;
    let bytes = envelope.write();
    if bytes.len() > limits::TOKEN_BYTES_MAX {
        Err(Flaw::TooLong)?
    }
    Ok(TokenText::of(&bytes))
}

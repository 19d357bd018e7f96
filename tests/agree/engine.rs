//! biscuit-auth's own view of a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use biscuit_auth::UnverifiedBiscuit;
use biscuit_auth::builder::BlockBuilder;
use farebox::signer::Signer;
use farebox_verifier::{Grant, TokenText};

/// The text of a token's bytes.
pub(crate) fn text(bytes: &[u8]) -> TokenText {
    TokenText::unread(&URL_SAFE_NO_PAD.encode(bytes))
}

/// The bytes of a token's text.
pub(crate) fn bytes(token: &TokenText) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.expose()).unwrap()
}

/// The authority block as the engine reads it, as Datalog.
pub(crate) fn source(token: &TokenText) -> String {
    UnverifiedBiscuit::from_base64(token.expose()).unwrap().print_block_source(0).unwrap()
}

/// The engine reads in the token exactly what it reads in the token that the issuer would have minted
/// for this grant: nothing more, nothing less, and nothing in another way.
pub(crate) fn assert_means(token: &TokenText, grant: &Grant, signer: &Signer) {
    let (found, minted) = (source(token), source(&signer.mint(grant).unwrap()));
    if found == minted {
        return;
    }
    // Sets print in the order of their symbols' numbers, which another writer may number otherwise.
    let read = |source: &str| BlockBuilder::new().code(source).unwrap();
    let (found, minted) = (read(&found), read(&minted));
    assert_eq!(found.facts, minted.facts, "{}", token.expose());
    assert_eq!(found.checks, minted.checks, "{}", token.expose());
    assert!(found.rules.is_empty() && found.scopes.is_empty(), "{}", token.expose());
}

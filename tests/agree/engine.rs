//! biscuit-auth's own view of a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use biscuit_auth::UnverifiedBiscuit;
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

/// The authority block as the engine reads it, as Datalog; none where it cannot.
pub(crate) fn source(token: &TokenText) -> Option<String> {
    UnverifiedBiscuit::from_base64(token.expose()).ok()?.print_block_source(0).ok()
}

/// The engine reads in the token exactly what it reads in the token that the issuer would have minted
/// for this grant: nothing more, nothing less, and nothing in another way.
pub(crate) fn assert_means(token: &TokenText, grant: &Grant, signer: &Signer) {
    // What it cannot read it refuses, and the verdicts are compared elsewhere.
    let Some(found) = source(token) else { return };
    let minted = source(&signer.mint(grant).unwrap()).unwrap();
    assert_eq!(found.lines().count(), minted.lines().count(), "{}", token.expose());
    for (found, minted) in found.lines().zip(minted.lines()) {
        assert!(
            found == minted || same_set(found, minted),
            "{found}\n{minted}\n{}",
            token.expose()
        );
    }
}

/// Sets print in the order of their symbols' numbers, which another writer may number otherwise.
fn same_set(a: &str, b: &str) -> bool {
    let members = |line: &str| {
        let mut members: Vec<_> =
            line.split(['{', '}']).flat_map(|part| part.split(", ")).collect();
        members.sort_unstable();
        members.join("\n")
    };
    a.contains('{') && b.contains('{') && members(a) == members(b)
}

//! Whatever is presented as a token: it is refused, or it is a grant that can be written again.
#![no_main]

use std::slice;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::token::{self, Flaw, MintError, TokenText};
use farebox_verifier::{Caveat, Presented, UnixSeconds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        read(text);
    }
    read(&URL_SAFE_NO_PAD.encode(input));
});

fn read(text: &str) {
    let Ok(presented) = Presented::read(text) else { return };
    write_again(&presented);
    narrow(text, &presented);
}

/// The grant's own token says the grant and nothing else.
fn write_again(presented: &Presented) {
    let grant = presented.unverified().grant();
    let key_id = presented.unverified().key_id().unwrap_or(7);
    let again = match token::mint(grant, key_id, &[5; 32], |_| [0; 64]) {
        Ok(again) => Presented::read(again.expose()).expect("what was written is read"),
        // A token without a key's number can be so long that there is no room for one.
        Err(MintError::TooLarge(Flaw::TooLong)) => return,
        Err(why) => panic!("what was read is not written: {why}"),
    };
    assert!(again.unverified().grant() == grant);
    assert_eq!(again.unverified().key_id(), Some(key_id));
    assert!(again.unverified().narrowing().is_empty());
    assert_eq!(again.unverified().statements().count(), 0);
}

/// What can be narrowed says what it said, and one thing more.
fn narrow(text: &str, presented: &Presented) {
    let before = Caveat::Before(UnixSeconds(1_800_000_000));
    let Ok(narrowed) = token::narrow(&TokenText::unread(text), slice::from_ref(&before)) else {
        return;
    };
    let narrowed = Presented::read(narrowed.expose()).expect("what was narrowed is read");
    let (was, is) = (presented.unverified(), narrowed.unverified());
    assert!(is.grant() == was.grant());
    assert!(is.narrowing().split_last() == Some((&before, was.narrowing())));
    assert!(is.statements().eq(was.statements()));
}

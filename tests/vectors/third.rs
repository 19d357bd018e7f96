//! Third parties' blocks that are refused.

use super::biscuit::{self, append_third};
use super::case::{Case, bad, refused};
use super::fixture::{CHANGE_MGMT, Key, NEXT, STRANGER, grant, mint, signed};
use super::forge;
use super::verified::APPROVED;

pub(super) fn cases() -> Vec<Case> {
    let kinds = [says(), forged()];
    kinds.into_iter().flatten().collect()
}

fn says() -> Vec<Case> {
    let token = mint(&signed());
    let token = token.expose();
    let by = |key: Key, code: &str| append_third(token, code, key, NEXT[0]);
    let more = format!("{APPROVED}; time(2027-01-15T08:00:00Z);");
    let checked = format!("{APPROVED}; check if time($time);");
    let twice = append_third(&by(CHANGE_MGMT, APPROVED), APPROVED, CHANGE_MGMT, NEXT[1]);
    vec![
        refused(
            "caveat-failed",
            "third-party-of-another-change",
            "it speaks of another change",
            &by(CHANGE_MGMT, r#"change_approved("CHG-18")"#),
        ),
        bad(
            "third-party",
            "third-party-by-another-key",
            "another key than was asked for",
            &by(STRANGER, APPROVED),
        ),
        bad(
            "third-party",
            "third-party-of-another-name",
            "what nobody asked for",
            &by(CHANGE_MGMT, r#"change_refused("CHG-17")"#),
        ),
        bad(
            "third-party",
            "third-party-unasked",
            "a token that asks for nobody's word",
            &append_third(mint(&grant()).expose(), APPROVED, CHANGE_MGMT, NEXT[0]),
        ),
        bad(
            "third-party",
            "third-party-says-time",
            "a name that verifiers' facts have",
            &by(CHANGE_MGMT, "time(2027-01-15T08:00:00Z)"),
        ),
        bad("third-party", "third-party-says-nothing", "no fact", &by(CHANGE_MGMT, "")),
        bad(
            "facts",
            "third-party-says-more",
            "a second fact, which a check that trusts the key would see",
            &by(CHANGE_MGMT, &more),
        ),
        bad("check", "third-party-checks", "a check", &by(CHANGE_MGMT, &checked)),
        bad(
            "rules",
            "third-party-rules",
            "a rule",
            &by(CHANGE_MGMT, "change_approved($time) <- time($time)"),
        ),
        bad("blocks", "third-party-twice", "more third parties' blocks than one", &twice),
    ]
}

fn forged() -> Vec<Case> {
    let token = mint(&signed());
    let token = token.expose();
    let narrowed = biscuit::typed(token, r#"check if int("/amount", $v), $v <= 50"#, NEXT[0]);
    // Said of the narrowed token, and appended to the one before.
    let elsewhere = append_third(&narrowed, APPROVED, CHANGE_MGMT, NEXT[1]);
    let (block, signature) = forge::third_party_of(&elsewhere);
    let moved = forge::third_party(token, block.clone(), CHANGE_MGMT, signature);
    let by_stranger = STRANGER.private().sign(&block).to_vec();
    let claimed = forge::third_party(token, block, CHANGE_MGMT, by_stranger);
    let legacy = forge::last(token, &append_third(token, APPROVED, CHANGE_MGMT, NEXT[0]), |_| ());
    let mut legacy = forge::decode(&legacy);
    for signed in &mut legacy.blocks {
        signed.version = None;
    }
    vec![
        bad("signature", "third-party-moved", "said of another token", &moved),
        bad("signature", "third-party-claimed", "signed by another than the block names", &claimed),
        bad(
            "third-party",
            "third-party-of-version-0",
            "a signature that is not bound to the token before it",
            &forge::encode(&legacy),
        ),
    ]
}

//! Texts and bytes that are no token, and signatures that are nobody's.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use biscuit_auth::format::schema::proof;
use farebox_verifier::{Caveat, Grant, Purpose};

use super::biscuit::{self, append};
use super::case::{Case, bad};
use super::fixture::{CHANGE_MGMT, NEXT, STRANGER, at, grant, mint, signed};
use super::forge;
use super::verified::{APPROVED, holder_block};

/// The letters of base64url by their value.
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn cases() -> Vec<Case> {
    let kinds = [texts(), protobuf(), signatures(), proofs()];
    kinds.into_iter().flatten().collect()
}

fn narrowed() -> String {
    append(mint(&grant()).expose(), holder_block(&[Caveat::IntAtMost(at("/amount"), 40)]), NEXT[0])
}

fn texts() -> Vec<Case> {
    // Two bytes in the last group of four letters, so that there is padding and there are spare bits.
    let of_length = |count: usize| {
        let purpose = Purpose::parse(&"x".repeat(count)).ok();
        mint(&Grant { purpose, ..grant() }).expose().to_owned()
    };
    let fits = |token: &String| token.len() % 4 == 3 && token.contains(['-', '_']);
    let token = (1..100).map(of_length).find(fits).unwrap();
    let bytes = forge::bytes(&token);
    let (rest, last) = token.split_at(token.len() - 1);
    let spare = format!("{rest}{}", LETTERS.chars().nth(LETTERS.find(last).unwrap() + 1).unwrap());
    vec![
        bad("text", "one-letter", "a single letter is no bytes", "A"),
        bad("text", "padded", "no padding", &URL_SAFE.encode(&bytes)),
        bad("text", "standard-alphabet", "base64url, not base64", &STANDARD_NO_PAD.encode(&bytes)),
        bad("text", "spare-bits", "the last letter has bits that say nothing", &spare),
        bad("text", "white-space", "a space at the end", &format!("{token} ")),
        bad("protobuf", "no-bytes", "nothing", ""),
    ]
}

fn protobuf() -> Vec<Case> {
    let bytes = forge::bytes(mint(&grant()).expose());
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let half = bytes.get(..bytes.len() / 2).unwrap();
    let less = bytes.get(..bytes.len() - 1).unwrap();
    // Key id 1 is written as 08 01; two bytes would say the same.
    let spare = [&[0x08, 0x81, 0x00], bytes.get(2..).unwrap()].concat();
    let (key_id, rest) = bytes.split_at(2);
    let unknown = [bytes.as_slice(), &[0x2a, 0x04], b"more"].concat();
    let case = |name: &str, why: &str, bytes: &[u8]| bad("protobuf", name, why, &text(bytes));
    vec![
        case("half", "cut in the middle", half),
        case("last-byte-missing", "cut at the end", less),
        case("one-byte-more", "a byte after the end", &[bytes.as_slice(), &[0]].concat()),
        case("unknown-field", "a field that other readers skip", &unknown),
        case(
            "unknown-field-first",
            "the same at the beginning",
            &[b"\x78\x01".as_slice(), &bytes].concat(),
        ),
        case("spare-varint", "a number with a byte that says nothing", &spare),
        case("key-id-last", "fields in another order", &[rest, key_id].concat()),
        case(
            "key-id-twice",
            "a field twice, of which readers take the last",
            &[key_id, &bytes].concat(),
        ),
        case("not-protobuf", "bytes of no meaning", &[0xff; 64]),
    ]
}

fn signatures() -> Vec<Case> {
    let case = |name: &str,
                why: &str,
                token: &str,
                change: fn(&mut biscuit_auth::format::schema::Biscuit)| {
        let mut token = forge::decode(token);
        change(&mut token);
        bad("signature", name, why, &forge::encode(&token))
    };
    let third = biscuit::append_third(mint(&signed()).expose(), APPROVED, CHANGE_MGMT, NEXT[0]);
    let (plain, narrowed) = (mint(&grant()), narrowed());
    vec![
        case("signature-changed", "one bit of it", plain.expose(), |token| {
            token.authority.signature[7] ^= 1
        }),
        case("next-key-changed", "another next key", plain.expose(), |token| {
            token.authority.next_key.key = STRANGER.public().as_bytes().to_vec();
        }),
        case("holder-block-changed", "another bound", &narrowed, |token| {
            let block = &mut token.blocks[0].block;
            let at = block.iter().rposition(|byte| *byte == 40).unwrap();
            block[at] = 41;
        }),
        case(
            "holder-block-by-a-stranger",
            "signed by another than the block before names",
            &narrowed,
            |token| {
                token.blocks[0].signature = STRANGER.private().sign(b"").to_vec();
            },
        ),
        case("third-party-signature-changed", "one bit of it", &third, |token| {
            token.blocks[0].external_signature.as_mut().unwrap().signature[7] ^= 1;
        }),
        case(
            "signature-version-raised",
            "the signature is over another form",
            plain.expose(),
            |token| {
                token.authority.version = Some(1);
            },
        ),
    ]
}

fn proofs() -> Vec<Case> {
    let plain = mint(&grant());
    let with_tail = |token: &str, content| {
        let mut token = forge::decode(token);
        token.proof.content = Some(content);
        forge::encode(&token)
    };
    let mut cut = forge::decode(&narrowed());
    cut.blocks.clear();
    let seal = |token: &str| biscuit::encode(&biscuit::read(token).seal().unwrap());
    let mut sealed = forge::decode(&seal(&narrowed()));
    sealed.blocks.clear();
    let stranger = proof::Content::NextSecret(STRANGER.seed().to_vec());
    let forged = proof::Content::FinalSignature(STRANGER.private().sign(b"").to_vec());
    let short = proof::Content::NextSecret(vec![7; 31]);
    vec![
        bad("proof", "block-removed", "without the block that narrowed it", &forge::encode(&cut)),
        bad(
            "proof",
            "block-removed-and-sealed",
            "the same of a sealed token",
            &forge::encode(&sealed),
        ),
        bad(
            "proof",
            "secret-of-another",
            "a secret that is not the last key's",
            &with_tail(plain.expose(), stranger),
        ),
        bad(
            "proof",
            "seal-of-another",
            "a seal that is not the last key's",
            &with_tail(plain.expose(), forged),
        ),
        bad(
            "protobuf",
            "secret-of-31-bytes",
            "a secret has 32 bytes",
            &with_tail(plain.expose(), short),
        ),
    ]
}

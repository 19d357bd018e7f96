//! An entry as it stands in the record: one line, whose bytes are what is hashed.
//!
//! ```text
//! {"chain":"c","n":7,"prev":"…64…","kind":"spent","at":"…", … ,"hash":"…64…"}
//! └────────────────────── hashed, with prev before it ──────┘
//! ```
//! The hash is SHA-256 over a domain tag, the 32 bytes of the hash before, and these bytes: nobody has to write
//! JSON again to prove anything. An entry has one spelling, and any other is refused.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::entry::Entry;

const TAG: &[u8] = b"farebox-record-entry/1\0";
const CHAIN: &str = r#"{"chain":""#;
const NUMBER: &str = r#"","n":"#;
const PREV: &str = r#","prev":""#;
const HASH: &str = r#","hash":""#;
/// The hash in hexadecimal, and what ends the line.
const HASH_END_BYTES: usize = 66;

/// The hash of an entry, and so of all before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// The name of a chain: each issuer has one of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain(Box<str>);

/// A name that no chain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain's name has 1 to 64 letters, digits, dots, dashes and underscores")]
pub struct ChainError;

/// An entry where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The chain.
    pub chain: Chain,
    /// Its number there: one more than that of the entry before.
    pub n: u64,
    /// The hash of the entry before.
    pub prev: Hash,
    /// What happened.
    pub entry: Entry,
    /// The hash of this one.
    pub hash: Hash,
}

/// Why a line is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is not of this shape, or not spelled as farebox spells it.
    #[error("it is no entry")]
    Malformed,
    /// Its bytes are not those that were hashed.
    #[error("its bytes are not those that were hashed")]
    Altered,
}

/// The parts of a line, unread.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) chain: &'a str,
    pub(super) n: u64,
    pub(super) prev: Hash,
    /// The members of the entry, without braces.
    body: &'a str,
    pub(super) hash: Hash,
    /// What is hashed.
    hashed: &'a str,
}

impl Hash {
    /// What stands before the first entry.
    pub const NONE: Hash = Hash([0; 32]);

    /// The hash that this hexadecimal text says, if it says one.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Hash> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(Hash(bytes))
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(prev: Hash, hashed: &[u8]) -> Hash {
        let mut context = Context::new(&SHA256);
        context.update(TAG);
        context.update(&prev.0);
        context.update(hashed);
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Hash(bytes)
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Two of them stand in every line: a formatter that is called for each byte costs more than the hash.
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[letter(byte >> 4), letter(byte & 15)]);
        }
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

fn letter(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Hash::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not a hash"))
    }
}

impl Chain {
    /// Reads a name: it stands in every line, so it has no letter that JSON writes otherwise.
    ///
    /// # Errors
    /// [`ChainError`] where it is none.
    pub fn parse(text: &str) -> Result<Chain, ChainError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let named = (1..=64).contains(&text.len()) && text.bytes().all(letter);
        if named { Ok(Chain(text.into())) } else { Err(ChainError) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The members of an entry, as the line has them.
pub(super) fn body(entry: &Entry) -> Option<String> {
    let mut text = serde_json::to_string(entry).ok()?;
    text.pop()?;
    text.remove(0);
    Some(text)
}

/// The line of this body behind that hash, and its own hash.
pub(super) fn write(chain: &Chain, n: u64, prev: Hash, body: &str) -> (Vec<u8>, Hash) {
    let mut line = format!("{CHAIN}{chain}{NUMBER}{n}{PREV}{prev}\",{body}").into_bytes();
    let hash = Hash::of(prev, &line);
    line.extend(format!("{HASH}{hash}\"}}").into_bytes());
    (line, hash)
}

/// Takes a line apart. Nothing is proved by that.
pub(super) fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let line = std::str::from_utf8(line).ok()?;
    let (chain, rest) = line.strip_prefix(CHAIN)?.split_once('"')?;
    // What was split off again: the number's name begins with the quote.
    let (n, rest) = rest.strip_prefix(NUMBER.get(1..)?)?.split_once(',')?;
    let number: u64 = n.parse().ok()?;
    if number.to_string() != n {
        return None;
    }
    let (prev, rest) = rest.strip_prefix(PREV.get(1..)?)?.split_at_checked(64)?;
    let rest = rest.strip_prefix("\",")?;
    let (body, end) = rest.split_at_checked(rest.len().checked_sub(HASH_END_BYTES)?)?;
    let body = body.strip_suffix(HASH)?;
    let hash = end.strip_suffix("\"}")?;
    let hashed = line.get(..line.len().checked_sub(HASH.len() + HASH_END_BYTES)?)?;
    let (prev, hash) = (Hash::from_hex(prev)?, Hash::from_hex(hash)?);
    Some(Parts { chain, n: number, prev, body, hash, hashed })
}

impl Parts<'_> {
    /// Whether the bytes are those that were hashed.
    pub(super) fn is_whole(&self) -> bool {
        Hash::of(self.prev, self.hashed.as_bytes()) == self.hash
    }

    /// Reads the entry, of which there is one spelling.
    pub(super) fn entry(&self) -> Option<Entry> {
        let entry: Entry = serde_json::from_str(&format!("{{{}}}", self.body)).ok()?;
        (body(&entry)? == self.body).then_some(entry)
    }
}

impl Recorded {
    /// Reads a line, and proves that its bytes are those that were hashed.
    ///
    /// # Errors
    /// [`LineError`] where it is no entry, or another than was written.
    pub fn read(line: &[u8]) -> Result<Recorded, LineError> {
        let parts = parts(line).ok_or(LineError::Malformed)?;
        if !parts.is_whole() {
            return Err(LineError::Altered);
        }
        let entry = parts.entry().ok_or(LineError::Malformed)?;
        let chain = Chain::parse(parts.chain).or(Err(LineError::Malformed))?;
        Ok(Recorded { chain, n: parts.n, prev: parts.prev, entry, hash: parts.hash })
    }

    /// The same as its line says, for an answer in JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.line()).unwrap_or_default()
    }

    /// Its line, without an end of line.
    #[must_use]
    pub fn line(&self) -> String {
        // An entry that was read has a body that can be written.
        let body = body(&self.entry).unwrap_or_default();
        let (line, _hash) = write(&self.chain, self.n, self.prev, &body);
        String::from_utf8(line).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use farebox_verifier::UnixSeconds;

    use super::super::kind::Kind;
    use super::*;

    fn line() -> Vec<u8> {
        let entry = Entry::of(Kind::Denied).at(UnixSeconds(1_800_000_000)).reason("a \"b\"\n,é");
        let chain = Chain::parse("issuer-1").unwrap();
        write(&chain, 7, Hash([9; 32]), &body(&entry.detail("x", 1)).unwrap()).0
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let recorded = Recorded::read(&line()).unwrap();
        assert_eq!((recorded.n, recorded.prev), (7, Hash([9; 32])));
        assert_eq!(recorded.line().into_bytes(), line());
    }

    #[test]
    fn no_byte_of_a_line_can_be_changed() {
        let line = line();
        for at in 0..line.len() {
            let mut other = line.clone();
            other[at] ^= 1;
            assert!(Recorded::read(&other).is_err(), "byte {at}");
            assert!(Recorded::read(&line[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_spelling_of_the_same_entry_is_refused_even_with_its_own_hash() {
        let chain = Chain::parse("c").unwrap();
        for body in [
            r#""kind":"alarm", "at":"2027-01-15T08:00:00Z""#,
            r#""at":"2027-01-15T08:00:00Z","kind":"alarm""#,
            r#""kind":"alarm","at":"2027-01-15T09:00:00+01:00""#,
            r#""kind":"alarm","at":"2027-01-15T08:00:00Z","detail":{"b":1,"a":2}"#,
            r#""kind":"alarm","at":"2027-01-15T08:00:00Z","detail":{"a":1,"a":1}"#,
            r#""kind":"alarm","at":"2027-01-15T08:00:00Z","code":null"#,
        ] {
            let (line, _) = write(&chain, 1, Hash::NONE, body);
            assert_eq!(Recorded::read(&line), Err(LineError::Malformed), "{body}");
        }
    }
}

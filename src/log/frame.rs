//! The bytes of a log: a header, then frames. One frame is what one write put there.
//!
//! ```text
//! header:  magic 8 │ version 4 │ zero 4 │ file id 16 │ check 16
//! frame:   tag 8 │ number 8 │ length 4 │ kind 4 │ digest of the body 16 │ check 8 │ body
//! body:    (length 4 │ payload)*
//! ```
//!
//! Integers are little-endian. Checks and digests are SHA-256, cut short: against torn writes and rot, not
//! against people. (A table CRC-32C was no faster where it was measured, and tells less.)
//!
//! The check of a frame's head covers the file id, so a frame of another file, or of an earlier use of the
//! same blocks, never passes. The tag is the first half of the id: what a search for later frames looks for.

use aws_lc_rs::digest::{Context, SHA256};

/// The first bytes of every log; the first of them is in no text.
const MAGIC: [u8; 8] = *b"\x8efbxlog\n";
/// The version of this layout.
pub(super) const VERSION: u32 = 1;
/// Bytes of the file's header.
pub(super) const HEADER_BYTES: usize = 48;
/// Bytes of a frame before its body.
pub(super) const HEAD_BYTES: usize = 48;
/// The longest payload: a policy set, or a page of blocks; most are a hundredth of it.
pub(super) const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// The longest body: what recovery holds in memory at once, and so the most that one append may carry.
pub(super) const BODY_BYTES_MAX: usize = 4 << 20;

/// Names one file for good: a rewritten log is another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId([u8; 16]);

impl FileId {
    /// A fresh one.
    pub(super) fn generate() -> Option<FileId> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        Some(FileId(bytes))
    }

    /// What a search looks for.
    pub(super) fn tag(&self) -> [u8; 8] {
        let mut tag = [0; 8];
        copy(&mut tag, &self.0);
        tag
    }

    pub(super) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Why the first bytes of a file are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFlaw {
    Short,
    Foreign,
    Newer(u32),
    Damaged,
}

/// The header of a file.
pub(super) fn header(id: FileId) -> [u8; HEADER_BYTES] {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(id.0);
    bytes.extend(digest::<16>(&[&bytes]));
    fixed(&bytes)
}

/// Reads a header. The version is looked at before the check: a newer layout may have another.
pub(super) fn read_header(mut bytes: &[u8]) -> Result<FileId, HeaderFlaw> {
    let whole = bytes;
    if !MAGIC.starts_with(whole.get(..MAGIC.len()).unwrap_or(whole)) {
        return Err(HeaderFlaw::Foreign);
    }
    let _magic: [u8; 8] = take(&mut bytes).ok_or(HeaderFlaw::Short)?;
    let version = u32::from_le_bytes(take(&mut bytes).ok_or(HeaderFlaw::Short)?);
    if version > VERSION {
        return Err(HeaderFlaw::Newer(version));
    }
    let _zero: [u8; 4] = take(&mut bytes).ok_or(HeaderFlaw::Short)?;
    let id = FileId(take(&mut bytes).ok_or(HeaderFlaw::Short)?);
    let _check: [u8; 16] = take(&mut bytes).ok_or(HeaderFlaw::Short)?;
    if whole.first_chunk() == Some(&header(id)) { Ok(id) } else { Err(HeaderFlaw::Damaged) }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Payloads of appends.
    Payloads,
    /// The end of a clean stop.
    Seal,
}

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) length: u32,
    pub(super) kind: Kind,
    digest: [u8; 16],
}

impl Head {
    /// Reads a head of this file; `None` for anything else.
    pub(super) fn read(bytes: &[u8; HEAD_BYTES], id: FileId) -> Option<Head> {
        let mut rest = bytes.as_slice();
        let tag: [u8; 8] = take(&mut rest)?;
        let number = u64::from_le_bytes(take(&mut rest)?);
        let length = u32::from_le_bytes(take(&mut rest)?);
        let kind = match u32::from_le_bytes(take(&mut rest)?) {
            1 => Kind::Payloads,
            2 => Kind::Seal,
            _ => return None,
        };
        let head = Head { number, length, kind, digest: take(&mut rest)? };
        (tag == id.tag() && head.write(id) == *bytes).then_some(head)
    }

    fn write(&self, id: FileId) -> [u8; HEAD_BYTES] {
        let kind: u32 = match self.kind {
            Kind::Payloads => 1,
            Kind::Seal => 2,
        };
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend(id.tag());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(self.digest);
        bytes.extend(digest::<8>(&[&id.0, &bytes]));
        fixed(&bytes)
    }

    /// Whether this body is the one that the head was written for.
    pub(super) fn fits(&self, body: &[u8]) -> bool {
        digest(&[body]) == self.digest
    }
}

/// A frame being made: room for its head, then its body.
pub(super) struct Frame(Vec<u8>);

/// A payload that no frame takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Frame {
    pub(super) fn new() -> Frame {
        Frame(vec![0; HEAD_BYTES])
    }

    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.0.truncate(HEAD_BYTES);
    }

    pub(super) fn body_bytes(&self) -> usize {
        self.0.len() - HEAD_BYTES
    }

    /// Puts a payload at the end of the body.
    pub(super) fn push(&mut self, payload: &[u8]) -> Result<(), TooLong> {
        let bytes = cost(payload);
        if payload.len() > PAYLOAD_BYTES_MAX || bytes > BODY_BYTES_MAX - self.body_bytes() {
            return Err(TooLong);
        }
        let length = u32::try_from(payload.len()).or(Err(TooLong))?;
        self.0.extend(length.to_le_bytes());
        self.0.extend(payload);
        Ok(())
    }

    /// Puts a body there that was read from another frame.
    pub(super) fn replace(&mut self, body: &[u8]) {
        self.clear();
        self.0.extend(body);
    }

    /// Writes the head, and gives the bytes of the frame.
    pub(super) fn finish(&mut self, id: FileId, number: u64, kind: Kind) -> &[u8] {
        // A body is never longer than its limit, which fits.
        let length = u32::try_from(self.body_bytes()).unwrap_or(u32::MAX);
        if let Some((head, body)) = self.0.split_first_chunk_mut() {
            *head = Head { number, length, kind, digest: digest(&[body]) }.write(id);
        }
        &self.0
    }
}

/// What a payload takes of a body.
pub(super) fn cost(payload: &[u8]) -> usize {
    payload.len().saturating_add(4)
}

/// Takes the next payload of a body; `None` where the body is not of this layout.
pub(super) fn take_payload<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(body)?);
    let (payload, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
    *body = rest;
    Some(payload)
}

/// Takes as many bytes as the array has.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// The first bytes of SHA-256 over the parts.
pub(super) fn digest<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    fixed(context.finish().as_ref())
}

/// The first bytes, with zeros where there are none.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    copy(&mut array, bytes);
    array
}

fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

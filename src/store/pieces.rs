//! What a rewritten file begins with is carried over in pieces: many small things in one payload.

use farebox_verifier::redis::question::{outcome, outcome_number};
use farebox_verifier::{Mark, Outcome};

use super::packed::{Packed, PackedError, Reader, Writer};
use crate::limits;

/// Many small things, so many at a time.
pub(crate) fn pieces<T>(mut things: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let piece: Vec<T> = things.by_ref().take(limits::CARRIED_MAX).collect();
        (!piece.is_empty()).then_some(piece)
    })
}

impl Packed for bool {
    fn pack(&self, to: &mut Writer) {
        u8::from(*self).pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<bool, PackedError> {
        match u8::unpack(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(PackedError::Value),
        }
    }
}

impl Packed for Box<str> {
    fn pack(&self, to: &mut Writer) {
        to.bytes(self.as_bytes());
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Box<str>, PackedError> {
        from.text().map(Box::from)
    }
}

impl Packed for Box<[u8]> {
    fn pack(&self, to: &mut Writer) {
        to.bytes(self);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Box<[u8]>, PackedError> {
        from.bytes().map(Box::from)
    }
}

impl Packed for Box<[u64]> {
    fn pack(&self, to: &mut Writer) {
        self.to_vec().pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Box<[u64]>, PackedError> {
        Vec::unpack(from).map(Vec::into_boxed_slice)
    }
}

impl<A: Packed, B: Packed> Packed for (A, B) {
    fn pack(&self, to: &mut Writer) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<(A, B), PackedError> {
        Ok((A::unpack(from)?, B::unpack(from)?))
    }
}

impl Packed for Mark {
    fn pack(&self, to: &mut Writer) {
        self.as_bytes().pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Mark, PackedError> {
        Packed::unpack(from).map(Mark::from_bytes)
    }
}

impl Packed for Outcome {
    fn pack(&self, to: &mut Writer) {
        outcome_number(*self).pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Outcome, PackedError> {
        outcome(u8::unpack(from)?).ok_or(PackedError::Value)
    }
}

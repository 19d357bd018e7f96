//! Compact binary payloads: what a disk keeps and no eye reads.
//!
//! Integers are big-endian and of fixed width, bytes and texts stand after their length, a choice is one
//! byte. A value has one spelling: whatever is read is, written again, the same bytes. Reading believes
//! nothing: no input makes it panic, take more memory than the input is long, or accept a rest.

use farebox_verifier::{
    Action, Agent, Audience, Generation, GrantId, PolicyHash, Resource, Scope, Selector, Shard,
    StoreName, UnixSeconds, Workflow,
};

use crate::limits;

/// Why bytes are no payload, or a value makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PackedError {
    /// It is longer than any payload.
    #[error("payload is longer than {} bytes", limits::PACKED_BYTES_MAX)]
    TooLong,
    /// It ends within a value.
    #[error("payload ends early")]
    Short,
    /// It goes on where the value ends.
    #[error("payload goes on after its end")]
    Trailing,
    /// A choice, a text or a number that the value does not have.
    #[error("payload holds what its value cannot be")]
    Value,
}

/// Can be written as bytes, and read back from them.
pub(crate) trait Packed: Sized {
    /// Writes it.
    fn pack(&self, to: &mut Writer);
    /// Reads it.
    fn unpack(from: &mut Reader<'_>) -> Result<Self, PackedError>;
}

/// The bytes of a value.
pub(crate) fn write(value: &impl Packed) -> Result<Vec<u8>, PackedError> {
    let mut writer = Writer::default();
    value.pack(&mut writer);
    writer.finish()
}

/// The value of these bytes, all of them.
pub(crate) fn read<T: Packed>(bytes: &[u8]) -> Result<T, PackedError> {
    let mut reader = Reader::over(bytes)?;
    let value = T::unpack(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Takes bytes until there are too many. It may hold a secret, and so has no `Debug`.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Writer {
    /// Bytes whose number the reader knows.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let length = self.bytes.len().saturating_add(bytes.len());
        if self.too_long || length > limits::PACKED_BYTES_MAX {
            self.too_long = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Bytes after their number.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        match u32::try_from(bytes.len()) {
            Ok(length) => {
                length.pack(self);
                self.raw(bytes);
            }
            Err(_) => self.too_long = true,
        }
    }

    /// All of them.
    pub(crate) fn finish(self) -> Result<Vec<u8>, PackedError> {
        if self.too_long { Err(PackedError::TooLong) } else { Ok(self.bytes) }
    }
}

/// Gives bytes back in their order.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of this payload.
    pub(crate) fn over(bytes: &'a [u8]) -> Result<Reader<'a>, PackedError> {
        if bytes.len() > limits::PACKED_BYTES_MAX {
            return Err(PackedError::TooLong);
        }
        Ok(Reader(bytes))
    }

    /// So many bytes.
    pub(crate) fn raw(&mut self, count: usize) -> Result<&'a [u8], PackedError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(PackedError::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Bytes after their number.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], PackedError> {
        let count = usize::try_from(u32::unpack(self)?).or(Err(PackedError::TooLong))?;
        self.raw(count)
    }

    /// A text after its number of bytes.
    pub(crate) fn text(&mut self) -> Result<&'a str, PackedError> {
        std::str::from_utf8(self.bytes()?).or(Err(PackedError::Value))
    }

    /// Nothing is left.
    pub(crate) fn finish(self) -> Result<(), PackedError> {
        if self.0.is_empty() { Ok(()) } else { Err(PackedError::Trailing) }
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl Packed for $integer {
            fn pack(&self, to: &mut Writer) {
                to.raw(&self.to_be_bytes());
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$integer, PackedError> {
                Packed::unpack(from).map(<$integer>::from_be_bytes)
            }
        }
    )+};
}

integers!(u8, u16, u32, u64);

impl<const N: usize> Packed for [u8; N] {
    fn pack(&self, to: &mut Writer) {
        to.raw(self);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<[u8; N], PackedError> {
        from.raw(N)?.try_into().or(Err(PackedError::Short))
    }
}

impl<T: Packed> Packed for Box<T> {
    fn pack(&self, to: &mut Writer) {
        T::pack(self, to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Box<T>, PackedError> {
        T::unpack(from).map(Box::new)
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Writer) {
        match self {
            None => 0_u8.pack(to),
            Some(value) => {
                1_u8.pack(to);
                value.pack(to);
            }
        }
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Option<T>, PackedError> {
        match u8::unpack(from)? {
            0 => Ok(None),
            1 => T::unpack(from).map(Some),
            _ => Err(PackedError::Value),
        }
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, to: &mut Writer) {
        match u16::try_from(self.len()) {
            Ok(count) => {
                count.pack(to);
                self.iter().for_each(|item| item.pack(to));
            }
            Err(_) => to.too_long = true,
        }
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Vec<T>, PackedError> {
        // No room is made for what a count promises: it grows by what is there.
        (0..u16::unpack(from)?).map(|_| T::unpack(from)).collect()
    }
}

macro_rules! names {
    ($($name:ident),+) => {$(
        impl Packed for $name {
            fn pack(&self, to: &mut Writer) {
                to.bytes(self.as_str().as_bytes());
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$name, PackedError> {
                $name::parse(from.text()?).or(Err(PackedError::Value))
            }
        }
    )+};
}

names!(Action, Agent, Audience, Resource, StoreName, Workflow);

macro_rules! hashes {
    ($($name:ident),+) => {$(
        impl Packed for $name {
            fn pack(&self, to: &mut Writer) {
                self.as_bytes().pack(to);
            }

            fn unpack(from: &mut Reader<'_>) -> Result<$name, PackedError> {
                Packed::unpack(from).map($name::from_bytes)
            }
        }
    )+};
}

hashes!(Generation, GrantId, PolicyHash, Scope);

impl Packed for UnixSeconds {
    fn pack(&self, to: &mut Writer) {
        self.0.pack(to);
    }

    fn unpack(from: &mut Reader<'_>) -> Result<UnixSeconds, PackedError> {
        u64::unpack(from).map(UnixSeconds)
    }
}

impl Packed for Shard {
    fn pack(&self, to: &mut Writer) {
        to.bytes(self.as_str().as_bytes());
    }

    fn unpack(from: &mut Reader<'_>) -> Result<Shard, PackedError> {
        Shard::parse(from.text()?).ok_or(PackedError::Value)
    }
}

/// A choice: which variant stands for which byte, and in which order its fields stand.
macro_rules! choices {
    ($name:ident { $($tag:literal = $variant:ident $(($($item:ident),+))? $({$($field:ident),+})?),+ $(,)? }) => {
        impl $crate::store::packed::Packed for $name {
            fn pack(&self, to: &mut $crate::store::packed::Writer) {
                match self {
                    $($name::$variant $(($($item),+))? $({$($field),+})? => {
                        $crate::store::packed::Packed::pack(&$tag, to);
                        $($($crate::store::packed::Packed::pack($item, to);)+)?
                        $($($crate::store::packed::Packed::pack($field, to);)+)?
                    })+
                }
            }

            fn unpack(
                from: &mut $crate::store::packed::Reader<'_>,
            ) -> Result<$name, $crate::store::packed::PackedError> {
                match <u8 as $crate::store::packed::Packed>::unpack(from)? {
                    $($tag => {
                        $($(let $item = $crate::store::packed::Packed::unpack(from)?;)+)?
                        $($(let $field = $crate::store::packed::Packed::unpack(from)?;)+)?
                        Ok($name::$variant $(($($item),+))? $({$($field),+})?)
                    })+
                    _ => Err($crate::store::packed::PackedError::Value),
                }
            }
        }
    };
}

/// All fields of a struct, in this order.
macro_rules! fields {
    ($name:ident { $($field:tt),+ $(,)? }) => {
        impl $crate::store::packed::Packed for $name {
            fn pack(&self, to: &mut $crate::store::packed::Writer) {
                $($crate::store::packed::Packed::pack(&self.$field, to);)+
            }

            fn unpack(
                from: &mut $crate::store::packed::Reader<'_>,
            ) -> Result<$name, $crate::store::packed::PackedError> {
                Ok($name { $($field: $crate::store::packed::Packed::unpack(from)?),+ })
            }
        }
    };
}

pub(crate) use {choices, fields};

choices!(Selector {
    0_u8 = Grant(grant),
    1_u8 = Agent(agent),
    2_u8 = Workflow(workflow),
    3_u8 = Audience(audience),
    4_u8 = Action(action),
    5_u8 = Policy(policy),
    6_u8 = Key(key),
    7_u8 = All,
});

#[cfg(test)]
mod tests;

//! Protobuf, as much of it as a token uses, read strictly.
//!
//! What a writer would not write is refused: a varint with spare bytes, fields out of order, wire
//! types that no message of a token has. So a byte that means nothing has no place to be.

use super::flaw::Flaw;

/// A field's value: a number, or bytes that the schema gives a meaning.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(crate) fn number(self) -> Result<u64, Flaw> {
        if let Value::Number(number) = self { Ok(number) } else { Err(Flaw::Protobuf) }
    }

    pub(crate) fn bytes(self) -> Result<&'a [u8], Flaw> {
        if let Value::Bytes(bytes) = self { Ok(bytes) } else { Err(Flaw::Protobuf) }
    }

    pub(crate) fn text(self) -> Result<&'a str, Flaw> {
        std::str::from_utf8(self.bytes()?).or(Err(Flaw::Protobuf))
    }

    pub(crate) fn array<const N: usize>(self) -> Result<[u8; N], Flaw> {
        self.bytes()?.try_into().or(Err(Flaw::Protobuf))
    }
}

/// The fields of one message, in ascending order of their numbers.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    last: u64,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Fields<'a> {
        Fields { rest: message, last: 0 }
    }

    /// The next field's number and value.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Flaw> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = tag >> 3;
        if field < self.last || field == 0 {
            return Err(Flaw::Protobuf);
        }
        self.last = field;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            2 => Value::Bytes(self.counted()?),
            _ => return Err(Flaw::Protobuf),
        };
        Ok(Some((field, value)))
    }

    /// The next field, which must be `field`.
    pub(crate) fn required(&mut self, field: u64) -> Result<Value<'a>, Flaw> {
        match self.next()? {
            Some((found, value)) if found == field => Ok(value),
            _ => Err(Flaw::Protobuf),
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<(), Flaw> {
        if self.rest.is_empty() { Ok(()) } else { Err(Flaw::Protobuf) }
    }

    fn counted(&mut self) -> Result<&'a [u8], Flaw> {
        let count = usize::try_from(self.varint()?).or(Err(Flaw::Protobuf))?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Flaw::Protobuf)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, Flaw> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Flaw::Protobuf)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds one bit, and a last byte of zero could have been left out.
            if (shift == 63 && bits > 1) || (*byte == 0 && shift > 0) {
                return Err(Flaw::Protobuf);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Flaw::Protobuf)
    }
}

/// Writes a message.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    pub(crate) fn number(&mut self, field: u8, value: u64) {
        self.0.push(field << 3);
        self.varint(value);
    }

    pub(crate) fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.0.push(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message within this one. Its length is known after it is written: most are short, so one
    /// byte is kept for it, and the rest moves where that is too few.
    pub(crate) fn message(&mut self, field: u8, write: impl FnOnce(&mut Writer)) {
        self.0.push(field << 3 | 2);
        let at = self.0.len();
        self.0.push(0);
        write(self);
        let length = self.0.len() - at - 1;
        match (u8::try_from(length), self.0.get_mut(at)) {
            (Ok(short), Some(kept)) if short < 0x80 => *kept = short,
            _ => {
                let mut prefix = Writer::default();
                prefix.varint(length as u64);
                self.0.splice(at..=at, prefix.0);
            }
        }
    }

    /// What another writer wrote, as it stands.
    pub(crate) fn append(&mut self, other: &Writer) {
        self.0.extend_from_slice(&other.0);
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> Result<u64, Flaw> {
        Fields::of(bytes).required(1).and_then(Value::number)
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for shift in 0..64 {
            for value in [1 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut writer = Writer::default();
                writer.number(1, value);
                assert_eq!(number(&writer.done()), Ok(value));
            }
        }
    }

    #[test]
    fn a_number_with_spare_bytes_is_refused() {
        assert_eq!(number(&[8, 0]), Ok(0));
        assert!(number(&[8, 0x80, 0]).is_err());
        assert!(number(&[8, 0x81, 0x80, 0]).is_err());
    }

    #[test]
    fn a_number_beyond_64_bits_is_refused() {
        let mut bytes = vec![8];
        bytes.extend([0xff; 9]);
        assert_eq!(number(&[bytes.as_slice(), &[1]].concat()), Ok(u64::MAX));
        assert!(number(&[bytes.as_slice(), &[2]].concat()).is_err());
    }

    #[test]
    fn a_field_out_of_order_is_refused() {
        let mut fields = Fields::of(&[16, 1, 8, 1]);
        assert!(fields.next().is_ok());
        assert!(fields.next().is_err());
    }

    #[test]
    fn a_long_message_has_a_long_length() {
        for length in [0, 1, 127, 128, 300, 20_000] {
            let mut writer = Writer::default();
            writer.message(1, |inner| inner.bytes(2, &vec![7; length]));
            let bytes = writer.done();
            let inner = Fields::of(&bytes).required(1).and_then(Value::bytes).unwrap();
            let content = Fields::of(inner).required(2).and_then(Value::bytes).unwrap();
            assert_eq!(content, vec![7; length]);
        }
    }
}

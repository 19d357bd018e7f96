//! Bytes as the store's functions read and write them: numbers of six and seven bytes, and no more
//! structure than Lua can take apart cheaply.
//!
//! Whoever reads says what must come next, and gets nothing where it does not: no input makes it panic,
//! and bytes that nobody asked for make the whole unreadable.

/// Writes.
#[derive(Default)]
pub(crate) struct Packer(Vec<u8>);

impl Packer {
    pub(crate) fn byte(&mut self, byte: u8) -> &mut Packer {
        self.0.push(byte);
        self
    }

    /// Bytes of a length that the reader knows.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Packer {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn two(&mut self, number: u16) -> &mut Packer {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn four(&mut self, number: u32) -> &mut Packer {
        self.raw(&number.to_be_bytes())
    }

    /// A number of at most 48 bits: a second, a sequence number.
    pub(crate) fn six(&mut self, number: u64) -> &mut Packer {
        let [_, _, bytes @ ..] = number.to_be_bytes();
        self.raw(&bytes)
    }

    /// A number of at most 56 bits: an amount.
    pub(crate) fn seven(&mut self, number: u64) -> &mut Packer {
        let [_, bytes @ ..] = number.to_be_bytes();
        self.raw(&bytes)
    }

    /// A text behind its length; names are shorter than a length can say.
    pub(crate) fn text(&mut self, text: &str) -> &mut Packer {
        self.two(u16::try_from(text.len()).unwrap_or(u16::MAX)).raw(text.as_bytes())
    }

    pub(crate) fn done(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Reads.
pub(crate) struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Unpacker<'a> {
        Unpacker(bytes)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn four(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn six(&mut self) -> Option<u64> {
        let [a, b, c, d, e, f] = self.array()?;
        Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    pub(crate) fn seven(&mut self) -> Option<u64> {
        let [a, b, c, d, e, f, g] = self.array()?;
        Some(u64::from_be_bytes([0, a, b, c, d, e, f, g]))
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.array().map(u16::from_be_bytes)?;
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// Whatever is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// The value, if nothing is left behind it.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Packer::default();
        out.byte(7).raw(&[1, 2]).six(1 << 47).seven((1 << 53) - 1).four(9).text("grüß");
        let bytes = out.done();
        let mut read = Unpacker::new(&bytes);
        assert_eq!((read.byte(), read.array()), (Some(7), Some([1, 2])));
        assert_eq!((read.six(), read.seven()), (Some(1 << 47), Some((1 << 53) - 1)));
        assert_eq!((read.four(), read.text()), (Some(9), Some("grüß")));
        assert_eq!(read.end(()), Some(()));
    }

    #[test]
    fn what_is_cut_or_too_long_is_not_read() {
        let bytes = Packer::default().text("abc").done();
        for end in 0..bytes.len() {
            assert_eq!(Unpacker::new(&bytes[..end]).text(), None, "{end}");
        }
        assert_eq!(Unpacker::new(&bytes).end(()), None);
    }
}

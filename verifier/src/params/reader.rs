//! From bytes to a value: JSON as strict as I-JSON (RFC 7493), and read by nobody in two ways.
//!
//! Refused beside malformed text are duplicate keys, halves of surrogate pairs and numbers that a
//! double does not keep. Two readers that differ in one of these would see two requests under one
//! digest. Noncharacters such as U+FFFE pass, since they are printed as they came.

use crate::limits::{PARAMS_BYTES_MAX, PARAMS_DEPTH_MAX, PARAMS_LEAVES_MAX};

use super::json::{Json, Member, Object};
use super::json_error::{JsonError, Kind};
use super::number;

impl Json {
    /// Reads one value, which must be all of the bytes but for white space.
    ///
    /// # Errors
    /// The first thing that the text has wrong, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        if bytes.len() > PARAMS_BYTES_MAX {
            return Err(JsonError::new(Kind::TooLong, PARAMS_BYTES_MAX));
        }
        let text = str::from_utf8(bytes)
            .map_err(|error| JsonError::new(Kind::NotUtf8, error.valid_up_to()))?;
        if text.starts_with('\u{feff}') {
            return Err(JsonError::new(Kind::ByteOrderMark, 0));
        }
        Reader::from(text, 0).document()
    }
}

/// Where the reading stands. `at` is always the start of a character, since it only moves over
/// whole ones.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn from(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0, values: 0 }
    }

    fn document(&mut self) -> Result<Json, JsonError> {
        let json = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(json),
            Some(_) => Err(self.error(Kind::TrailingText)),
        }
    }

    fn value(&mut self) -> Result<Json, JsonError> {
        self.skip_space();
        if self.values == PARAMS_LEAVES_MAX {
            return Err(self.error(Kind::TooManyValues));
        }
        self.values = self.values.saturating_add(1);
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.unexpected()),
        }
    }

    /// Goes one level down for what stands behind an opening bracket.
    fn nested(
        &mut self,
        inside: fn(&mut Self) -> Result<Json, JsonError>,
    ) -> Result<Json, JsonError> {
        if self.depth == PARAMS_DEPTH_MAX {
            return Err(self.error(Kind::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        self.step(1);
        let json = inside(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(json)
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        let open = self.at;
        let mut members = Vec::new();
        let mut more = !self.closes(b'}');
        while more {
            members.push(self.member()?);
            more = self.goes_on(b'}')?;
        }
        Object::sorted(members).map(Json::Object).map_err(|duplicate| {
            let name = duplicate.name();
            JsonError::new(Kind::DuplicateKey, self.second(open, name)).under(name)
        })
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        let mut list = Vec::new();
        let mut more = !self.closes(b']');
        while more {
            let value = self.value().map_err(|error| error.under(&list.len().to_string()))?;
            list.push(value);
            more = self.goes_on(b']')?;
        }
        Ok(Json::List(list))
    }

    fn member(&mut self) -> Result<Member, JsonError> {
        let name = self.name()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.step(1);
        let value = self.value().map_err(|error| error.under(&name))?;
        Ok(Member::new(name, value))
    }

    fn name(&mut self) -> Result<Box<str>, JsonError> {
        self.skip_space();
        if self.peek() == Some(b'"') { self.string() } else { Err(self.unexpected()) }
    }

    /// Where a name stands for the second time in the object that opened just before `open`. It
    /// is read once more to find out, so that good text need not remember where its names stood.
    fn second(&self, open: usize, name: &str) -> usize {
        let mut again = Reader::from(self.text, open);
        let mut seen = false;
        loop {
            again.skip_space();
            let start = again.at;
            let Ok(member) = again.member() else { return start };
            if member.name() == name && std::mem::replace(&mut seen, true) {
                return start;
            }
            if again.goes_on(b'}') != Ok(true) {
                return start;
            }
        }
    }

    /// Steps over the closing bracket if it comes at once.
    fn closes(&mut self, close: u8) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(close);
        if closes {
            self.step(1);
        }
        closes
    }

    /// Steps over the comma before the next entry, or over the bracket after the last.
    fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == b',' || byte == close => {
                self.step(1);
                Ok(byte == b',')
            }
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &str, json: Json) -> Result<Json, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.error(Kind::UnexpectedCharacter));
        }
        self.step(word.len());
        Ok(json)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        let digits =
            self.run(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        number::read(digits).map_err(|kind| JsonError::new(kind, start))
    }

    fn string(&mut self) -> Result<Box<str>, JsonError> {
        self.step(1);
        let run = self.run(is_plain);
        if self.peek() == Some(b'"') {
            // Nearly every string has no escape, and is copied once.
            self.step(1);
            return Ok(run.into());
        }
        let mut text = String::from(run);
        loop {
            match self.peek() {
                Some(b'\\') => text.push(self.escape()?),
                Some(b'"') => {
                    self.step(1);
                    return Ok(text.into());
                }
                Some(_) => return Err(self.error(Kind::ControlCharacter)),
                None => return Err(self.unexpected()),
            }
            text.push_str(self.run(is_plain));
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.step(1);
        let letter = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(start),
            Some(_) => return Err(JsonError::new(Kind::BadEscape, start)),
            None => return Err(self.unexpected()),
        };
        self.step(1);
        Ok(letter)
    }

    /// What one or two `\u` escapes stand for: two if the first is a half of a pair.
    fn code_point(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.code_unit(start)?;
        if let Some(letter) = char::from_u32(u32::from(first)) {
            return Ok(letter);
        }
        let lone = || JsonError::new(Kind::LoneSurrogate, start);
        if !self.rest().starts_with("\\u") {
            return Err(lone());
        }
        let next = self.at;
        self.step(1);
        let second = self.code_unit(next)?;
        char::decode_utf16([first, second]).next().and_then(Result::ok).ok_or_else(lone)
    }

    /// The four digits behind the `u` on which the reading stands.
    fn code_unit(&mut self, start: usize) -> Result<u16, JsonError> {
        self.step(1);
        // Checked by hand because `from_str_radix` would take a sign for one of the four.
        let unit = self
            .rest()
            .get(..4)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| JsonError::new(Kind::BadEscape, start))?;
        self.step(4);
        Ok(unit)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step(1);
        }
    }

    /// Steps over the bytes that belong, and returns them. All bytes that end a run are ASCII.
    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !belongs(byte)).unwrap_or(rest.len());
        self.step(length);
        rest.get(..length).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn unexpected(&self) -> JsonError {
        let ended = self.at >= self.text.len();
        self.error(if ended { Kind::UnexpectedEnd } else { Kind::UnexpectedCharacter })
    }

    fn error(&self, kind: Kind) -> JsonError {
        JsonError::new(kind, self.at)
    }
}

/// Whether a byte stands for itself in a string.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'"' | b'\\' | 0..=0x1F)
}

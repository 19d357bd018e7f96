//! RESP2, as much of it as meddling with a server takes.

use std::io::{self, BufRead, Error, ErrorKind};

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`, without the plus.
    Simple(String),
    /// `-ERR …`, without the minus.
    Error(String),
    /// A number.
    Integer(i64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// Nothing.
    Nil,
    /// Several replies.
    Array(Vec<Reply>),
}

impl Reply {
    /// Reads one reply.
    ///
    /// # Errors
    /// The stream's; `InvalidData` where it is no RESP2.
    pub fn read(from: &mut impl BufRead) -> io::Result<Reply> {
        let line = read_line(from)?;
        let rest = line.get(1..).ok_or(ErrorKind::InvalidData)?;
        match line.as_bytes().first() {
            Some(b'+') => Ok(Reply::Simple(rest.to_owned())),
            Some(b'-') => Ok(Reply::Error(rest.to_owned())),
            Some(b':') => Ok(Reply::Integer(number(rest)?)),
            Some(b'$') => {
                let Ok(length) = usize::try_from(number(rest)?) else { return Ok(Reply::Nil) };
                let mut bytes = vec![0; length + 2];
                from.read_exact(&mut bytes)?;
                bytes.truncate(length);
                Ok(Reply::Bulk(bytes))
            }
            Some(b'*') => {
                let count = number(rest)?;
                if count < 0 {
                    return Ok(Reply::Nil);
                }
                (0..count).map(|_| Reply::read(from)).collect::<io::Result<_>>().map(Reply::Array)
            }
            _ => Err(Error::new(ErrorKind::InvalidData, format!("no RESP2 reply: {line:?}"))),
        }
    }

    /// The text of it: a string, an error's too, or a number; empty for everything else.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Reply::Simple(text) | Reply::Error(text) => text.clone(),
            Reply::Integer(number) => number.to_string(),
            Reply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Reply::Nil | Reply::Array(_) => String::new(),
        }
    }

    /// The number it is, or that its text spells.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        self.text().parse().ok()
    }

    /// The replies it is made of; none unless it is an array.
    #[must_use]
    pub fn parts(&self) -> &[Reply] {
        if let Reply::Array(parts) = self { parts } else { &[] }
    }

    /// Whether the server refused.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}

/// The bytes of a command.
#[must_use]
pub fn encode<P: AsRef<[u8]>>(command: &[P]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        let part = part.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\r\n") {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.len() - 2);
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|e| Error::new(ErrorKind::InvalidData, e))
}

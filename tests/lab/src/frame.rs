//! One request or reply as raw bytes, of RESP2 or RESP3: where a proxy may cut.

use std::io::{self, BufRead, ErrorKind};

/// Reads one frame. Whatever does not begin like one is a line: an inline command, or a simple reply.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    let mut missing: u64 = 1;
    while missing > 0 {
        missing -= 1;
        let start = frame.len();
        if from.read_until(b'\n', &mut frame)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = &frame[start..];
        let count = || std::str::from_utf8(&line[1..]).ok()?.trim_end().parse::<u64>().ok();
        match line[0] {
            b'*' | b'~' | b'>' => missing += count().unwrap_or(0),
            b'%' => missing += 2 * count().unwrap_or(0),
            // Attributes stand before the reply that they belong to.
            b'|' => missing += 2 * count().unwrap_or(0) + 1,
            b'$' | b'=' | b'!' => {
                if let Some(length) = count() {
                    let body = usize::try_from(length).map_err(io::Error::other)? + 2;
                    let start = frame.len();
                    frame.resize(start + body, 0);
                    from.read_exact(&mut frame[start..])?;
                }
            }
            _ => {}
        }
    }
    Ok(frame)
}

/// A push is sent without having been asked for.
pub(crate) fn is_push(frame: &[u8]) -> bool {
    frame.first() == Some(&b'>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_ends_where_the_next_begins() {
        for one in [
            "*2\r\n$4\r\nPING\r\n$2\r\n\r\n\r\n",
            "PING\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n*1\r\n:1\r\n$0\r\n\r\n",
            "%1\r\n+a\r\n~2\r\n,1.5\r\n_\r\n",
            "|1\r\n+ttl\r\n:9\r\n$1\r\nx\r\n",
            "=7\r\ntxt:abc\r\n",
            ">2\r\n+message\r\n+x\r\n",
        ] {
            let twice = [one, one].concat();
            let mut left = twice.as_bytes();
            assert_eq!(read(&mut left).unwrap(), one.as_bytes(), "{one:?}");
            assert_eq!(left, one.as_bytes(), "{one:?}");
        }
    }

    #[test]
    fn half_a_frame_is_none() {
        for half in ["", "*2\r\n$1\r\na\r\n", "$5\r\nab"] {
            assert!(read(&mut half.as_bytes()).is_err(), "{half:?}");
        }
    }
}

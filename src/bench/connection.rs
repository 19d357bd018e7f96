//! A connection that is kept: one request at a time, and as little reading as its answer needs.
//!
//! A client of the usual kind takes more of the machine than some of the servers that it would measure.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// An answer is a token and a few words.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// What is read at once: most answers are shorter.
const READ_BYTES: usize = 4 << 10;
/// Whoever has not answered by then is away.
const PATIENCE: Duration = Duration::from_secs(30);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
    head: Head,
}

/// What was answered.
pub struct Heard<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// Where an answer's body is.
#[derive(Clone, Copy, Default)]
struct Head {
    status: u16,
    bytes: usize,
    body_bytes: usize,
}

impl Connection {
    pub(super) fn on(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Connection {
        Connection {
            stream: Box::new(stream),
            read: Vec::with_capacity(READ_BYTES),
            head: Head::default(),
        }
    }

    /// Asks, and waits for the answer. After an error the connection is of no more use.
    ///
    /// # Errors
    /// [`io::Error`] where there is no answer, or none that can be read.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Heard<'_>> {
        self.head = tokio::time::timeout(PATIENCE, self.exchange(request)).await??;
        Ok(self.heard())
    }

    /// The last answer once more.
    pub(super) fn heard(&self) -> Heard<'_> {
        let Head { status, bytes, body_bytes } = self.head;
        Heard { status, body: self.read.get(bytes..bytes + body_bytes).unwrap_or_default() }
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Head> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.read.clear();
        let mut head: Option<Head> = None;
        loop {
            self.read.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head.is_none() {
                head = read_head(&self.read)?;
            }
            match head.take() {
                Some(whole) if self.read.len() >= whole.bytes + whole.body_bytes => {
                    return Ok(whole);
                }
                unfinished => head = unfinished,
            }
        }
    }
}

/// The head, once all of it has come. An answer says how long it is; one in pieces is read by nobody here.
fn read_head(read: &[u8]) -> io::Result<Option<Head>> {
    const END: &[u8] = b"\r\n\r\n";
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    let Some(end) = read.windows(END.len()).position(|bytes| bytes == END) else {
        return if read.len() > ANSWER_BYTES_MAX { Err(odd()) } else { Ok(None) };
    };
    let head = read.get(..end).and_then(|head| std::str::from_utf8(head).ok()).ok_or_else(odd)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok()).ok_or_else(odd)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let body_bytes = length.and_then(|length| length.parse().ok()).ok_or_else(odd)?;
    if body_bytes > ANSWER_BYTES_MAX {
        return Err(odd());
    }
    Ok(Some(Head { status, bytes: end + END.len(), body_bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of these answers, sent in pieces of so many bytes.
    async fn heard(answer: &'static str, piece: usize) -> io::Result<(u16, String)> {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let mut connection = Connection::on(ours);
        let answering = async move {
            let mut asked = [0; 3];
            theirs.read_exact(&mut asked).await.unwrap();
            for piece in answer.as_bytes().chunks(piece) {
                theirs.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let asking = async {
            let heard = connection.ask(b"ask").await?;
            Ok((heard.status, String::from_utf8(heard.body.to_vec()).unwrap()))
        };
        tokio::join!(answering, asking).1
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_in_whatever_pieces_it_comes() {
        const ANSWER: &str =
            "HTTP/1.1 201 Created\r\ncontent-type: x\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        for piece in [1, 2, 3, 7, 40, 1_000] {
            assert_eq!(heard(ANSWER, piece).await.unwrap(), (201, "hello".to_owned()), "{piece}");
        }
        let empty = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(heard(empty, 9).await.unwrap(), (204, String::new()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_no_answer() {
        let kinds = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", io::ErrorKind::UnexpectedEof),
            ("HTTP/1.1 200 OK\r\n", io::ErrorKind::UnexpectedEof),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", io::ErrorKind::InvalidData),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n", io::ErrorKind::InvalidData),
            ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", io::ErrorKind::InvalidData),
            ("SSH-2.0\r\n\r\n", io::ErrorKind::InvalidData),
        ];
        for (answer, kind) in kinds {
            assert_eq!(heard(answer, 1_000).await.unwrap_err().kind(), kind, "{answer}");
        }
    }
}

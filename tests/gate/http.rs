//! HTTP/1.1 by hand, so that a test can say exactly what goes over the wire.

use std::net::SocketAddr;

use farebox_verifier::token::TokenText;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::fixture::soon;

/// A request.
#[derive(Clone)]
pub(crate) struct Call {
    method: String,
    target: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: &str, target: &str) -> Call {
        let (method, target) = (method.to_owned(), target.to_owned());
        Call { method, target, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: &str) -> Call {
        Call::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Call {
        Call::new("POST", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    pub(crate) fn bearer(self, token: &TokenText) -> Call {
        self.header("authorization", &format!("Bearer {}", token.expose()))
    }

    pub(crate) fn json(self, body: &str) -> Call {
        self.header("content-type", "application/json").body(body.as_bytes())
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Call {
        self.body = body.to_vec();
        self
    }

    /// The request's head, for a body of so many bytes and a connection that closes after the reply.
    pub(crate) fn head(&self, content_length: usize) -> String {
        let Call { method, target, .. } = self;
        let headers: String = self.headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = match content_length {
            0 => String::new(),
            bytes => format!("content-length: {bytes}\r\n"),
        };
        format!("{method} {target} HTTP/1.1\r\nhost: api\r\n{length}{headers}")
    }

    /// The whole request, on a connection that closes after it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = format!("{}connection: close\r\n\r\n", self.head(self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }

    /// The same on a connection that stays.
    pub(crate) fn bytes_kept(&self) -> Vec<u8> {
        [format!("{}\r\n", self.head(self.body.len())).as_bytes(), &self.body].concat()
    }

    pub(crate) async fn send(&self, address: SocketAddr) -> Reply {
        exchange(address, &self.bytes()).await
    }

    /// Sends it and awaits nothing.
    pub(crate) async fn begin(&self, address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&self.bytes()).await.unwrap();
        stream
    }
}

/// Sends bytes and reads the first reply.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    Reply::read(&mut stream).await
}

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads the one reply of a connection that closes after it.
    pub(crate) async fn read(stream: &mut TcpStream) -> Reply {
        let mut replies = Reply::read_all(stream).await;
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies.remove(0)
    }

    /// Reads all replies until the connection closes.
    pub(crate) async fn read_all(stream: &mut TcpStream) -> Vec<Reply> {
        let mut bytes = Vec::new();
        // A connection that is reset after the reply has still replied.
        let _reset = soon(stream.read_to_end(&mut bytes)).await;
        let mut rest = bytes.as_slice();
        let mut replies = Vec::new();
        while !rest.is_empty() {
            let (reply, after) = Reply::parse(rest);
            replies.push(reply);
            rest = after;
        }
        replies
    }

    fn parse(bytes: &[u8]) -> (Reply, &[u8]) {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let mut reply = Reply { status, headers: lines.map(header).collect(), body: Vec::new() };
        let (_, rest) = bytes.split_at(end + 4);
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        let (body, rest) = rest.split_at(length);
        reply.body = body.to_vec();
        (reply, rest)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A member of the problem that it is.
    pub(crate) fn problem(&self, member: &str) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        match &problem[member] {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The status, and the code of the problem.
    pub(crate) fn refused(&self) -> (u16, String) {
        assert_eq!(self.problem("status"), self.status.to_string());
        (self.status, self.problem("code"))
    }
}

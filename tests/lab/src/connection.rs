//! A connection that meddles: one command, one reply, and no wait without an end.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::reply::{Reply, encode};

/// A connection to one server. After an error it is good for nothing: a reply that came late would be
/// taken for the next one's.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects; nothing on it waits longer than `patience`.
    ///
    /// # Errors
    /// The socket's.
    pub fn open(address: SocketAddr, patience: Duration) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Sends a command and waits for its reply. A server's refusal is a reply.
    ///
    /// # Errors
    /// The socket's, `WouldBlock` where no reply came in time.
    pub fn call<P: AsRef<[u8]>>(&mut self, command: &[P]) -> io::Result<Reply> {
        self.send(&encode(command))?;
        self.receive()
    }

    /// Sends bytes as they are, as many commands as they hold.
    ///
    /// # Errors
    /// The socket's.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Whether nothing at all comes for so long, not even an end. What does come is not lost.
    ///
    /// # Errors
    /// The socket's.
    pub fn hears_nothing(&mut self, time: Duration) -> io::Result<bool> {
        let patience = self.stream.get_ref().read_timeout()?;
        self.stream.get_ref().set_read_timeout(Some(time))?;
        let heard = self.stream.fill_buf().map(|_| ());
        self.stream.get_ref().set_read_timeout(patience)?;
        match heard {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
            heard => heard.map(|()| false),
        }
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// The socket's, `WouldBlock` where no reply came in time.
    pub fn receive(&mut self) -> io::Result<Reply> {
        Reply::read(&mut self.stream)
    }
}

/// Delivers the bytes of one command to this server on a connection of their own: what a re-sent or
/// re-routed command is to a server that has already, or never, seen it.
///
/// # Errors
/// The socket's.
pub fn deliver(command: &[u8], to: SocketAddr) -> io::Result<Reply> {
    let mut connection = Connection::open(to, Duration::from_secs(5))?;
    connection.send(command)?;
    connection.receive()
}

//! A target: where a server is that is driven, and how it is reached.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connection::Connection;
use crate::client::{self, ClientError, InTheClear};

/// A server, and how it is reached.
#[derive(Clone)]
pub struct Target {
    server: Box<str>,
    host: Box<str>,
    port: u16,
    authority: Box<str>,
    prefix: Box<str>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// The server at this address. For https the system's certificates are trusted, or those of a file instead.
    ///
    /// # Errors
    /// [`ClientError`] where a key may not be sent there, or the certificates cannot be used.
    pub fn new(
        server: &str,
        roots: Option<&Path>,
        clear: InTheClear,
    ) -> Result<Target, ClientError> {
        let uri = client::address(server.trim_end_matches('/'), clear)?;
        let (host, authority) = (uri.host(), uri.authority());
        let (host, authority) = host.zip(authority).ok_or(ClientError::Scheme)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let tls = if secure {
            let name = ServerName::try_from(host.to_owned()).or(Err(ClientError::Scheme))?;
            Some((TlsConnector::from(Arc::new(client::tls(roots)?)), name))
        } else {
            None
        };
        Ok(Target {
            server: server.into(),
            host: host.into(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().into(),
            prefix: uri.path().trim_end_matches('/').into(),
            tls,
        })
    }

    /// Writes a request in place of another: where it goes, the lines of its head that are its caller's, its body.
    pub fn post(&self, request: &mut String, path: &str, (lines, body): (&str, &str)) {
        request.clear();
        let length = body.len().to_string();
        let head =
            ["POST ", &self.prefix, path, " HTTP/1.1\r\nhost: ", &self.authority, "\r\n", lines];
        let parts = head.into_iter().chain(["content-length: ", &length, "\r\n\r\n", body]);
        parts.for_each(|part| request.push_str(part));
    }

    /// A connection of one's own.
    ///
    /// # Errors
    /// [`io::Error`] where there is none.
    pub async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        // A request is one write, and nothing comes after it that it could wait for.
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some((connector, name)) => {
                Connection::on(connector.connect(name.clone(), stream).await?)
            }
            None => Connection::on(stream),
        })
    }

    /// It does not answer.
    pub(super) fn away(&self) -> ClientError {
        ClientError::Unreachable { server: self.server.clone(), source: None }
    }
}

//! The listener: connections in, one task for each, and none that stays for ever.
//!
//! Whoever sends slowly, sends nothing, or opens thousands holds a place for a while and no more. At a stop
//! nothing more is taken, and what was taken is answered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::Peer;
use super::places::places;
use super::pressed::Pressed;
use crate::limits;

/// How patient the listener is, and with how many.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Connections at once, where the process may have as many files open.
    pub connections: usize,
    /// A request's head, in bytes.
    pub head_bytes: usize,
    /// For a request's head, and for a connection that is idle.
    pub head: Duration,
    /// For what is at work when the stop begins.
    pub stop: Duration,
}

/// A socket that listens, and what answers there.
pub struct Listener {
    socket: TcpListener,
    tls: watch::Receiver<Option<Arc<ServerConfig>>>,
    app: Router,
    patience: Patience,
}

impl Listener {
    /// A listener on this socket. Where there is a TLS configuration, each new connection is met with the
    /// newest one.
    #[must_use]
    pub fn new(
        socket: TcpListener,
        tls: watch::Receiver<Option<Arc<ServerConfig>>>,
        app: Router,
        patience: Patience,
    ) -> Listener {
        Listener { socket, tls, app, patience }
    }

    /// Serves until the stop is told, then until what was taken is answered or patience ends.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(places(self.patience.connections)));
        let mut connections = JoinSet::new();
        loop {
            // A stop is heard while all places are taken, too.
            let accepted = tokio::select! {
                accepted = self.accept(&places) => accepted,
                _told = stop.wait_for(|stop| *stop) => break,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((place, stream, peer)) => {
                    let connection = self.connection(stream, peer, stop.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => self.rest(&error).await,
            }
        }
        drop(self.socket);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.patience.stop, ended).await.is_err() {
            tracing::warn!("calls that did not end in time were cut off");
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.socket.accept().await?;
        Ok((place, stream, peer))
    }

    /// An error of accepting is of one connection, or says that the process has no files left: then it helps
    /// to wait.
    async fn rest(&self, error: &io::Error) {
        let ours = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
        );
        if !ours {
            tracing::warn!(%error, "no connection could be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let tls = self.tls.borrow().clone();
        let (app, patience) = (self.app.clone(), self.patience);
        let app = app.layer(axum::Extension(Peer(peer.ip())));
        async move {
            drop(stream.set_nodelay(true));
            let stream = Pressed::new(stream, patience.stop.min(limits::UNREAD));
            let Some(tls) = tls else { return converse(stream, app, patience, stop).await };
            let meeting = TlsAcceptor::from(tls).accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(patience.head, meeting).await {
                converse(stream, app, patience, stop).await;
            }
        }
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    http.max_headers(limits::HEADERS_MAX).max_buf_size(patience.head_bytes);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        _told = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    // How it ended is for the other side: whoever hung up is not told.
    drop(connection.await);
}

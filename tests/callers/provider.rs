//! A provider's server of keys on a loopback port, which does as a test says.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What the server answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// This set of keys.
    Keys(Vec<Value>),
    /// This text, with 200.
    Text(String),
    /// This status, and another place to look.
    Sent(&'static str, String),
    /// Bytes without end.
    Endless,
    /// Half of what it promised.
    Half,
    /// Nothing, ever.
    Silence,
    /// The keys, once the test lets it.
    Held(Vec<Value>, Arc<Semaphore>),
}

/// A server that runs until it is dropped.
pub(super) struct Provider {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    tasks: Mutex<JoinSet<()>>,
}

impl Provider {
    pub(super) async fn start(answer: Answer) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.lock().unwrap().clone();
                calls.spawn(serve(stream, answer));
            }
        });
        Provider { port, answer, asked, tasks: Mutex::new(tasks) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks", self.port)
    }

    pub(super) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Listens on another port too, where it speaks TLS with this chain and key, and passes on what comes.
    pub(super) async fn encrypt(&self, chain: &Path, key: &Path) -> u16 {
        let chain = CertificateDer::pem_file_iter(chain).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plain = self.port;
        self.tasks.lock().unwrap().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not trust us breaks off here.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut behind = TcpStream::connect(("127.0.0.1", plain)).await.unwrap();
                let _closed = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            }
        });
        port
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, answer: Answer) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let fine =
        |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let text = match answer {
        Answer::Keys(keys) => fine(&json!({ "keys": keys }).to_string()),
        Answer::Text(text) => fine(&text),
        Answer::Sent(status, place) => {
            format!("HTTP/1.1 {status}\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n")
        }
        Answer::Half => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\":[".to_owned(),
        Answer::Silence => return std::future::pending().await,
        Answer::Held(keys, gate) => {
            gate.acquire().await.unwrap().forget();
            fine(&json!({ "keys": keys }).to_string())
        }
        Answer::Endless => {
            let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _gone = stream.write_all(start.as_bytes()).await;
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
            return;
        }
    };
    let _gone = stream.write_all(text.as_bytes()).await;
    let _gone = stream.shutdown().await;
}

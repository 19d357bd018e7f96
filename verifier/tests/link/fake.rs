//! A server that answers as a test tells it to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::world::soon;

/// What the server does when it is asked.
pub(crate) enum Act {
    Say(Vec<u8>),
    /// Says it after a while.
    SayLate(Duration, Vec<u8>),
    /// Says it, and hangs up.
    SayAndCut(Vec<u8>),
    Nothing,
}

/// A question: on which connection, and which words.
pub(crate) struct Asked {
    pub(crate) connection: usize,
    pub(crate) words: Vec<Vec<u8>>,
}

impl Asked {
    pub(crate) fn is(&self, command: &str) -> bool {
        self.words[0] == command.as_bytes()
    }

    /// The true answer of a function that repeats its argument, and of a ping.
    pub(crate) fn echoed(&self) -> Vec<u8> {
        bulk(self.words.last().unwrap())
    }
}

pub(crate) fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

pub(crate) struct Fake {
    port: u16,
    seen: Arc<watch::Sender<Seen>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// Connections that were made.
    pub(crate) made: usize,
    /// Connections that the other side has closed.
    pub(crate) closed: usize,
    /// All that was asked, in order.
    pub(crate) asked: Vec<Vec<Vec<u8>>>,
}

impl Seen {
    /// How often a command was asked.
    pub(crate) fn count(&self, command: &str) -> usize {
        self.asked.iter().filter(|words| words[0] == command.as_bytes()).count()
    }
}

type Script = dyn FnMut(&Asked) -> Act + Send;

impl Fake {
    /// A server that takes any login, repeats pings, and otherwise does what the script says.
    pub(crate) async fn start(mut script: impl FnMut(&Asked) -> Act + Send + 'static) -> Fake {
        Fake::rude(move |asked| match () {
            () if asked.is("PING") => Act::Say(asked.echoed()),
            () if asked.is("AUTH") => Act::Say(b"+OK\r\n".to_vec()),
            () => script(asked),
        })
        .await
    }

    /// A server that knows not even a ping.
    pub(crate) async fn rude(script: impl FnMut(&Asked) -> Act + Send + 'static) -> Fake {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(watch::Sender::new(Seen::default()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        let mut tasks = JoinSet::new();
        let watcher = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                watcher.send_modify(|seen| seen.made += 1);
                let (script, watcher) = (Arc::clone(&script), Arc::clone(&watcher));
                served.spawn(async move {
                    serve(stream, connection, &script, &watcher).await;
                    watcher.send_modify(|seen| seen.closed += 1);
                });
            }
        });
        Fake { port, seen, _tasks: tasks }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Awaits the moment when the server has seen so much.
    pub(crate) async fn until(&self, enough: impl FnMut(&Seen) -> bool) -> Seen {
        soon(self.seen.subscribe().wait_for(enough)).await.unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    connection: usize,
    script: &Mutex<Script>,
    seen: &watch::Sender<Seen>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(words) = read(&mut stream).await {
        let asked = Asked { connection, words };
        let act = script.lock().unwrap()(&asked);
        seen.send_modify(|seen| seen.asked.push(asked.words));
        let (Act::Say(bytes) | Act::SayLate(_, bytes) | Act::SayAndCut(bytes)) = &act else {
            continue;
        };
        if let Act::SayLate(wait, _) = &act {
            sleep(*wait).await;
        }
        if stream.write_all(bytes).await.is_err() || matches!(act, Act::SayAndCut(_)) {
            return;
        }
    }
}

/// One command, or nothing when the other side has hung up.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    for _ in 0..number(stream).await? {
        let mut word = vec![0; number(stream).await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        words.push(word);
    }
    Some(words)
}

async fn number(stream: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim_end().parse().ok()
}

//! The inside of a proxy: two threads for each connection.
//!
//! ```text
//! client ──→ requests: one frame, its fault, delivered so often ──→ server
//!                │ what becomes of the reply, in the order of the requests
//!                ↓
//! client ←── replies: one frame for each, and what is due to it ←── server
//! ```

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::connection::deliver;
use crate::fault::{Answer, Fault};
use crate::frame;
use crate::reply::Reply;
use crate::shared::{Due, Shared};

/// After these a connection is a stream: what comes answers nothing.
const STREAMS: [&str; 6] = ["PSYNC", "SYNC", "MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"];

/// How the first message of TLS begins.
const TLS: u8 = 0x16;

/// Words of a request that a fault may be chosen by: the command, and what it calls or where.
const WORDS: usize = 3;

pub(crate) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        // The connection that wakes this thread, so that it sees this.
        if !shared.is_accepting() {
            return;
        }
        let Ok(client) = client else { continue };
        shared.count(|counts| counts.connections += 1);
        let inner = Arc::clone(shared);
        // Errors are the wire's: the connection has ended, and its client sees that.
        shared.keep(thread::spawn(move || drop(connect(&client, &inner))));
    }
}

fn connect(client: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    shared.gate();
    let server = TcpStream::connect_timeout(&shared.server(), Duration::from_secs(5))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let Some(number) = shared.begin(client, &server)? else { return Ok(()) };
    let pipe = Pipe { client: client.try_clone()?, server, number, shared: Arc::clone(shared) };
    let done = pipe.run();
    shared.end_one(number);
    done
}

/// One connection.
struct Pipe {
    client: TcpStream,
    server: TcpStream,
    number: u64,
    shared: Arc<Shared>,
}

impl Pipe {
    fn run(&self) -> io::Result<()> {
        // A client speaks first. Before it is known what it speaks, nobody may read what comes back.
        let mut first = [0];
        if self.client.peek(&mut first)? > 0 && first[0] == TLS {
            self.shared.make_raw(self.number);
        }
        thread::scope(|scope| {
            scope.spawn(|| {
                // An error is an end of the connection, and so is its absence.
                drop(self.replies());
                self.shared.end_one(self.number);
            });
            let done = self.requests();
            // Who has said the last word may still listen: to what the server owes, or, in a stream, until
            // the server ends it.
            if done.is_err() || !self.shared.is_raw(self.number) {
                self.shared.drained(self.number);
                self.shared.end_one(self.number);
            }
            done
        })
    }

    fn requests(&self) -> io::Result<()> {
        let mut client = BufReader::new(self.client.try_clone()?);
        while !self.shared.is_raw(self.number) {
            let frame = frame::read(&mut client)?;
            let words = words(&frame);
            self.shared.arrived(&words);
            self.shared.gate();
            if words.first().is_some_and(|name| STREAMS.contains(&name.as_str())) {
                self.shared.make_raw(self.number);
                self.deliver(&frame)?;
                break;
            }
            let fault = self.shared.decide(words, &frame);
            if !self.apply(fault, &frame)? {
                return Ok(());
            }
        }
        self.pump(&mut client, &self.server)
    }

    /// Delivers a request as its fault says, and returns whether another may follow.
    fn apply(&self, fault: Fault, frame: &[u8]) -> io::Result<bool> {
        let due: &[Due] = match fault {
            Fault::CutBeforeRequest => return Ok(false),
            Fault::CutBeforeReply => &[Due::Cut],
            Fault::CutInReply => &[Due::CutInside],
            Fault::SwallowReplies => &[Due::DropAll],
            Fault::ShiftReplies => &[Due::Drop],
            Fault::DelayReply(time) => &[Due::Delay(time)],
            Fault::Twice(Answer::First) => &[Due::Pass, Due::Drop],
            Fault::Twice(Answer::Last) => &[Due::Drop, Due::Pass],
            Fault::DelayRequest(time) => {
                self.shared.pause(time);
                &[Due::Pass]
            }
            Fault::AlsoTo(other) => {
                self.shared.count(|counts| counts.delivered += 1);
                deliver(frame, other)?;
                &[Due::Pass]
            }
            Fault::Pass => &[Due::Pass],
        };
        // Owed before it is asked for: the reply may be quicker than this thread.
        self.shared.owe(self.number, due);
        for _ in due {
            self.deliver(frame)?;
        }
        Ok(!matches!(fault, Fault::CutBeforeReply | Fault::CutInReply))
    }

    fn deliver(&self, frame: &[u8]) -> io::Result<()> {
        // Counted first, here and below: who has the answer finds it counted.
        self.shared.count(|counts| counts.delivered += 1);
        (&self.server).write_all(frame)
    }

    fn replies(&self) -> io::Result<()> {
        let mut server = BufReader::new(self.server.try_clone()?);
        let mut swallowing = false;
        loop {
            if self.shared.is_raw(self.number) && self.shared.due(self.number).is_none() {
                return self.pump(&mut server, &self.client);
            }
            let frame = frame::read(&mut server)?;
            self.shared.gate();
            let due = self.shared.due(self.number).filter(|_| !frame::is_push(&frame));
            if due.is_some() {
                self.shared.count(|counts| counts.executed += 1);
            }
            swallowing |= due == Some(Due::DropAll);
            match due {
                _ if swallowing => {}
                Some(Due::Cut) => return Ok(()),
                Some(Due::CutInside) => return (&self.client).write_all(&frame[..frame.len() / 2]),
                Some(Due::Drop | Due::DropAll) => {}
                Some(Due::Delay(time)) => {
                    self.shared.pause(time);
                    self.answer(&frame)?;
                }
                Some(Due::Pass) => self.answer(&frame)?,
                None => (&self.client).write_all(&frame)?,
            }
            if due.is_some() {
                self.shared.paid(self.number);
            }
        }
    }

    fn answer(&self, frame: &[u8]) -> io::Result<()> {
        self.shared.count(|counts| counts.answered += 1);
        (&self.client).write_all(frame)
    }

    /// Carries bytes until they end.
    fn pump(&self, from: &mut BufReader<TcpStream>, mut to: &TcpStream) -> io::Result<()> {
        loop {
            let bytes = from.fill_buf()?;
            let length = bytes.len();
            if length == 0 {
                return to.shutdown(Shutdown::Write);
            }
            self.shared.gate();
            to.write_all(bytes)?;
            from.consume(length);
        }
    }
}

/// The first words of a request, in capitals.
fn words(frame: &[u8]) -> Vec<String> {
    let words: Vec<String> = match Reply::read(&mut &frame[..]) {
        Ok(request) => request.parts().iter().take(WORDS).map(Reply::text).collect(),
        // An inline command is a line.
        Err(_) => String::from_utf8_lossy(frame).split_whitespace().map(str::to_owned).collect(),
    };
    words.iter().map(|word| word.to_uppercase()).collect()
}

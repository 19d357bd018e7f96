//! What a proxy does to a request or to its reply, and to which.

use std::net::SocketAddr;
use std::time::Duration;

/// Which reply a client is given where there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// That to the first delivery.
    First,
    /// That to the last one.
    Last,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: delivered and answered.
    Pass,
    /// The connection ends before the server hears it.
    CutBeforeRequest,
    /// The server has executed it, and the connection ends before a byte of the reply.
    CutBeforeReply,
    /// The server has executed it, and the connection ends in the middle of the reply.
    CutInReply,
    /// The server hears it and what follows, and no reply comes on this connection any more.
    SwallowReplies,
    /// The reply is lost and the next ones are not, so that each is taken for the answer to an earlier
    /// request. No network does that; client libraries have done it after a reply that came late.
    ShiftReplies,
    /// The reply comes so much later, and so does every reply behind it.
    DelayReply(Duration),
    /// The server hears it so much later, and so it does every request behind it.
    DelayRequest(Duration),
    /// The server hears it twice in a row.
    Twice(Answer),
    /// This other server hears it as well, a moment before, on a connection of its own; the client is
    /// given the answer of the server that it asked.
    AlsoTo(SocketAddr),
}

/// A fault, and the requests that it is for.
#[derive(Debug)]
struct Rule {
    /// How the request begins, in capitals: `FCALL`, or `FCALL FB1_SPEND`. Nothing means any request.
    words: Vec<String>,
    fault: Fault,
}

/// What happens to the requests that come.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Each for one request, the first that matches.
    next: Vec<Rule>,
    /// For all the others, the first that matches.
    always: Vec<Rule>,
}

impl Plan {
    pub(crate) fn set(&mut self, words: &str, fault: Fault) {
        let words = split(words);
        self.always.retain(|rule| rule.words != words);
        self.always.push(Rule { words, fault });
        // The one that says more goes first.
        self.always.sort_by_key(|rule| std::cmp::Reverse(rule.words.len()));
    }

    pub(crate) fn next(&mut self, words: &str, count: usize, fault: Fault) {
        self.next.extend((0..count).map(|_| Rule { words: split(words), fault }));
    }

    pub(crate) fn clear(&mut self) {
        *self = Plan::default();
    }

    /// What happens to this request, given its words in capitals.
    pub(crate) fn decide(&mut self, words: &[String]) -> Fault {
        let fits = |rule: &Rule| words.starts_with(&rule.words);
        match self.next.iter().position(fits) {
            Some(place) => self.next.remove(place).fault,
            None => self.always.iter().find(|rule| fits(rule)).map_or(Fault::Pass, |r| r.fault),
        }
    }
}

/// Words as a request's are compared.
pub(crate) fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_uppercase).collect()
}

//! Where the feed stands: its last number and digest, the events that followers may still ask for, and what stands.

use std::collections::VecDeque;

use farebox_verifier::UnixSeconds;
use farebox_verifier::feed::{Epoch, Event, FeedDigest, Standing};

use super::file::Line;
use super::said::Said;
use crate::limits;

/// Entries after which it is kept how far the record was read, though they said nothing.
const UPTO_EACH: u64 = 10_000;

/// The feed, as it stands.
#[derive(Clone)]
pub(super) struct Book {
    pub(super) epoch: Epoch,
    pub(super) number: u64,
    pub(super) digest: FeedDigest,
    /// Number and digest before the first event of the tail.
    pub(super) before: (u64, FeedDigest),
    pub(super) tail: VecDeque<Event>,
    pub(super) standing: Standing,
    /// The entry of the record up to which it was read.
    pub(super) upto: u64,
    /// The policies in force there.
    pub(super) policy: Option<String>,
}

impl Book {
    /// One that begins at this place.
    pub(super) fn at(epoch: Epoch, before: (u64, FeedDigest)) -> Book {
        let (number, digest) = before;
        let (tail, standing) = (VecDeque::new(), Standing::default());
        Book { epoch, number, digest, before, tail, standing, upto: 0, policy: None }
    }

    /// Gives each its number, and takes it in. The journals of the stores repeat what staff said: what stands already
    /// is no event.
    pub(super) fn add(&mut self, words: Vec<Said>, now: UnixSeconds) -> Vec<Event> {
        let mut events = Vec::with_capacity(words.len());
        for (word, at, selector) in words {
            let event = Event { number: self.number.saturating_add(1), at, word, selector };
            if self.standing.is_changed_by(&event) {
                self.take(event.clone());
                events.push(event);
            }
        }
        self.standing.forget(now);
        self.standing.fold(limits::FEED_STANDING_MAX);
        events
    }

    /// Takes the next event in.
    pub(super) fn take(&mut self, event: Event) {
        (self.number, self.digest) = (event.number, self.digest.then(&event));
        self.standing.apply(event.clone());
        self.tail.push_back(event);
        while self.tail.len() > limits::FEED_EVENTS_MAX {
            let Some(first) = self.tail.pop_front() else { break };
            self.before = (first.number, self.before.1.then(&first));
        }
    }

    /// What is to be kept of it that was not so before.
    pub(super) fn since(&self, before: &Book, events: &[Event]) -> Option<Line> {
        let far = self.upto.saturating_sub(before.upto) >= UPTO_EACH;
        let news = far || !events.is_empty() || self.policy != before.policy;
        news.then(|| self.line(events.iter()))
    }

    /// These events, and how far the record was read for them.
    pub(super) fn line<'a>(&self, events: impl Iterator<Item = &'a Event>) -> Line {
        let events = events.map(Event::to_string).collect();
        Line { upto: self.upto, policy: self.policy.clone(), events }
    }
}

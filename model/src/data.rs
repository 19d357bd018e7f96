//! A server's data set: the log of everything written to it, and what stands in it by now.
//!
//! A replica's log is a prefix of its master's, for as long as the two agree; a crash leaves any prefix.
//! Nothing here decides anything under the rules as they are meant: the data set can only refuse.

use std::hash::{Hash, Hasher};

use crate::life::{Grant, Outcome};
use crate::set::Set;

/// A life's number. Lives are numbered in the order in which they were opened, anywhere.
pub(crate) type Gen = u8;

/// How many lives there may be in one run.
pub(crate) const LIVES: u8 = 6;

/// What a life appends to its stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Event {
    /// A grant was registered, under this number.
    Registered(Grant, u8),
    /// A grant's id was refused for good.
    Abandoned(Grant),
    /// The use of the registration of this number was taken, by the attempt of that number.
    Spent(u8, u8),
    /// What came of the registration of this number, and whose it was.
    Settled(u8, Grant, Outcome),
    /// The registration of this number was revoked.
    Revoked(u8),
    /// Everything registered so far was revoked.
    AllRevoked,
    /// An issuer restored its begun holds.
    Restored(u8, Set),
    /// A budget holds something for a grant.
    Held(Grant),
    /// It was given back.
    GivenBack(Grant),
    /// One that nobody in this case reads. Logs that differ in nothing else are one: a life appends in one
    /// order only, so they hold the same events.
    Unread,
}

/// One write.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Write {
    /// Nothing: a place in the log that is not yet written.
    #[default]
    None,
    /// A life is opened: the pointer names it, it has a stream, and its predecessor's is renamed.
    Open {
        /// Whose.
        life: Gen,
        /// Whose stream was renamed.
        renamed: Option<Gen>,
    },
    /// A life's own event.
    Append(Gen, Event),
    /// An event from somebody who does not know the life's secret.
    Forge(Gen, Event),
    /// Somebody sets or deletes the pointer.
    Point(Option<Gen>),
    /// A stream is deleted, or evicted.
    Delete(Gen),
    /// A stream is there again, by RENAME or RESTORE, with all that ever stood in it.
    Restore(Gen),
    /// FLUSHALL.
    Flush,
}

/// The most writes in one log; the bounds of every case stay below it.
const WRITES: usize = 24;

/// The writes, the oldest first. Places behind the last one are empty, in every log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Log {
    len: u8,
    writes: [Write; WRITES],
}

impl Hash for Log {
    /// By the writes alone: most places are empty, and most of a run's time goes into this.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.writes().hash(state);
    }
}

impl Log {
    /// Nothing written yet.
    pub(crate) const EMPTY: Log = Log { len: 0, writes: [Write::None; WRITES] };

    /// How many writes there are.
    pub(crate) fn len(&self) -> u8 {
        self.len
    }

    /// The writes.
    pub(crate) fn writes(&self) -> &[Write] {
        &self.writes[..usize::from(self.len)]
    }

    /// One more.
    pub(crate) fn push(&mut self, write: Write) {
        self.writes[usize::from(self.len)] = write;
        self.len += 1;
    }

    /// Keeps the first writes, and forgets the rest.
    pub(crate) fn cut(&mut self, keep: u8) {
        for write in &mut self.writes[usize::from(keep)..usize::from(self.len)] {
            *write = Write::None;
        }
        self.len = keep;
    }

    /// Leaves out the events that nobody reads.
    pub(crate) fn forget_unread(&mut self) {
        let unread = |write: &Write| matches!(write, Write::Append(_, Event::Unread));
        if !self.writes().iter().any(unread) {
            return;
        }
        let mut kept = Log::EMPTY;
        self.writes().iter().filter(|write| !unread(write)).for_each(|write| kept.push(*write));
        *self = kept;
    }

    /// Whether every write here is the other's too, in its place.
    pub(crate) fn is_prefix_of(&self, other: &Log) -> bool {
        other.writes().starts_with(self.writes())
    }

    /// The life that the pointer names.
    pub(crate) fn pointer(&self) -> Option<Gen> {
        for write in self.writes().iter().rev() {
            match write {
                Write::Open { life, .. } => return Some(*life),
                Write::Point(life) => return *life,
                Write::Flush => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether a life's stream stands under its own name.
    pub(crate) fn has_stream(&self, of: Gen) -> bool {
        for write in self.writes().iter().rev() {
            match write {
                Write::Open { life, .. } | Write::Restore(life) if *life == of => return true,
                Write::Open { renamed: Some(life), .. } | Write::Delete(life) if *life == of => {
                    return false;
                }
                Write::Flush => return false,
                _ => {}
            }
        }
        false
    }

    /// The events of a life that this log holds; with those that somebody forged, where asked for.
    pub(crate) fn events(&self, of: Gen, forged: bool) -> impl Iterator<Item = Event> {
        self.writes().iter().filter_map(move |write| match write {
            Write::Append(life, event) if *life == of => Some(*event),
            Write::Forge(life, event) if *life == of && forged => Some(*event),
            _ => None,
        })
    }
}

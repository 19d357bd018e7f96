//! The events of a journal that nobody has drained: in bytes, numbered without a gap.
//!
//! They are kept as they are written, a third of what they take in types, and on pages that a copy shares: a
//! snapshot of a million events costs what a list of their pages costs.

use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of one page, and a little more where its last event is longer than what was left.
const PAGE_BYTES: usize = 64 << 10;
/// Events of one piece that is carried over.
const EVENTS_IN_PIECE_MAX: usize = 4_096;

/// The events after the last that was drained.
#[derive(Clone, Default)]
pub(crate) struct Roll {
    /// The number of the last event that was drained.
    drained: u64,
    /// The number of the last event.
    last: u64,
    pages: VecDeque<Arc<Page>>,
    bytes: usize,
}

struct Page {
    /// The number of its first event.
    first: u64,
    /// Where each of its events ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Page {
    fn last(&self) -> u64 {
        self.first.saturating_add(to_u64(self.ends.len())).saturating_sub(1)
    }

    /// The event with this number.
    fn get(&self, number: u64) -> Option<&[u8]> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let end = *self.ends.get(place)?;
        let start = match place.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        self.bytes.get(start..end)
    }
}

impl Roll {
    /// A roll whose events up to this one are drained.
    pub(crate) fn after(drained: u64) -> Roll {
        Roll { drained, last: drained, ..Roll::default() }
    }

    /// The number of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the last event that was drained.
    pub(crate) fn drained(&self) -> u64 {
        self.drained
    }

    /// How many are not drained.
    pub(crate) fn len(&self) -> u64 {
        self.last.saturating_sub(self.drained)
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next event in.
    pub(crate) fn push(&mut self, event: &[u8]) {
        self.last = self.last.saturating_add(1);
        self.bytes = self.bytes.saturating_add(event.len());
        // A page that a copy has is left to it.
        let room = |page: &Arc<Page>| page.bytes.len() < PAGE_BYTES;
        let open = self.pages.back_mut().filter(|page| room(page)).and_then(Arc::get_mut);
        match open {
            Some(page) => page.push(event),
            None => {
                let mut page = Page { first: self.last, ends: Vec::new(), bytes: Vec::new() };
                page.push(event);
                self.pages.push_back(Arc::new(page));
            }
        }
    }

    /// The events after this number, each with its own.
    pub(crate) fn events_after(&self, number: u64) -> impl Iterator<Item = (u64, &[u8])> + '_ {
        let from = number.max(self.drained).saturating_add(1);
        let page = self.pages.partition_point(|page| page.last() < from);
        self.pages.iter().skip(page).flat_map(move |page| {
            let numbers = from.max(page.first)..=page.last();
            numbers.filter_map(|number| Some((number, page.get(number)?)))
        })
    }

    /// Lets go of the events up to this number.
    pub(crate) fn drain(&mut self, upto: u64) {
        let upto = upto.min(self.last);
        if upto <= self.drained {
            return;
        }
        let gone: usize = self.between(self.drained, upto);
        self.bytes = self.bytes.saturating_sub(gone);
        self.drained = upto;
        while self.pages.front().is_some_and(|page| page.last() <= upto) {
            self.pages.pop_front();
        }
    }

    /// All of them, so many bytes at a time and a little more. What was given is let go of.
    pub(crate) fn into_pieces(mut self, bytes_max: usize) -> impl Iterator<Item = Vec<Box<[u8]>>> {
        std::iter::from_fn(move || {
            let mut bytes = 0_usize;
            let piece: Vec<Box<[u8]>> = self
                .events_after(0)
                .take(EVENTS_IN_PIECE_MAX)
                .take_while(|(_, event)| {
                    let room = bytes < bytes_max;
                    bytes = bytes.saturating_add(event.len());
                    room
                })
                .map(|(_, event)| event.into())
                .collect();
            self.drain(self.drained.saturating_add(to_u64(piece.len())));
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// How many bytes the events after one number have, up to another.
    fn between(&self, after: u64, upto: u64) -> usize {
        let events = self.events_after(after).take_while(|(number, _)| *number <= upto);
        events.map(|(_, event)| event.len()).sum()
    }
}

impl Page {
    fn push(&mut self, event: &[u8]) {
        self.bytes.extend_from_slice(event);
        self.ends.push(self.bytes.len());
    }
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64) -> Vec<u8> {
        let length = usize::try_from(number * 37 % 700).unwrap();
        [number.to_be_bytes().as_slice(), &vec![7; length]].concat()
    }

    fn numbers(roll: &Roll, after: u64) -> Vec<u64> {
        let events = roll.events_after(after);
        events.map(|(number, bytes)| (bytes == event(number)).then_some(number).unwrap()).collect()
    }

    fn roll(count: u64) -> Roll {
        let mut roll = Roll::default();
        (1..=count).for_each(|number| roll.push(&event(number)));
        roll
    }

    #[test]
    fn what_is_pushed_is_there_until_it_is_drained() {
        let mut roll = roll(1_000);
        assert!(roll.pages.len() > 3, "or this shows nothing");
        for after in [0, 1, 170, 999, 1_000, u64::MAX] {
            assert_eq!(
                numbers(&roll, after),
                (after.saturating_add(1)..=1_000).collect::<Vec<_>>()
            );
        }
        for upto in [1, 300, 299, 0, 301] {
            roll.drain(upto);
        }
        assert_eq!((roll.drained(), roll.last(), roll.len()), (301, 1_000, 699));
        assert_eq!(numbers(&roll, 0), (302..=1_000).collect::<Vec<_>>());
        let left: usize = (302..=1_000).map(|number| event(number).len()).sum();
        assert_eq!(roll.bytes(), left);
        roll.drain(u64::MAX);
        assert_eq!((roll.drained(), roll.bytes(), roll.pages.len()), (1_000, 0, 0));
        roll.push(&event(1_001));
        assert_eq!(numbers(&roll, 0), [1_001]);
    }

    #[test]
    fn a_copy_stays_what_it_was() {
        let mut roll = roll(500);
        let copy = roll.clone();
        (501..=900).for_each(|number| roll.push(&event(number)));
        roll.drain(450);
        assert_eq!(numbers(&copy, 0), (1..=500).collect::<Vec<_>>());
        assert_eq!(numbers(&roll, 0), (451..=900).collect::<Vec<_>>());
    }

    #[test]
    fn pieces_are_all_that_is_not_drained() {
        let mut roll = roll(1_000);
        roll.drain(7);
        let pieces: Vec<Vec<Box<[u8]>>> = roll.into_pieces(10_000).collect();
        assert!(pieces.len() > 30, "or this shows nothing");
        let expected = (8..=1_000).map(|number| Box::from(event(number)));
        assert!(pieces.into_iter().flatten().eq(expected));
        assert_eq!(Roll::after(3).into_pieces(10).count(), 0);
    }

    #[test]
    fn a_roll_goes_on_after_what_was_drained() {
        let mut roll = Roll::after(41);
        assert_eq!((roll.last(), roll.len(), numbers(&roll, 0)), (41, 0, vec![]));
        roll.push(&event(42));
        assert_eq!((numbers(&roll, 0), numbers(&roll, 42)), (vec![42], vec![]));
    }
}

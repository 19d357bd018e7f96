//! A queue of many things that is copied at the price of a glance.
//!
//! It stands on shelves of a thousand. A copy shares them; whoever changes a thing on a shelf that is shared
//! copies that shelf first. So a snapshot of a hundred thousand grants is a hundred counters.

use std::collections::VecDeque;
use std::sync::Arc;

/// Things on one shelf.
const SHELF: usize = 1024;

/// A queue, first in and first out.
#[derive(Clone)]
pub(crate) struct Shelves<T> {
    shelves: VecDeque<Arc<Vec<T>>>,
    /// How many things on the first shelf are gone already.
    gone: usize,
    len: usize,
}

impl<T> Default for Shelves<T> {
    fn default() -> Shelves<T> {
        Shelves { shelves: VecDeque::new(), gone: 0, len: 0 }
    }
}

impl<T> Shelves<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (shelf, place) = self.find(index)?;
        self.shelves.get(shelf)?.get(place)
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.get(0)
    }

    /// The things from this one on.
    pub(crate) fn iter_from(&self, index: usize) -> impl Iterator<Item = &T> + '_ {
        let from = index.saturating_add(self.gone);
        let (shelf, place) = (from / SHELF, from % SHELF);
        let mut places = std::iter::once(place).chain(std::iter::repeat(0));
        self.shelves.iter().skip(shelf).flat_map(move |shelf| {
            let place = places.next().unwrap_or(0);
            shelf.get(place..).unwrap_or_default()
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.iter_from(0)
    }

    /// Takes the first away. Its memory goes with the last of its shelf.
    pub(crate) fn drop_front(&mut self) {
        if self.len == 0 {
            return;
        }
        self.len -= 1;
        self.gone += 1;
        if self.gone >= SHELF || self.len == 0 {
            self.shelves.pop_front();
            self.gone = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Shelves::default();
    }

    fn find(&self, index: usize) -> Option<(usize, usize)> {
        let place = index.checked_add(self.gone)?;
        (index < self.len).then_some((place / SHELF, place % SHELF))
    }
}

impl<T: Clone> Shelves<T> {
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (shelf, place) = self.find(index)?;
        Arc::make_mut(self.shelves.get_mut(shelf)?).get_mut(place)
    }

    /// All of it, so many at a time at most. What was given is let go of.
    pub(crate) fn into_pieces(mut self, most: usize) -> impl Iterator<Item = Vec<T>> {
        std::iter::from_fn(move || {
            let things = self.shelves.front()?.iter().skip(self.gone);
            let piece: Vec<T> = things.take(most).cloned().collect();
            piece.iter().for_each(|_given| self.drop_front());
            Some(piece)
        })
    }

    pub(crate) fn push(&mut self, thing: T) {
        self.len += 1;
        match self.shelves.back_mut().filter(|shelf| shelf.len() < SHELF) {
            Some(shelf) => Arc::make_mut(shelf).push(thing),
            None => {
                let mut shelf = Vec::with_capacity(SHELF);
                shelf.push(thing);
                self.shelves.push_back(Arc::new(shelf));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same things in a plain queue.
    struct Pair(Shelves<u32>, VecDeque<u32>);

    impl Pair {
        fn agree(&self) {
            let Pair(shelves, plain) = self;
            assert_eq!((shelves.len(), shelves.is_empty()), (plain.len(), plain.is_empty()));
            assert!(shelves.iter().eq(plain.iter()));
            assert_eq!(shelves.front(), plain.front());
            for from in [0, 1, SHELF - 1, SHELF, SHELF + 1, 2 * SHELF, plain.len(), plain.len() + 9]
            {
                assert!(shelves.iter_from(from).eq(plain.iter().skip(from)), "from {from}");
                assert_eq!(shelves.get(from), plain.get(from), "at {from}");
            }
        }
    }

    #[test]
    fn it_is_a_queue() {
        let mut pair = Pair(Shelves::default(), VecDeque::new());
        for round in 0..8_u32 {
            for thing in 0..700 {
                pair.0.push(round * 1_000 + thing);
                pair.1.push_back(round * 1_000 + thing);
            }
            for at in [0, 500, 1_023, 1_024] {
                let things = (pair.0.get_mut(at), pair.1.get_mut(at));
                if let (Some(shelved), Some(plain)) = things {
                    (*shelved, *plain) = (7, 7);
                }
            }
            pair.agree();
            for _ in 0..450 + 100 * (round % 3) {
                pair.0.drop_front();
                pair.1.pop_front();
            }
            pair.agree();
        }
        while !pair.1.is_empty() {
            pair.0.drop_front();
            pair.1.pop_front();
        }
        pair.0.drop_front();
        pair.agree();
        pair.0.push(1);
        pair.1.push_back(1);
        pair.agree();
        pair.0.clear();
        assert!(pair.0.is_empty());
    }

    #[test]
    fn pieces_are_all_of_it_in_order() {
        for (pushed, gone) in [(0, 0), (1, 0), (1, 1), (1_024, 3), (3_000, 0), (3_000, 1_030)] {
            let mut shelves = Shelves::default();
            (0..pushed).for_each(|thing: u32| shelves.push(thing));
            (0..gone).for_each(|_| shelves.drop_front());
            let pieces: Vec<Vec<u32>> = shelves.into_pieces(500).collect();
            assert!(pieces.iter().all(|piece| (1..=500).contains(&piece.len())));
            assert!(pieces.into_iter().flatten().eq(gone..pushed));
        }
    }

    #[test]
    fn a_copy_stays_what_it_was() {
        let mut shelves = Shelves::default();
        (0..3_000_u32).for_each(|thing| shelves.push(thing));
        let copy = shelves.clone();
        *shelves.get_mut(5).unwrap() = 1;
        *shelves.get_mut(2_999).unwrap() = 2;
        shelves.push(3);
        (0..2_000).for_each(|_| shelves.drop_front());
        assert!(copy.iter().copied().eq(0..3_000));
        assert_eq!((shelves.len(), shelves.front()), (1_001, Some(&2_000)));
    }
}

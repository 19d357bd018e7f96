//! The grants of one life, as the view shows them: in the order of their numbers, found by their ids.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use farebox_verifier::{GrantId, Outcome, UnixSeconds};

use super::Standing;
use super::counts::Counts;
use super::names::Names;
use super::row::Row;
use crate::limits;
use crate::store::LifeId;
use crate::store::shelves::Shelves;

pub(super) struct Followed {
    pub(super) life: LifeId,
    /// How many were met before it.
    pub(super) number: u32,
    /// The last number that is not shown any more.
    pub(super) cut: u64,
    pub(super) rows: Shelves<Row>,
    /// The numbers of grants, but for their upper bits, by the first half of their random ids.
    pub(super) places: HashMap<u64, u32>,
    /// Those whose first half came before: of another grant, or of the same one that was registered again.
    namesakes: HashMap<GrantId, Vec<u32>>,
    /// It is over, and nothing of its journal is left.
    pub(super) drained: bool,
}

impl Followed {
    pub(super) fn new(life: LifeId, number: u32) -> Followed {
        let (places, namesakes) = (HashMap::new(), HashMap::new());
        let rows = Shelves::default();
        Followed { life, number, cut: 0, rows, places, namesakes, drained: false }
    }

    pub(super) fn last(&self) -> u64 {
        self.cut.saturating_add(u64::try_from(self.rows.len()).unwrap_or(u64::MAX))
    }

    pub(super) fn push(&mut self, row: Row) {
        let grant = row.grant();
        self.rows.push(row);
        let sequence = low(self.last());
        match self.places.entry(half(grant)) {
            Entry::Vacant(place) => {
                place.insert(sequence);
            }
            Entry::Occupied(_) => {
                self.namesakes.entry(grant).or_default().push(sequence);
            }
        }
    }

    /// Goes on after this number, and shows nothing of what came before it.
    pub(super) fn begin_after(&mut self, cut: u64, names: &mut Names) {
        self.rows.iter().for_each(|row| row.release(names));
        self.rows.clear();
        self.places.clear();
        self.namesakes.clear();
        self.cut = cut;
    }

    /// Stops showing the first grants, as long as they have been over for long.
    pub(super) fn forget(&mut self, now: UnixSeconds, names: &mut Names) {
        let over = |row: &&Row| row.end().plus(limits::REMEMBERED_SECONDS) <= now;
        while let Some(row) = self.rows.front().filter(over) {
            row.release(names);
            let (grant, sequence) = (row.grant(), self.cut.saturating_add(1));
            let first = self.places.get(&half(grant)) == Some(&low(sequence));
            if first {
                self.places.remove(&half(grant));
            } else if let Some(others) = self.namesakes.get_mut(&grant) {
                others.retain(|other| *other != low(sequence));
                if others.is_empty() {
                    self.namesakes.remove(&grant);
                }
            }
            self.cut = sequence;
            self.rows.drop_front();
        }
    }

    /// The grants after this number.
    pub(super) fn rows_after(&self, sequence: u64) -> impl Iterator<Item = (u64, &Row)> + '_ {
        let after = sequence.max(self.cut);
        let skipped = usize::try_from(after - self.cut).unwrap_or(usize::MAX);
        let rows = self.rows.iter_from(skipped);
        rows.zip(after.saturating_add(1)..).map(|(row, sequence)| (sequence, row))
    }

    pub(super) fn find(&self, grant: GrantId) -> Option<(u64, &Row)> {
        self.find_all(grant).next()
    }

    /// The numbers of one grant: more than one where a registration was delivered more than once.
    pub(super) fn find_all(&self, grant: GrantId) -> impl Iterator<Item = (u64, &Row)> + '_ {
        let others = self.namesakes.get(&grant).map_or(&[][..], Vec::as_slice);
        let places = self.places.get(&half(grant)).into_iter().chain(others);
        places.filter_map(move |place| {
            // No life shows four billion grants at once, however many it has numbered.
            let ahead = place.wrapping_sub(low(self.cut));
            let sequence = self.cut.saturating_add(ahead.into());
            self.row(sequence).filter(|row| row.grant() == grant).map(|row| (sequence, row))
        })
    }

    pub(super) fn row(&self, sequence: u64) -> Option<&Row> {
        self.rows.get(self.place(sequence)?)
    }

    pub(super) fn row_mut(&mut self, sequence: u64) -> Option<&mut Row> {
        let place = self.place(sequence)?;
        self.rows.get_mut(place)
    }

    fn place(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.cut)?.checked_sub(1)?).ok()
    }

    /// Moves every grant up to this number that is meant.
    pub(super) fn moves_all(
        &mut self,
        upto: u64,
        (at, to): (UnixSeconds, Standing),
        counts: &mut Counts,
        is_meant: impl Fn(&Row) -> bool,
    ) {
        let rows = self.rows_after(0).take_while(|(sequence, _)| *sequence <= upto);
        let meant = rows.filter(|(_, row)| is_meant(row)).map(|(sequence, _)| sequence);
        for sequence in meant.collect::<Vec<u64>>() {
            if let Some(row) = self.row_mut(sequence) {
                row.moves(at, to, counts);
            }
        }
    }

    /// Nothing more is heard of the grants that have not ended.
    pub(super) fn over(&mut self, at: UnixSeconds, counts: &mut Counts) {
        self.moves_all(u64::MAX, (at, Standing::Settled(Outcome::Unknown)), counts, |row| {
            matches!(row.standing(), Standing::Issued | Standing::Spent)
        });
    }
}

fn low(sequence: u64) -> u32 {
    u32::try_from(sequence & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn half(grant: GrantId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *grant.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

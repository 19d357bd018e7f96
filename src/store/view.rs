//! What an issuer sees of its grants: who has which, and where each stands, from the journal's events.
//!
//! The view decides nothing. It is kept in the issuer's memory, so that listing, counting and dry runs ask
//! nothing of a store; names are kept once for all the grants that share them, for there may be a million.

mod carried;
mod counts;
mod followed;
mod names;
mod row;

use farebox_verifier::{GrantId, Outcome, Selector, UnixSeconds};

use super::LifeId;
use super::event::{Description, Event, OldGrants, What};
use crate::limits;
use followed::Followed;
use names::Names;
use row::{Match, Row};

pub(crate) use carried::{ViewCopy, ViewPiece, ViewReader};

/// Where a grant stands, as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Outstanding: it may be spent.
    Issued,
    /// Spent; what came of it is not known yet.
    Spent,
    /// Spent, and this came of it.
    Settled(Outcome),
    /// Revoked before it was spent.
    Revoked,
    /// Ended before it was spent.
    Expired,
}

impl Standing {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Standing::Issued => "issued",
            Standing::Spent => "spent",
            Standing::Settled(outcome) => outcome.word(),
            Standing::Revoked => "revoked",
            Standing::Expired => "expired",
        }
    }
}

/// Which grants a listing is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Each of these names it.
    pub selectors: Vec<Selector>,
    /// It stands so.
    pub standing: Option<Standing>,
}

/// Where the next page of a listing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Which life, in the order in which the issuer met them.
    pub life: u32,
    /// The last number that was shown.
    pub sequence: u64,
}

/// A grant in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What was registered.
    pub description: Description,
    /// In which life.
    pub life: LifeId,
    /// Its number in that life.
    pub sequence: u64,
    /// Where it stands.
    pub standing: Standing,
    /// What happened to it: registered first.
    pub history: Vec<(UnixSeconds, Standing)>,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The grants, in the order of their registration.
    pub items: Vec<Listed>,
    /// Where the next page begins, if there may be more.
    pub next: Option<Cursor>,
}

/// Rows looked at for one page: a rare name in a long list takes several pages, some of them empty.
const ROWS_MAX: usize = 100_000;
/// Rows counted before others have their turn: a tenth of a millisecond, or one where several stores are asked.
const COUNTED_AT_ONCE: usize = 4_096;

/// The view of all the lives that an issuer follows.
pub(crate) struct View {
    names: Names,
    /// In the order in which they were met.
    lives: Vec<Followed>,
    /// How many lives were met.
    met: u32,
    /// The latest time at which something happened.
    latest: UnixSeconds,
    /// How many stores must say that a grant was spent before it was.
    needed: usize,
}

impl View {
    /// A view of grants of which so many stores must say that they were spent.
    pub(crate) fn of(needed: usize) -> View {
        let (names, lives) = (Names::default(), Vec::new());
        View { names, lives, met: 0, latest: UnixSeconds(0), needed }
    }

    /// Shows what happened in a life.
    pub(crate) fn apply(&mut self, life: &LifeId, event: &Event) {
        let at = event.at;
        self.forget_drained(at);
        let index = self.follow(life);
        self.forget(index, at);
        match &event.what {
            What::Registered { sequence, grant } => self.registered(index, *sequence, at, grant),
            What::Spent { sequence } => self.moves(index, *sequence, at, Standing::Spent),
            What::Settled { sequence, outcome } => {
                self.moves(index, *sequence, at, Standing::Settled(*outcome));
            }
            What::Lapsed { sequence } => {
                self.moves(index, *sequence, at, Standing::Settled(Outcome::Unknown));
            }
            What::Expired { sequence } => self.moves(index, *sequence, at, Standing::Expired),
            What::Revoked { sequence, spent: false } => {
                self.moves(index, *sequence, at, Standing::Revoked);
                self.over_alone(index, *sequence, at);
            }
            What::RevokedAll { selector, upto } => self.revoked_all(index, selector, *upto, at),
            What::PolicySet { replaced, old: OldGrants::Revoked, upto, .. } => {
                self.revoked_all(index, &Selector::Policy(*replaced), *upto, at);
            }
            _ => {}
        }
    }

    /// Nothing more comes of a life. What became of the grants that it has not ended, nobody can tell.
    pub(crate) fn over(&mut self, life: &LifeId, at: UnixSeconds) {
        let index = self.follow(life);
        if let Some(followed) = self.lives.get_mut(index) {
            followed.over(at, &mut self.names.counts);
        }
    }

    /// A life that is over was drained to its end: its grants are shown for as long as others.
    pub(crate) fn drained(&mut self, life: &LifeId) {
        if let Some(followed) = self.lives.iter_mut().find(|followed| followed.life == *life) {
            followed.drained = true;
        }
    }

    /// The page after `cursor`.
    pub(crate) fn list(&self, filter: &Filter, cursor: Option<Cursor>, count_max: usize) -> Page {
        let Some(wanted) = self.names.matching(filter) else { return Page::default() };
        let count_max = count_max.min(limits::LIST_MAX);
        let mut page = Page::default();
        let mut looked_at = 0;
        for (cursor, followed, row) in self.rows_after(cursor) {
            if self.shows(&wanted, cursor.life, row) {
                page.items.extend(self.show(followed, cursor.sequence, row));
            }
            looked_at += 1;
            if page.items.len() >= count_max || looked_at >= ROWS_MAX {
                page.next = Some(cursor);
                return page;
            }
        }
        page
    }

    /// How many there are. It may look at every row: where others wait, [`View::count_some`] is asked.
    pub(crate) fn count(&self, filter: &Filter) -> u64 {
        let (mut total, mut from) = (0_u64, None);
        loop {
            let (some, next) = self.count_some(filter, from);
            total = total.saturating_add(some);
            if next.is_none() {
                return total;
            }
            from = next;
        }
    }

    /// How many there are among so many rows as may be looked at while others wait, and where to go on. What is kept
    /// as a number is told at once; of several stores, each grant is looked for in all of them.
    pub(crate) fn count_some(
        &self,
        filter: &Filter,
        from: Option<Cursor>,
    ) -> (u64, Option<Cursor>) {
        let Some(wanted) = self.names.matching(filter) else { return (0, None) };
        if let (true, Some(kept)) = (self.needed <= 1, wanted.counted(&self.names.counts)) {
            return (kept, None);
        }
        let (mut some, mut last) = (0, None);
        for (looked_at, (cursor, _, row)) in self.rows_after(from).enumerate() {
            if looked_at == COUNTED_AT_ONCE {
                return (some, last);
            }
            some += u64::from(self.shows(&wanted, cursor.life, row));
            last = Some(cursor);
        }
        (some, None)
    }

    /// One grant.
    pub(crate) fn read(&self, grant: GrantId) -> Option<Listed> {
        let mut rows = self.lives.iter().filter_map(|life| Some((life, life.find(grant)?)));
        let (followed, (sequence, row)) = rows.next()?;
        self.show(followed, sequence, row)
    }

    /// The grant with this number in this life.
    pub(crate) fn at(&self, life: &LifeId, sequence: u64) -> Option<Listed> {
        let followed = self.lives.iter().find(|followed| followed.life == *life)?;
        self.show(followed, sequence, followed.row(sequence)?)
    }

    /// Where a grant is registered: also twice in one life, where its registration was heard twice.
    pub(crate) fn places(&self, grant: GrantId) -> Vec<(LifeId, u64)> {
        let found = self.lives.iter().flat_map(|followed| {
            let numbers = followed.find_all(grant).map(|(sequence, _)| sequence);
            numbers.map(|sequence| (followed.life.clone(), sequence))
        });
        found.collect()
    }

    /// The numbers of a grant in one life: more than one where its registration was delivered more than once.
    pub(crate) fn sequences(&self, life: &LifeId, grant: GrantId) -> Vec<u64> {
        let followed = self.lives.iter().filter(|followed| followed.life == *life);
        followed
            .flat_map(|followed| followed.find_all(grant))
            .map(|(sequence, _)| sequence)
            .collect()
    }

    /// Whether a grant is registered in this life, and every registration of it ended unspent.
    pub(crate) fn unspent(&self, life: &LifeId, grant: GrantId) -> bool {
        let followed = self.lives.iter().filter(|followed| followed.life == *life);
        let mut rows = followed.flat_map(|followed| followed.find_all(grant)).peekable();
        let ended = |row: &Row| matches!(row.standing(), Standing::Revoked | Standing::Expired);
        rows.peek().is_some() && rows.all(|(_, row)| ended(row))
    }

    /// The numbers in this life whose time was over by `now`, and of which nothing says so: what a drain
    /// ends.
    pub(crate) fn due(&self, life: &LifeId, now: UnixSeconds, count_max: usize) -> Vec<u64> {
        let followed = self.lives.iter().filter(|followed| followed.life == *life);
        let numbered = followed.flat_map(|followed| followed.rows_after(0));
        let due = numbered.filter(|(_, row)| row.due(now)).map(|(sequence, _)| sequence);
        due.take(count_max).collect()
    }

    /// When the grants of these numbers end.
    pub(crate) fn ends(&self, life: &LifeId, sequences: &[u64]) -> Vec<(u64, UnixSeconds)> {
        let followed = self.lives.iter().find(|followed| followed.life == *life);
        let row = |sequence| followed.and_then(|followed| followed.row(sequence));
        let ends = sequences.iter().filter_map(|sequence| Some((*sequence, row(*sequence)?.end())));
        ends.collect()
    }

    fn rows_after(
        &self,
        cursor: Option<Cursor>,
    ) -> impl Iterator<Item = (Cursor, &Followed, &Row)> + '_ {
        let from = cursor.unwrap_or(Cursor { life: 0, sequence: 0 });
        let lives = self.lives.iter().skip_while(move |followed| followed.number < from.life);
        lives.flat_map(move |followed| {
            let life = followed.number;
            let after = if life == from.life { from.sequence } else { 0 };
            let rows = followed.rows_after(after);
            rows.map(move |(sequence, row)| (Cursor { life, sequence }, followed, row))
        })
    }

    /// Whether this row is the one that its grant is listed by, and wanted. A quorum's grant has a row in
    /// the life of each of its stores.
    fn shows(&self, wanted: &Match, life: u32, row: &Row) -> bool {
        let mut earlier = self.lives.iter().take_while(|followed| followed.number < life);
        !(self.needed > 1 && earlier.any(|earlier| earlier.find(row.grant()).is_some()))
            && wanted.names(row)
            && wanted.stands(self.standing(row))
    }

    /// Where the grant stands by the word of all its stores.
    fn standing(&self, row: &Row) -> Standing {
        if self.needed <= 1 {
            return row.standing();
        }
        let rows = self.lives.iter().filter_map(|life| life.find(row.grant()));
        let said: Vec<Standing> = rows.map(|(_, row)| row.standing()).collect();
        let used =
            |standing: &&Standing| matches!(standing, Standing::Spent | Standing::Settled(_));
        let votes = said.iter().filter(used).count();
        let settled = said.iter().find(|standing| matches!(standing, Standing::Settled(_)));
        let ended = [Standing::Revoked, Standing::Expired];
        match settled {
            Some(settled) if votes >= self.needed => *settled,
            _ if votes >= self.needed => Standing::Spent,
            _ => {
                let over = ended.into_iter().find(|standing| said.contains(standing));
                over.unwrap_or(Standing::Issued)
            }
        }
    }

    fn show(&self, followed: &Followed, sequence: u64, row: &Row) -> Option<Listed> {
        Some(Listed {
            description: row.describe(&self.names)?,
            life: followed.life.clone(),
            sequence,
            standing: self.standing(row),
            history: row.history(),
        })
    }

    fn follow(&mut self, life: &LifeId) -> usize {
        let known = self.lives.iter().position(|followed| followed.life == *life);
        known.unwrap_or_else(|| {
            self.lives.push(Followed::new(life.clone(), self.met));
            self.met = self.met.saturating_add(1);
            self.lives.len() - 1
        })
    }

    fn registered(&mut self, index: usize, sequence: u64, at: UnixSeconds, grant: &Description) {
        let row = Row::new(&mut self.names, at, grant);
        let Some(followed) = self.lives.get_mut(index) else { return };
        // A gap in the journal leaves numbers that nobody has heard of: the rows begin anew after it.
        if sequence != followed.last() + 1 {
            followed.begin_after(sequence.saturating_sub(1), &mut self.names);
        }
        followed.push(row);
    }

    fn moves(&mut self, index: usize, sequence: u64, at: UnixSeconds, to: Standing) {
        let followed = self.lives.get_mut(index);
        if let Some(row) = followed.and_then(|followed| followed.row_mut(sequence)) {
            row.moves(at, to, &mut self.names.counts);
        }
    }

    fn over_alone(&mut self, index: usize, sequence: u64, at: UnixSeconds) {
        let followed = self.lives.get_mut(index);
        if let Some(row) = followed.and_then(|followed| followed.row_mut(sequence)) {
            row.over(at);
        }
    }

    fn revoked_all(&mut self, index: usize, selector: &Selector, upto: u64, at: UnixSeconds) {
        let filter = Filter { selectors: vec![selector.clone()], standing: Some(Standing::Issued) };
        let Some(wanted) = self.names.matching(&filter) else { return };
        let Some(followed) = self.lives.get_mut(index) else { return };
        followed.moves_all(upto, (at, Standing::Revoked), &mut self.names.counts, |row| {
            wanted.names(row) && wanted.stands(row.standing())
        });
    }

    /// Stops showing the first grants of a life that have been over for long.
    fn forget(&mut self, index: usize, now: UnixSeconds) {
        if let Some(followed) = self.lives.get_mut(index) {
            followed.forget(now, &mut self.names);
        }
    }

    /// The same for lives that say nothing any more.
    fn forget_drained(&mut self, now: UnixSeconds) {
        if now <= self.latest {
            return;
        }
        self.latest = now;
        let names = &mut self.names;
        self.lives.retain_mut(|followed| {
            if followed.drained {
                followed.forget(now, names);
            }
            !followed.drained || !followed.rows.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;

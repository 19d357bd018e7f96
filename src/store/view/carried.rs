//! A view in pieces, as a file that is rewritten begins with it.

use std::sync::Arc;

use farebox_verifier::UnixSeconds;

use super::followed::Followed;
use super::names::{Kept, NameId};
use super::row::Row;
use super::{Standing, View};
use crate::limits;
use crate::store::LifeId;
use crate::store::packed::choices;
use crate::store::shelves::Shelves;

/// A piece of a view.
pub(crate) enum ViewPiece {
    /// How many lives were met, and the latest time. It comes first.
    Numbers {
        /// How many.
        met: u32,
        /// When.
        latest: UnixSeconds,
    },
    /// Some names, numbered as they come.
    Names(Vec<Box<str>>),
    /// A life, of which the rows are that follow.
    Life {
        /// Which.
        life: LifeId,
        /// How many were met before it.
        number: u32,
        /// The last number that is not shown any more.
        cut: u64,
        /// Whether nothing of it is left to drain.
        drained: bool,
    },
    /// Some of its grants, in order, with the numbers of their names.
    Rows(Vec<Row>),
}

// The bytes are for good: a variant keeps its number, and a number that is given up is not given again.
choices!(ViewPiece {
    0_u8 = Numbers { met, latest },
    1_u8 = Names(names),
    2_u8 = Life { life, number, cut, drained },
    3_u8 = Rows(rows),
});
choices!(Standing {
    0_u8 = Issued,
    1_u8 = Spent,
    2_u8 = Settled(outcome),
    3_u8 = Revoked,
    4_u8 = Expired,
});

/// A view as it was at one moment.
pub(crate) struct ViewCopy {
    met: u32,
    latest: UnixSeconds,
    names: Shelves<Kept>,
    lives: Vec<CopiedLife>,
}

struct CopiedLife {
    head: ViewPiece,
    rows: Shelves<Row>,
}

impl View {
    /// What it shows now.
    pub(crate) fn copy(&self) -> ViewCopy {
        let lives = self.lives.iter().map(|followed| {
            let Followed { life, number, cut, drained, rows, .. } = followed;
            let (number, cut, drained) = (*number, *cut, *drained);
            let head = ViewPiece::Life { life: life.clone(), number, cut, drained };
            CopiedLife { head, rows: rows.clone() }
        });
        let (names, lives) = (self.names.texts(), lives.collect());
        ViewCopy { met: self.met, latest: self.latest, names, lives }
    }
}

impl ViewCopy {
    /// Everything that a file must begin with to come to the same view.
    pub(crate) fn into_pieces(self) -> impl Iterator<Item = ViewPiece> {
        let ViewCopy { met, latest, names, lives } = self;
        let texts = |names: Vec<Kept>| names.iter().map(|kept| (*kept.text).into()).collect();
        let names = names.into_pieces(limits::CARRIED_MAX).map(texts);
        let lives = lives.into_iter().flat_map(|CopiedLife { head, rows }| {
            let rows = rows.into_pieces(limits::CARRIED_MAX).map(ViewPiece::Rows);
            std::iter::once(head).chain(rows)
        });
        std::iter::once(ViewPiece::Numbers { met, latest })
            .chain(names.map(ViewPiece::Names))
            .chain(lives)
    }
}

/// A view that is read back.
pub(crate) struct ViewReader {
    view: View,
    names: Vec<Arc<str>>,
}

/// A row has no life, or a name that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Astray;

impl ViewReader {
    /// A view of which nothing was read.
    pub(crate) fn of(needed: usize) -> ViewReader {
        ViewReader { view: View::of(needed), names: Vec::new() }
    }

    /// Takes a piece in.
    pub(crate) fn carry(&mut self, piece: ViewPiece) -> Result<(), Astray> {
        match piece {
            ViewPiece::Numbers { met, latest } => {
                (self.view.met, self.view.latest) = (met, latest);
            }
            ViewPiece::Names(names) => self.names.extend(names.into_iter().map(Arc::from)),
            ViewPiece::Life { life, number, cut, drained } => {
                let mut followed = Followed::new(life, number);
                (followed.cut, followed.drained) = (cut, drained);
                self.view.lives.push(followed);
            }
            ViewPiece::Rows(rows) => {
                let ViewReader { view: View { names, lives, .. }, names: texts } = self;
                let followed = lives.last_mut().ok_or(Astray)?;
                for row in rows {
                    let text = |NameId(id)| texts.get(usize::try_from(id).ok()?);
                    let row = row.renamed(|id| text(id).map(|text| names.keep(text)));
                    let row = row.ok_or(Astray)?;
                    names.counts.add(&row);
                    followed.push(row);
                }
            }
        }
        Ok(())
    }

    /// The view, whole.
    pub(crate) fn finish(self) -> View {
        self.view
    }
}

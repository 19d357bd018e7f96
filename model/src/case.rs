//! A case: what is checked, within which bounds, and what must come of it.

use std::fmt;

use crate::bounds::Bounds;
use crate::fleet::Fleet;
use crate::property::Watch;
use crate::rules::Rules;
use crate::run::{self, Outcome};

/// Whether the tests run a case, or believe the page for how many states it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Weight {
    /// The tests run it too.
    Light,
    /// Only a whole run does.
    Heavy,
}

/// What must come of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    /// Nothing is ever broken.
    Holds,
    /// Something is, and the shortest way there is shown.
    Breaks,
    /// So many things are shown to be possible.
    Reaches(usize),
}

/// A case.
pub(crate) struct Case {
    /// What it is about.
    pub(crate) name: &'static str,
    /// Within which bounds, in words.
    pub(crate) bounds: String,
    /// What must come of it.
    pub(crate) expected: Expected,
    /// What it says, once it came of it.
    pub(crate) says: &'static str,
    /// What it would break, where it breaks one thing.
    pub(crate) breaks: &'static str,
    /// How long it takes.
    pub(crate) weight: Weight,
    run: Box<dyn Fn() -> Outcome>,
}

impl Case {
    /// A case of any model.
    pub(crate) fn new(
        name: &'static str,
        bounds: impl fmt::Display,
        expected: Expected,
        run: impl Fn() -> Outcome + 'static,
    ) -> Case {
        let (says, breaks, weight) = ("", "", Weight::Light);
        Case {
            name,
            bounds: bounds.to_string(),
            expected,
            says,
            breaks,
            weight,
            run: Box::new(run),
        }
    }

    /// With a sentence.
    pub(crate) fn saying(self, says: &'static str) -> Case {
        Case { says, ..self }
    }

    /// With what it breaks.
    pub(crate) fn breaking(self, breaks: &'static str) -> Case {
        Case { breaks, ..self }
    }

    /// One that the tests do not run.
    pub(crate) fn heavy(self) -> Case {
        Case { weight: Weight::Heavy, ..self }
    }

    /// Everything that must always hold, under given rules.
    pub(crate) fn holds(name: &'static str, rules: Rules, bounds: Bounds) -> Case {
        let fleet = Fleet { rules, bounds, watches: Watch::ALWAYS.to_vec() };
        Case::new(name, bounds, Expected::Holds, move || run::everything(fleet.clone()))
    }

    /// One thing that must hold, and does not without a rule.
    pub(crate) fn breaks(name: &'static str, rules: Rules, bounds: Bounds, watch: Watch) -> Case {
        let fleet = Fleet { rules, bounds, watches: vec![watch] };
        Case::new(name, bounds, Expected::Breaks, move || run::shortest(fleet.clone()))
            .breaking(watch.short())
    }

    /// What must be possible.
    pub(crate) fn reaches(name: &'static str, bounds: Bounds, watches: &[Watch]) -> Case {
        let fleet = Fleet { rules: Rules::ALL, bounds, watches: watches.to_vec() };
        let expected = Expected::Reaches(watches.len());
        Case::new(name, bounds, expected, move || run::shortest(fleet.clone()))
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Outcome {
        (self.run)()
    }

    /// Whether what must come of it came of it.
    pub(crate) fn is_met(&self, outcome: &Outcome) -> bool {
        match self.expected {
            Expected::Holds => outcome.found.is_empty(),
            Expected::Breaks => !outcome.found.is_empty(),
            Expected::Reaches(count) => outcome.found.len() == count,
        }
    }
}

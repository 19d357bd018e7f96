//! A run of the checker, and what came of it.

use std::fmt::Display;
use std::hash::Hash;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

/// How many threads a run takes that looks at everything: how many states there are does not depend on it.
/// One that looks for the shortest way takes one: with two the first that is found need not be it.
const THREADS: usize = 2;

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Different states seen.
    pub(crate) states: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// The properties that were found: broken, or shown to be possible; each with the steps that led there.
    pub(crate) found: Vec<(&'static str, Vec<String>)>,
}

impl Outcome {
    /// The steps of the first that was found.
    pub(crate) fn steps(&self) -> &[String] {
        self.found.first().map_or(&[], |(_, steps)| steps)
    }
}

/// Looks at every state, and stops at the first that breaks what must always hold.
pub(crate) fn everything<M>(model: M) -> Outcome
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + Clone + PartialEq + 'static,
    M::Action: Clone + PartialEq + Display,
{
    run(model, THREADS, HasDiscoveries::AnyFailures)
}

/// Looks breadth first, in one thread, until each property was found: broken if it must always hold, reached
/// if it must be possible.
pub(crate) fn shortest<M>(model: M) -> Outcome
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + Clone + PartialEq + 'static,
    M::Action: Clone + PartialEq + Display,
{
    run(model, 1, HasDiscoveries::All)
}

fn run<M>(model: M, threads: usize, finish: HasDiscoveries) -> Outcome
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Send + Sync + Clone + PartialEq + 'static,
    M::Action: Clone + PartialEq + Display,
{
    let properties = model.properties();
    #[expect(clippy::disallowed_methods, reason = "a run is timed by the clock on the wall")]
    let started = Instant::now();
    let checker = model.checker().threads(threads).finish_when(finish).spawn_bfs().join();
    let took = started.elapsed();
    let mut paths = checker.discoveries();
    let mut found = Vec::new();
    for property in properties {
        if let Some(path) = paths.remove(property.name) {
            let steps = path.into_actions().iter().map(ToString::to_string).collect();
            found.push((property.name, steps));
        }
    }
    Outcome { states: checker.unique_state_count(), took, found }
}

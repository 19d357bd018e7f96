//! An archive that a test looks into, and that fails when it is told to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use farebox::store::LifeId;
use farebox::store::budget::{Hold, HoldId};
use farebox::store::drain::{Archive, Gap, NotKept};
use farebox::store::event::{Event, What};
use farebox_verifier::{Answer, GrantId};
use tokio::sync::Notify;

/// Keeps what it is brought, in memory.
#[derive(Default)]
pub(crate) struct Shelf {
    state: Mutex<State>,
    hung: Notify,
}

#[derive(Default)]
struct State {
    lives: BTreeMap<LifeId, Vec<Event>>,
    gaps: Vec<(LifeId, Gap)>,
    given_back: Vec<Hold>,
    largest: usize,
    mood: Mood,
}

/// What becomes of what it is brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It is kept.
    #[default]
    Keeps,
    /// It is not.
    Refuses,
    /// It is, and then nothing is answered any more: whoever waits for it may die there.
    Hangs,
}

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// The events of a life, in the order in which they were kept.
    pub(crate) fn events(&self, life: &LifeId) -> Vec<Event> {
        self.state().lives.get(life).cloned().unwrap_or_default()
    }

    /// What was kept of a life behind this number.
    pub(crate) fn after(&self, life: &LifeId, number: u64) -> Vec<What> {
        let events = self.events(life).into_iter().filter(|event| event.number > number);
        events.map(|event| event.what).collect()
    }

    pub(crate) fn gaps(&self) -> Vec<(LifeId, Gap)> {
        self.state().gaps.clone()
    }

    pub(crate) fn given_back(&self) -> Vec<Hold> {
        self.state().given_back.clone()
    }

    /// The most events that were ever brought at once.
    pub(crate) fn largest(&self) -> usize {
        self.state().largest
    }

    /// Resolves once somebody waits for what will not come.
    pub(crate) async fn hung(&self) {
        self.hung.notified().await;
    }

    async fn answer(&self, mood: Mood) -> Result<(), NotKept> {
        match mood {
            Mood::Keeps => Ok(()),
            Mood::Refuses => Err(NotKept),
            Mood::Hangs => {
                self.hung.notify_one();
                std::future::pending().await
            }
        }
    }
}

impl State {
    fn keep(&mut self, life: &LifeId, events: &[Event]) {
        self.largest = self.largest.max(events.len());
        let kept = self.lives.entry(life.clone()).or_default();
        for event in events {
            let last = kept.last().map_or(0, |event| event.number);
            match kept.binary_search_by_key(&event.number, |event| event.number) {
                // Brought again, it is what it was.
                Ok(place) => assert_eq!(kept[place], *event),
                Err(_) => {
                    assert!(event.number > last, "{} behind {last}", event.number);
                    kept.push(event.clone());
                }
            }
        }
    }
}

impl Archive for Shelf {
    fn cursor(&self, life: &LifeId) -> u64 {
        self.state().lives.get(life).and_then(|kept| kept.last()).map_or(0, |event| event.number)
    }

    fn keep<'a>(
        &'a self,
        life: &'a LifeId,
        events: &'a [Event],
    ) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            let mood = {
                let mut state = self.state();
                if state.mood != Mood::Refuses {
                    state.keep(life, events);
                }
                state.mood
            };
            self.answer(mood).await
        })
    }

    fn gap<'a>(&'a self, life: &'a LifeId, gap: &'a Gap) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            let mut state = self.state();
            if state.mood == Mood::Refuses {
                return Err(NotKept);
            }
            state.gaps.push((life.clone(), gap.clone()));
            Ok(())
        })
    }

    fn held(&self, grant: GrantId) -> Vec<Hold> {
        let state = self.state();
        let events = state.lives.values().flatten();
        let held = events.filter_map(|event| match &event.what {
            What::Held { hold } if hold.id == HoldId::of(grant, hold.budget) => Some(*hold),
            _ => None,
        });
        held.filter(|hold| !state.given_back.contains(hold)).collect()
    }

    fn given_back<'a>(&'a self, hold: &'a Hold) -> Answer<'a, Result<(), NotKept>> {
        Box::pin(async move {
            let mut state = self.state();
            if state.mood == Mood::Refuses {
                return Err(NotKept);
            }
            state.given_back.push(*hold);
            Ok(())
        })
    }
}

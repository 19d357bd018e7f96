//! A wheel: what is forgotten when, to the minute, without looking at what stays.

use std::collections::BTreeMap;

use farebox_verifier::UnixSeconds;

use crate::store::packed::fields;

/// A minute since 1970. Four bytes reach beyond the last second that can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u32);

fields!(Minute { 0 });

impl Minute {
    /// The first minute that begins at this time or later.
    #[must_use]
    pub fn from(at: UnixSeconds) -> Minute {
        Minute(u32::try_from(at.0.div_ceil(60)).unwrap_or(u32::MAX))
    }

    /// Its first second.
    #[must_use]
    pub fn start(self) -> UnixSeconds {
        UnixSeconds(u64::from(self.0).saturating_mul(60))
    }
}

/// Things by the minute in which they are to be forgotten.
pub(super) struct Wheel<T>(BTreeMap<Minute, Vec<T>>);

impl<T> Default for Wheel<T> {
    fn default() -> Wheel<T> {
        Wheel(BTreeMap::new())
    }
}

impl<T> Wheel<T> {
    /// Remembers a thing until the first minute from `until` on.
    pub(super) fn put(&mut self, until: UnixSeconds, thing: T) {
        self.0.entry(Minute::from(until)).or_default().push(thing);
    }

    /// Everything whose minute has come.
    pub(super) fn due(&mut self, now: UnixSeconds) -> Vec<T> {
        let mut due = Vec::new();
        while let Some(first) = self.0.first_entry()
            && first.key().start() <= now
        {
            due.append(&mut first.remove());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_due_in_the_first_minute_from_its_time_on() {
        let mut wheel = Wheel::default();
        wheel.put(UnixSeconds(60), 'a');
        wheel.put(UnixSeconds(61), 'b');
        assert_eq!(wheel.due(UnixSeconds(59)), [] as [char; 0]);
        assert_eq!(wheel.due(UnixSeconds(60)), ['a']);
        assert_eq!(wheel.due(UnixSeconds(119)), [] as [char; 0]);
        assert_eq!(wheel.due(UnixSeconds(1_000)), ['b']);
        assert_eq!(wheel.due(UnixSeconds(1_000)), [] as [char; 0]);
    }

    #[test]
    fn the_last_second_that_can_be_said_has_a_minute() {
        let last = Minute::from(UnixSeconds::MAX);
        assert!(last.start() >= UnixSeconds::MAX);
        assert!(last < Minute(u32::MAX));
    }
}

//! What must hold of a quorum, and what must be possible.

use stateright::Property;

use super::{Quorum, Revocation, State};

/// Something that is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Watch {
    /// Always: at most one attempt has a majority.
    Once,
    /// Always: once a revocation was acknowledged, no attempt is granted that had no vote before.
    NoneBegins,
    /// Always: once a revocation was acknowledged, no attempt is granted that was not granted before.
    NoneCompletes,
    /// Always: once a revocation was acknowledged, no attempt was granted, and none will be. Where a majority
    /// says unspent, its word gives holds back too.
    NoneEver,
    /// Sometimes: a grant is spent that one server never heard of.
    WithoutOne,
    /// Sometimes: a grant is spent after a server that registered it was restarted.
    AfterRestart,
    /// Sometimes: a revocation is acknowledged.
    Acknowledges,
}

impl Watch {
    /// It, for the checker.
    pub(super) fn property(self) -> Property<Quorum> {
        match self {
            Watch::Once => Property::always(
                "at most one attempt is granted",
                |quorum: &Quorum, state: &State| quorum.all_granted(state).len() <= 1,
            ),
            Watch::NoneBegins => Property::always(
                "no attempt begins after a revocation",
                |quorum: &Quorum, state: &State| match state.revocation {
                    Revocation::Acknowledged { voted, .. } => {
                        quorum.all_granted(state).members().all(|one| voted.has(one))
                    }
                    _ => true,
                },
            ),
            Watch::NoneCompletes => Property::always(
                "no attempt is granted after a revocation",
                |quorum: &Quorum, state: &State| match state.revocation {
                    Revocation::Acknowledged { granted, .. } => {
                        quorum.all_granted(state).members().all(|one| granted.has(one))
                    }
                    _ => true,
                },
            ),
            Watch::NoneEver => Property::always(
                "no attempt was or is granted",
                |quorum: &Quorum, state: &State| {
                    let acknowledged = matches!(state.revocation, Revocation::Acknowledged { .. });
                    !acknowledged || quorum.all_granted(state).is_empty()
                },
            ),
            Watch::WithoutOne => Property::sometimes(
                "a grant is spent without one server",
                |quorum: &Quorum, state: &State| {
                    let away = state.seats.iter().any(Option::is_none);
                    away && !quorum.all_granted(state).is_empty()
                },
            ),
            Watch::AfterRestart => Property::sometimes(
                "a grant is spent after a restart",
                |quorum: &Quorum, state: &State| {
                    let lives = state.stores.iter().map(|store| Some(store.life));
                    let mut seats = state.seats.iter().zip(lives);
                    let lost = seats.any(|(seat, life)| seat.is_some() && *seat != life);
                    lost && !quorum.all_granted(state).is_empty()
                },
            ),
            Watch::Acknowledges => {
                Property::sometimes("a revocation is acknowledged", |_, state: &State| {
                    matches!(state.revocation, Revocation::Acknowledged { .. })
                })
            }
        }
    }
}

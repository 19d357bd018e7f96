//! The quorum: three servers that know nothing of each other, and a grant is spent by the attempt that two of
//! them said OK to. Restarts empty a server; two attempts race; a server may be away for as long as it likes.

mod watch;

use std::fmt;

use stateright::{Model, Property};

use crate::set::Set;
pub(crate) use watch::Watch;

/// How many servers are configured.
pub(crate) const STORES: u8 = 3;
/// How many of them are enough.
pub(crate) const MAJORITY: u32 = 2;
/// How many attempts race.
pub(crate) const ATTEMPTS: u8 = 2;

/// Who may say OK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fence {
    /// A server in which the grant was registered, in the same life.
    Registered,
    /// Any server that has not seen the grant spent: the usual lock.
    Unseen,
}

/// Which votes count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Votes {
    /// One for each server.
    ByStore,
    /// Every OK that comes in, a repeat too.
    ByReply,
}

/// When a revocation is acknowledged as effective now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acknowledged {
    /// When a majority answered, each for its own life.
    Majority,
    /// When a majority answered that the grant had not been spent there.
    MajorityUnspent,
    /// When a majority answered, and the time has passed that a spend has for all its votes.
    MajorityAndDeadline,
    /// When every server answered.
    Everyone,
}

/// Of how many servers a revocation needs so many that no majority is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Places {
    /// Of all that are configured.
    Configured,
    /// Of those whose journals were seen to have the grant: at least one.
    Seen,
}

/// The rules, and how much may happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quorum {
    /// Who may say OK.
    pub(crate) fence: Fence,
    /// Which votes count.
    pub(crate) votes: Votes,
    /// When a revocation is acknowledged.
    pub(crate) acknowledged: Acknowledged,
    /// Of how many servers.
    pub(crate) places: Places,
    /// Restarts of any server.
    pub(crate) restarts: u8,
    /// What is watched.
    pub(crate) watches: &'static [Watch],
}

/// What a server remembers of the grant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Mark {
    Absent,
    Issued,
    Spent(u8),
    Revoked,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Store {
    life: u8,
    mark: Mark,
}

/// What became of the revocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Revocation {
    None,
    Asked { seen: Set, reached: Set, unspent: Set, waited: bool },
    Acknowledged { voted: Set, granted: Set },
}

/// Everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    stores: [Store; STORES as usize],
    /// The life of each server in which the grant was registered.
    seats: [Option<u8>; STORES as usize],
    signed: bool,
    /// For each attempt, who said OK.
    votes: [Set; ATTEMPTS as usize],
    /// For each attempt, how many OKs came in, up to a majority.
    replies: [u8; ATTEMPTS as usize],
    revocation: Revocation,
    restarts: u8,
}

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// The issuer registers the grant at one server, and hears it.
    Register(u8),
    /// It registers the grant there, and the answer is lost: the token does not name the server.
    Unheard(u8),
    /// It signs the token, which names the servers that registered it.
    Sign,
    /// An attempt asks a server, and hears its OK.
    Ask(u8, u8),
    /// A server restarts, and remembers nothing.
    Restart(u8),
    /// Staff asks for a revocation, and these servers are seen to have the grant.
    Revoke(Set),
    /// It reaches a server, which answers for its own life.
    Reach(u8),
    /// The time has passed that a spend has for all its votes: votes without a majority are worth nothing.
    Deadline,
    /// The issuer says that it is effective now.
    Acknowledge,
}

impl Quorum {
    fn granted(&self, state: &State, attempt: u8) -> bool {
        let attempt = usize::from(attempt);
        match self.votes {
            Votes::ByStore => state.votes[attempt].len() >= MAJORITY,
            Votes::ByReply => u32::from(state.replies[attempt]) >= MAJORITY,
        }
    }

    fn all_granted(&self, state: &State) -> Set {
        (0..ATTEMPTS)
            .filter(|attempt| self.granted(state, *attempt))
            .fold(Set::EMPTY, |granted, attempt| granted.with(attempt))
    }

    fn ask(&self, state: &mut State, attempt: u8, store: u8) {
        let seat = state.seats[usize::from(store)];
        let Store { life, mark } = &mut state.stores[usize::from(store)];
        let yes = match (self.fence, *mark) {
            (Fence::Registered, Mark::Issued) => seat == Some(*life),
            (Fence::Registered, Mark::Spent(by)) => by == attempt && seat == Some(*life),
            (Fence::Unseen, Mark::Absent | Mark::Issued) => true,
            (Fence::Unseen, Mark::Spent(by)) => by == attempt,
            (_, Mark::Absent | Mark::Revoked) => false,
        };
        if yes {
            *mark = Mark::Spent(attempt);
            let attempt = usize::from(attempt);
            state.votes[attempt] = state.votes[attempt].with(store);
            state.replies[attempt] = (state.replies[attempt] + 1).min(2);
        }
    }

    fn reach(state: &mut State, store: u8) {
        let at = &mut state.stores[usize::from(store)];
        let Revocation::Asked { reached, unspent, .. } = &mut state.revocation else {
            return;
        };
        // Another life answers `fenced`, which says nothing of the one that is asked for.
        if at.mark == Mark::Absent {
            return;
        }
        *reached = reached.with(store);
        if at.mark == Mark::Issued {
            *unspent = unspent.with(store);
        }
        at.mark = Mark::Revoked;
    }

    fn may_acknowledge(&self, state: &State) -> bool {
        let Revocation::Asked { seen, reached, unspent, waited } = state.revocation else {
            return false;
        };
        if self.places == Places::Seen {
            return reached.len() > seen.len().saturating_sub(MAJORITY);
        }
        match self.acknowledged {
            Acknowledged::Majority => reached.len() >= MAJORITY,
            Acknowledged::MajorityUnspent => unspent.len() >= MAJORITY,
            Acknowledged::MajorityAndDeadline => reached.len() >= MAJORITY && waited,
            Acknowledged::Everyone => reached == Set::below(STORES),
        }
    }

    /// The servers whose journals may have been seen to have the grant. Where it makes no difference, all.
    fn sights(&self, state: &State) -> impl Iterator<Item = Set> + use<> {
        let has = |store: &u8| state.stores[usize::from(*store)].mark != Mark::Absent;
        let all = (0..STORES).filter(has).fold(Set::EMPTY, Set::with);
        let among = match self.places {
            Places::Configured => vec![Set::below(STORES)],
            Places::Seen => {
                let some = |seen: &Set| !seen.is_empty() && all.or(*seen) == all;
                Set::all_below(STORES).filter(some).collect()
            }
        };
        among.into_iter()
    }

    fn deadline(&self, state: &mut State) {
        for attempt in 0..ATTEMPTS {
            if !self.granted(state, attempt) {
                state.votes[usize::from(attempt)] = Set::EMPTY;
                state.replies[usize::from(attempt)] = 0;
            }
        }
        if let Revocation::Asked { waited, .. } = &mut state.revocation {
            *waited = true;
        }
    }
}

impl Model for Quorum {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            stores: [Store { life: 0, mark: Mark::Absent }; STORES as usize],
            seats: [None; STORES as usize],
            signed: false,
            votes: [Set::EMPTY; ATTEMPTS as usize],
            replies: [0; ATTEMPTS as usize],
            revocation: Revocation::None,
            restarts: self.restarts,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let stores = 0..STORES;
        if state.restarts > 0 {
            steps.extend(stores.clone().map(Step::Restart));
        }
        if !state.signed {
            let absent = |store: &u8| state.stores[usize::from(*store)].mark == Mark::Absent;
            let new = |store: &u8| absent(store) && state.seats[usize::from(*store)].is_none();
            for store in stores.filter(new) {
                steps.extend([Step::Register(store), Step::Unheard(store)]);
            }
            if state.seats.iter().flatten().count() >= 2 {
                steps.push(Step::Sign);
            }
            return;
        }
        for attempt in 0..ATTEMPTS {
            steps.extend(stores.clone().map(|store| Step::Ask(attempt, store)));
        }
        match state.revocation {
            Revocation::None => steps.extend(self.sights(state).map(Step::Revoke)),
            Revocation::Asked { seen, reached, .. } => {
                let asked = |store: &u8| seen.has(*store) && !reached.has(*store);
                steps.extend(stores.filter(asked).map(Step::Reach));
                let majority = reached.len() >= MAJORITY;
                if majority && self.acknowledged == Acknowledged::MajorityAndDeadline {
                    steps.push(Step::Deadline);
                }
                if self.may_acknowledge(state) {
                    steps.push(Step::Acknowledge);
                }
            }
            Revocation::Acknowledged { .. } => {}
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        match step {
            Step::Register(store) => {
                let at = &mut next.stores[usize::from(store)];
                at.mark = Mark::Issued;
                next.seats[usize::from(store)] = Some(at.life);
            }
            Step::Unheard(store) => next.stores[usize::from(store)].mark = Mark::Issued,
            Step::Sign => next.signed = true,
            Step::Ask(attempt, store) => self.ask(&mut next, attempt, store),
            Step::Restart(store) => {
                let at = &mut next.stores[usize::from(store)];
                *at = Store { life: at.life + 1, mark: Mark::Absent };
                next.restarts -= 1;
            }
            Step::Revoke(seen) => {
                let (reached, unspent) = (Set::EMPTY, Set::EMPTY);
                next.revocation = Revocation::Asked { seen, reached, unspent, waited: false };
            }
            Step::Reach(store) => Quorum::reach(&mut next, store),
            Step::Deadline => self.deadline(&mut next),
            Step::Acknowledge => {
                let voted = (0..ATTEMPTS)
                    .filter(|attempt| !next.votes[usize::from(*attempt)].is_empty())
                    .fold(Set::EMPTY, Set::with);
                let granted = self.all_granted(&next);
                next.revocation = Revocation::Acknowledged { voted, granted };
            }
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Quorum>> {
        self.watches.iter().map(|watch| watch.property()).collect()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Register(store) => write!(f, "the grant is registered at server {}", store + 1),
            Step::Unheard(store) => {
                write!(f, "the grant is registered at server {}; the reply is lost", store + 1)
            }
            Step::Sign => f.write_str("the token is signed"),
            Step::Ask(attempt, store) => {
                write!(f, "attempt {} is told OK by server {}", attempt + 1, store + 1)
            }
            Step::Restart(store) => write!(f, "server {} restarts, empty", store + 1),
            Step::Revoke(seen) if *seen == Set::below(STORES) => {
                f.write_str("staff asks for a revocation")
            }
            Step::Revoke(seen) => {
                let seen: Vec<String> = seen.members().map(|one| (one + 1).to_string()).collect();
                let seen = seen.join(" and ");
                write!(f, "staff asks for a revocation; seen to have the grant: server {seen}")
            }
            Step::Reach(store) => write!(f, "the revocation reaches server {}", store + 1),
            Step::Deadline => f.write_str("the deadline of all spends under way passes"),
            Step::Acknowledge => f.write_str("the revocation is acknowledged: effective now"),
        }
    }
}

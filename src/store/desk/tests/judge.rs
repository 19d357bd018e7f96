//! A judge who knows the promises and not the desk: it reads the events alone, and says where one is broken.

use std::collections::{HashMap, HashSet};

use super::*;

/// What the events have told so far.
#[derive(Default)]
pub(super) struct Judge {
    number: u64,
    at: u64,
    keys: HashMap<Half, (GrantId, UnixSeconds)>,
    requests: HashMap<GrantId, Told>,
    paid: HashSet<GrantId>,
    boots: HashMap<StoreName, Generation>,
    sequence: u64,
    lives: HashMap<Generation, (UnixSeconds, u64, Option<LifeEnd>)>,
    holds: HashMap<HoldId, (UnixSeconds, Option<HoldEnd>)>,
}

struct Told {
    proposal: Proposal,
    decisions: Vec<Decision>,
    over: bool,
    paid: Option<GrantId>,
}

impl Judge {
    pub(super) fn hears(&mut self, event: &DeskEvent) {
        assert_eq!(event.number, self.number + 1, "numbers are dense");
        assert!(event.at.0 >= self.at, "time goes forward");
        (self.number, self.at) = (event.number, event.at.0);
        match &event.what {
            DeskWhat::KeyClaimed { .. } | DeskWhat::KeyRenewed { .. } => self.key(event),
            DeskWhat::Proposed { request, .. } => {
                let told = Told {
                    proposal: (**request).clone(),
                    decisions: vec![],
                    over: false,
                    paid: None,
                };
                self.requests.insert(request.grant, told);
            }
            DeskWhat::Decided { grant, decision, becomes } => {
                self.decided(*grant, decision, *becomes, event.at);
            }
            DeskWhat::Collected { grant, fresh } => self.paid(*grant, None, *fresh, event.at),
            DeskWhat::CollectedAgain { grant, abandoned, fresh } => {
                self.paid(*grant, Some(*abandoned), *fresh, event.at);
            }
            DeskWhat::Withdrawn { grant, .. } => self.ends(&[*grant]),
            DeskWhat::Cancelled { grants, .. } => self.ends(grants),
            DeskWhat::Expired { grants } => {
                let told = |grant| &self.requests[grant];
                assert!(grants.iter().all(|grant| told(grant).proposal.until <= event.at));
                self.ends(grants);
            }
            DeskWhat::Announced { .. } | DeskWhat::Seated { .. } | DeskWhat::Dismissed { .. } => {
                self.local(&event.what);
            }
            DeskWhat::HoldBegun { hold, .. } => {
                let before = self.holds.insert(hold.id, (hold.to, None));
                let again = before.is_some_and(|(to, end)| event.at < to && end.is_some());
                assert!(event.at < hold.to && !again, "a hold is not begun after its end");
            }
            DeskWhat::HoldEnded { hold, end, .. } => {
                let before = self.holds.get_mut(hold).unwrap();
                assert_eq!(before.1.replace(*end), None, "a hold ends once");
            }
            DeskWhat::Blocked { .. } | DeskWhat::Lifted { .. } => {}
            what => self.life(what, event.at),
        }
    }

    fn key(&mut self, event: &DeskEvent) {
        match &event.what {
            DeskWhat::KeyClaimed { key } => {
                let before = self.keys.insert(key.key, (key.grant, key.until.start()));
                assert!(before.is_none_or(|(_, until)| until <= event.at), "a key is claimed once");
            }
            DeskWhat::KeyRenewed { key, from, to } => {
                let known = self.keys.get_mut(key).unwrap();
                assert!(known.0 == *from && event.at < known.1, "it passes on from where it is");
                known.0 = *to;
            }
            what => panic!("{what:?} is told to another"),
        }
    }

    fn decided(&mut self, grant: GrantId, decision: &Decision, to: RequestState, at: UnixSeconds) {
        let told = self.requests.get_mut(&grant).unwrap();
        assert!(!told.over && told.paid.is_none() && at < told.proposal.until);
        assert_ne!(decision.owner, told.proposal.owner, "nobody approves its own");
        assert_ne!(decision.approver, told.proposal.requester, "nobody approves its own");
        let again = told.decisions.iter().any(|earlier| earlier.owner == decision.owner);
        assert!(!again, "a person decides once");
        told.decisions.push(decision.clone());
        let becomes = if decision.verdict == Verdict::Refuse {
            told.over = true;
            RequestState::Refused
        } else if told.approved() {
            RequestState::Approved
        } else {
            RequestState::Pending
        };
        assert_eq!(to, becomes);
    }

    fn paid(&mut self, grant: GrantId, from: Option<GrantId>, fresh: GrantId, at: UnixSeconds) {
        let told = self.requests.get_mut(&grant).unwrap();
        assert!(
            told.approved() && !told.over && at < told.proposal.until,
            "nothing is paid without"
        );
        assert_eq!(told.paid, from, "an approval pays for one grant at a time");
        told.paid = Some(fresh);
        from.map(|from| self.paid.remove(&from));
        assert!(self.paid.insert(fresh), "a grant is paid for once");
    }

    fn ends(&mut self, grants: &[GrantId]) {
        for grant in grants {
            let told = self.requests.get_mut(grant).unwrap();
            assert!(!told.over, "a request ends once");
            told.over = true;
            told.paid.map(|paid| self.paid.remove(&paid));
        }
    }

    fn local(&mut self, what: &DeskWhat) {
        match what {
            DeskWhat::Announced { store, generation, previous, .. } => {
                assert_eq!(self.boots.insert(store.clone(), *generation), *previous);
                assert_ne!(Some(*generation), *previous);
            }
            DeskWhat::Seated { store, generation, sequence, .. } => {
                assert_eq!(self.boots.get(store), Some(generation), "of the last boot");
                assert_eq!(*sequence, self.sequence + 1, "no number is given twice");
                self.sequence = *sequence;
            }
            DeskWhat::Dismissed { store } => drop(self.boots.remove(store).unwrap()),
            what => panic!("{what:?} is told to another"),
        }
    }

    fn life(&mut self, what: &DeskWhat, at: UnixSeconds) {
        match what {
            DeskWhat::LifeOpened { life } => {
                assert_eq!(self.lives.insert(life.generation, (at, 0, None)), None);
            }
            DeskWhat::LifeExtended { generation, until } => {
                let (known, _, end) = self.lives.get_mut(generation).unwrap();
                assert!(until > known && *until > at && end.is_none());
                *known = *until;
            }
            DeskWhat::LifeDrained { generation, cursor } => {
                let (_, known, _) = self.lives.get_mut(generation).unwrap();
                assert!(cursor > known);
                *known = *cursor;
            }
            DeskWhat::LifeEnded { generation, end } => {
                self.lives.get_mut(generation).unwrap().2 = Some(*end)
            }
            DeskWhat::LifeDropped { generation } => {
                let (until, _, end) = self.lives.remove(generation).unwrap();
                assert!(until <= at && !matches!(end, None | Some(LifeEnd::Over)));
            }
            what => panic!("{what:?} is none of a life"),
        }
    }
}

impl Told {
    fn approved(&self) -> bool {
        let yes = |need: &Need| {
            let of = |it: &&Decision| it.group == need.group && it.verdict == Verdict::Approve;
            self.decisions.iter().filter(of).count() >= usize::from(need.count)
        };
        self.proposal.needs.each().iter().all(yes)
    }
}

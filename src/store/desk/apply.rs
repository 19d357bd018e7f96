//! What an entry makes of the desk. Nothing here refuses: the entry is true already.

use farebox_verifier::{GrantId, UnixSeconds};

use super::Desk;
use super::blocks::Block;
use super::boots::Boot;
use super::event::{DeskEntry, DeskEvent, DeskWhat};
use super::holds::BegunHold;
use super::lives::KnownLife;
use super::request::{Decided, Decision, Proposal, Request, RequestState};
use super::words::EventSecret;
use crate::store::LifeId;

impl Desk {
    /// Makes an entry true.
    pub(crate) fn apply(&mut self, entry: &DeskEntry) {
        let DeskEntry { event: DeskEvent { number, at, what }, secret } = entry;
        let at = *at;
        self.pass(at);
        self.appended = *number;
        match what {
            DeskWhat::KeyClaimed { key } => self.keys.claimed(*key),
            DeskWhat::KeyRenewed { key, to, .. } => self.keys.renewed(*key, *to),
            DeskWhat::Proposed { order, request } => self.proposed(*order, request, at),
            DeskWhat::Decided { grant, decision, becomes } => {
                self.decided(*grant, decision, *becomes, at);
            }
            DeskWhat::Collected { grant, fresh }
            | DeskWhat::CollectedAgain { grant, fresh, .. } => {
                self.queue.change(*grant, at, |request| {
                    request.state = RequestState::Collected;
                    request.collected = Some(*fresh);
                });
            }
            DeskWhat::Withdrawn { grant, .. } => {
                self.becomes(std::slice::from_ref(grant), RequestState::Withdrawn, at);
            }
            DeskWhat::Cancelled { grants, .. } => {
                self.becomes(grants, RequestState::Cancelled, at);
            }
            DeskWhat::Expired { grants } => self.becomes(grants, RequestState::Expired, at),
            DeskWhat::Blocked { selector, by, reason } => {
                let (selector, by, reason) = (selector.clone(), by.clone(), reason.clone());
                self.blocks.insert(Block { selector, by, reason, at });
            }
            DeskWhat::Lifted { selector, .. } => self.blocks.remove(selector),
            DeskWhat::Announced { store, audience, generation, .. } => {
                self.boots.announced(Boot {
                    store: store.clone(),
                    audience: audience.clone(),
                    generation: *generation,
                    announced_at: at,
                    outstanding: 0,
                });
            }
            DeskWhat::Seated { store, sequence, grant, .. } => {
                self.boots.seated(store, *sequence, grant.end);
            }
            DeskWhat::Dismissed { store } => self.boots.dismissed(store),
            DeskWhat::LifeOpened { life } => self.opened(life, secret.as_ref(), at),
            DeskWhat::LifeExtended { generation, until } => {
                self.lives.change(*generation, |life| life.until = *until);
            }
            DeskWhat::LifeDrained { generation, cursor } => {
                self.lives.change(*generation, |life| life.cursor = *cursor);
            }
            DeskWhat::LifeEnded { generation, end } => {
                self.lives.change(*generation, |life| life.end = Some(*end));
            }
            DeskWhat::LifeDropped { generation } => self.lives.dropped(*generation),
            DeskWhat::HoldBegun { grant, hold } => {
                self.holds.insert(BegunHold { grant: *grant, hold: *hold, end: None });
            }
            DeskWhat::HoldEnded { grant, hold, end } => self.holds.ended(*grant, *hold, *end),
        }
    }

    fn proposed(&mut self, order: u64, proposal: &Proposal, at: UnixSeconds) {
        self.queue.insert(Request {
            order,
            proposal: proposal.clone(),
            proposed_at: at,
            decisions: Vec::new(),
            state: match proposal.needs.each() {
                [] => RequestState::Approved,
                _ => RequestState::Pending,
            },
            changed_at: at,
            collected: None,
        });
    }

    fn decided(&mut self, grant: GrantId, decision: &Decision, to: RequestState, at: UnixSeconds) {
        self.queue.change(grant, at, |request| {
            request.decisions.push(Decided { decision: decision.clone(), at });
            request.state = to;
        });
    }

    fn becomes(&mut self, grants: &[GrantId], state: RequestState, at: UnixSeconds) {
        for grant in grants {
            self.queue.change(*grant, at, |request| request.state = state);
        }
    }

    fn opened(&mut self, life: &LifeId, secret: Option<&EventSecret>, at: UnixSeconds) {
        // None is written without its secret, and none is read without it.
        if let Some(secret) = secret {
            self.lives.insert(KnownLife {
                life: life.clone(),
                secret: secret.clone(),
                opened_at: at,
                until: at,
                cursor: 0,
                end: None,
            });
        }
    }
}

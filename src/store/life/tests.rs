//! The rules of a life, one by one; [`random`] holds them against others of the same meaning.

mod command;
mod full;
mod random;
mod reference;

use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::{
    Action, Agent, Audience, Generation, GrantId, Resource, Seat, Seats, Shard, StoreName, Workflow,
};

use super::*;
use crate::store::AdminError;
use crate::store::event::{Entry, Event, OldGrants};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);

/// A life, and all that was appended in it.
struct Scene {
    life: Life,
    entries: Vec<Entry>,
}

fn scene() -> Scene {
    let mut scene = Scene { life: Life::new(NOW), entries: Vec::new() };
    scene.append(What::Opened { previous: None, policy: POLICY }.into());
    scene
}

impl Scene {
    fn append(&mut self, change: Change) {
        let Change { what, mark } = change;
        let event = Event { number: self.life.appended() + 1, at: self.life.now(), what };
        let entry = Entry { event, mark };
        self.life.apply(&entry);
        self.entries.push(entry);
    }

    fn step<T, E>(&mut self, decide: impl FnOnce(&Life) -> Step<T, E>) -> Result<T, E> {
        let (change, answer) = decide(&self.life);
        change.into_iter().for_each(|change| self.append(change));
        answer
    }

    fn pass(&mut self, seconds: u64) {
        self.life.pass(self.life.now().plus(seconds));
    }

    /// Registers it, and makes it what its verifier presents.
    fn issue(&mut self, registration: &Registration) -> (u64, Ticket) {
        let sequence = self.step(|life| life.register(registration)).unwrap();
        (sequence, registration.ticket.clone())
    }

    fn spend(&mut self, of: &(u64, Ticket), claimant: u8) -> Result<Receipt, SpendError> {
        self.step(|life| life.spend(of.0, &of.1, &attempt(claimant)))
    }

    fn settle(&mut self, of: &(u64, Ticket), outcome: Outcome) -> Result<(), SettleError> {
        self.step(|life| life.settle(of.0, &of.1, &attempt(1), outcome))
    }

    fn last(&self) -> &Entry {
        self.entries.last().unwrap()
    }
}

fn attempt(byte: u8) -> Attempt {
    Attempt::from_bytes([byte; 16])
}

/// A registration of this grant at this time, as most tests want it.
fn registration(grant: u8, now: UnixSeconds, ttl_seconds: u64) -> Registration {
    let end = now.plus(ttl_seconds);
    let ticket = Ticket {
        grant: GrantId::from_bytes([grant; 16]),
        not_before: now,
        end,
        grant_end: end,
        mark: Mark::from_bytes([grant; 6]),
        stores: None,
        key_id: 17,
        agent: Agent::parse("key:ci").unwrap(),
        workflow: Some(Workflow::parse("run-81").unwrap()),
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        policy: POLICY,
    };
    Registration { ticket, resource: Resource::parse("account/42").unwrap(), after: Vec::new() }
}

fn behind(sequences: &[u64], registration: Registration) -> Registration {
    let seat = |sequence| Seat {
        store: StoreName::parse("r1").unwrap(),
        shard: Shard::only(),
        generation: Generation::from_bytes([1; 16]),
        sequence,
    };
    let seats = |sequence: &u64| Seats::new(1, vec![seat(*sequence)]).unwrap();
    Registration { after: sequences.iter().map(seats).collect(), ..registration }
}

#[test]
fn deciding_changes_nothing() {
    let mut scene = scene();
    let of = scene.issue(&registration(1, NOW, 60));
    for _ in 0..3 {
        let (change, answer) = scene.life.spend(of.0, &of.1, &attempt(1));
        assert_eq!(answer.map(|receipt| receipt.sending), Ok(Sending::First));
        assert!(change.is_some());
    }
    assert_eq!(scene.spend(&of, 2).map(|receipt| receipt.sending), Ok(Sending::First));
}

#[test]
fn only_a_registration_and_a_use_leave_marks() {
    let mut scene = scene();
    let of = scene.issue(&registration(1, NOW, 60));
    assert_eq!(scene.last().mark, Some(of.1.mark));
    scene.spend(&of, 1).unwrap();
    let claimant = scene.last().mark.unwrap();
    assert_ne!(claimant, of.1.mark);
    scene.spend(&of, 1).unwrap();
    assert_eq!(scene.last().mark, None);
    scene.settle(&of, Outcome::Succeeded).unwrap();
    assert_eq!(scene.last().mark, None);
}

#[test]
fn what_is_kept_of_an_attempt_depends_on_all_of_it_and_on_the_content() {
    let content = Mark::from_bytes([7; 6]);
    let known = claimant(&attempt(1), content);
    for bit in 0..128_usize {
        let mut bytes = [1; 16];
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(claimant(&Attempt::from_bytes(bytes), content), known, "bit {bit}");
    }
    for byte in 0..6 {
        let mut bytes = [7; 6];
        bytes[byte] ^= 1;
        assert_ne!(claimant(&attempt(1), Mark::from_bytes(bytes)), known, "byte {byte}");
    }
}

#[test]
fn a_use_is_refused_in_the_order_of_the_checks() {
    let mut scene = scene();
    let before = scene.issue(&registration(1, NOW, 600));
    let of = scene.issue(&behind(&[before.0], registration(2, NOW, 60)));
    let forged = (of.0, Ticket { mark: Mark::from_bytes([9; 6]), ..of.1.clone() });
    assert_eq!(scene.spend(&of, 1), Err(SpendError::PredecessorUnsettled));
    scene.pass(60);
    let now = scene.life.now();
    assert_eq!(scene.spend(&of, 1), Err(SpendError::Expired { now }));
    scene.step(|life| life.revoke_all(&Selector::All)).unwrap();
    assert_eq!(scene.spend(&of, 1), Err(SpendError::Revoked));
    assert_eq!(scene.spend(&forged, 1), Err(SpendError::UnknownGrant));
    scene.step(|life| life.revoke(of.0)).unwrap();
    assert_eq!(scene.spend(&forged, 1), Err(SpendError::Revoked));
}

#[test]
fn a_ticket_that_claims_a_later_end_is_held_to_what_was_registered() {
    let mut scene = scene();
    let of = scene.issue(&registration(1, NOW, 60));
    let longer = (of.0, Ticket { end: UnixSeconds::MAX, ..of.1 });
    scene.pass(60);
    let now = scene.life.now();
    assert_eq!(scene.spend(&longer, 1), Err(SpendError::Expired { now }));
}

#[test]
fn numbers_go_on_where_grants_were_forgotten() {
    let mut scene = scene();
    for grant in 0..5 {
        scene.issue(&registration(grant, NOW, 60));
    }
    scene.pass(60 + limits::REMEMBERED_SECONDS);
    let now = scene.life.now();
    assert_eq!(scene.life.slots.len(), 0);
    assert!(scene.life.agents.is_empty());
    assert_eq!(scene.issue(&registration(9, now, 60)).0, 6);
}

#[test]
fn one_that_lives_keeps_those_behind_it() {
    let mut scene = scene();
    scene.issue(&registration(1, NOW, TTL_SECONDS_MAX));
    let short = scene.issue(&registration(2, NOW, 1));
    scene.pass(TTL_SECONDS_MAX + limits::REMEMBERED_SECONDS - 1);
    assert_eq!(scene.life.slots.len(), 2);
    let now = scene.life.now();
    assert_eq!(scene.spend(&short, 1), Err(SpendError::Expired { now }));
    scene.pass(1);
    assert_eq!(scene.life.slots.len(), 0);
}

#[test]
fn a_watermark_is_forgotten_with_what_it_revoked() {
    let mut scene = scene();
    let agent = Selector::Agent(Agent::parse("key:ci").unwrap());
    let short = scene.issue(&registration(1, NOW, 60));
    let long = scene.issue(&registration(2, NOW, 600));
    scene.step(|life| life.revoke_all(&agent)).unwrap();
    scene.pass(60 + limits::REMEMBERED_SECONDS);
    assert!(matches!(scene.life.slots.find(short.0), Found::Forgotten));
    assert_eq!(scene.life.watermarks.len(), 1);
    assert!(scene.life.revoked(long.0, &long.1.scopes()));
    scene.pass(600);
    assert_eq!(scene.life.watermarks.len(), 0);
}

#[test]
fn a_watermark_never_goes_down() {
    let mut scene = scene();
    let agent = Selector::Agent(Agent::parse("key:ci").unwrap());
    let of = scene.issue(&registration(1, NOW, 60));
    scene.step(|life| life.revoke_all(&agent)).unwrap();
    // As an event that was delivered late would say.
    scene.append(What::RevokedAll { selector: agent, upto: 0 }.into());
    assert_eq!(scene.spend(&of, 1), Err(SpendError::Revoked));
    scene.append(What::RevokedAll { selector: Selector::All, upto: 1 }.into());
    scene.append(What::RevokedAll { selector: Selector::All, upto: 0 }.into());
    assert_eq!(scene.life.all, 1);
}

#[test]
fn what_lapsed_while_nobody_looked_is_judged_by_the_time_it_is_asked() {
    let mut scene = scene();
    let (unspent, spent) =
        (scene.issue(&registration(1, NOW, 60)), scene.issue(&registration(2, NOW, 60)));
    scene.spend(&spent, 1).unwrap();
    let lapse = |scene: &mut Scene, of: &(u64, Ticket)| scene.step(|life| life.lapse(of.0));
    scene.pass(59);
    assert_eq!(lapse(&mut scene, &unspent), Ok(Lapse::NotYet));
    scene.pass(1);
    assert_eq!(lapse(&mut scene, &unspent), Ok(Lapse::Over));
    assert_eq!(lapse(&mut scene, &unspent), Ok(Lapse::Before));
    assert_eq!(lapse(&mut scene, &spent), Ok(Lapse::NotYet));
    scene.pass(farebox_verifier::limits::SETTLE_SECONDS_MAX - 60);
    assert_eq!(lapse(&mut scene, &spent), Ok(Lapse::Over));
    assert_eq!(scene.settle(&spent, Outcome::Unknown), Ok(()));
    let settled = Outcome::Unknown;
    assert_eq!(scene.settle(&spent, Outcome::Succeeded), Err(SettleError::Conflict { settled }));
}

#[test]
fn a_predecessor_outlives_its_own_end_for_its_successors() {
    let mut scene = scene();
    let before = scene.issue(&registration(1, NOW, 10));
    let of = scene.issue(&behind(&[before.0], registration(2, NOW, TTL_SECONDS_MAX)));
    scene.spend(&before, 1).unwrap();
    scene.settle(&before, Outcome::Succeeded).unwrap();
    scene.pass(TTL_SECONDS_MAX - 1);
    assert!(scene.spend(&of, 1).is_ok());
}

#[test]
fn a_policy_that_is_swapped_away_takes_its_grants_along_or_does_not() {
    for (old, answer) in [(OldGrants::Revoked, Err(SpendError::Revoked)), (OldGrants::Kept, Ok(()))]
    {
        let mut scene = scene();
        let of = scene.issue(&registration(1, NOW, 60));
        scene.step(|life| life.set_policy(PolicyHash::NONE, old)).unwrap();
        assert_eq!(scene.life.policy, PolicyHash::NONE);
        assert_eq!(scene.spend(&of, 1).map(|_| ()), answer);
    }
}

//! From a verified token to a settled grant: the memory store, and what the passage makes of what any
//! store answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene fails")]
#![allow(dead_code, reason = "each test binary uses its part of the world")]

mod world;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use farebox_verifier::contract::Subject;
use farebox_verifier::{
    Answer, Attempt, Clock as _, Grant, GrantId, ManualClock, Memory, Outcome, Receipt, Refusal,
    Sending, SettleError, SpendError, SpendStore, Ticket, UnixSeconds, Window, limits,
};

use world::{NOW, asked, grant, world};

struct InMemory {
    clock: Arc<ManualClock>,
    store: Arc<Memory>,
    issued: AtomicU8,
}

fn in_memory() -> InMemory {
    let clock = Arc::new(ManualClock::at(NOW));
    let store = Arc::new(Memory::new(Arc::clone(&clock) as _));
    clock.advance(limits::BACKDATE_SECONDS + 1);
    InMemory { clock, store, issued: AtomicU8::new(0) }
}

/// The ticket of a fresh grant, as its verified token gives it.
fn ticket(number: u8, now: UnixSeconds, ttl_seconds: u64) -> Ticket {
    let world = world();
    world.clock.set(now);
    let window = Window::minted(now, ttl_seconds).unwrap();
    let grant = Grant { id: GrantId::from_bytes([number; 16]), window, ..grant() };
    world.verify(world.mint(&grant).expose(), &asked()).unwrap().ticket()
}

impl Subject for InMemory {
    fn store(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.store) as _
    }

    fn issue(&self, ttl_seconds: u64) -> Answer<'_, Ticket> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { ticket(number, self.clock.now(), ttl_seconds) })
    }

    fn revoke<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()> {
        self.store.revoke(ticket.grant);
        Box::pin(async {})
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.clock.advance(seconds);
        Box::pin(async {})
    }
}

mod memory {
    use super::in_memory;

    farebox_verifier::spend_store_contract!(in_memory());
}

#[tokio::test]
async fn a_grant_that_was_valid_before_the_memory_began_is_fenced() {
    let subject = in_memory();
    // However an issuer's clock goes: what counts is when this API's own clock could have let it in.
    for (minted, fenced) in [(0, true), (29, true), (30, true), (31, false)] {
        let ticket = ticket(minted, NOW.plus(minted.into()), 60);
        let answer = subject.store.spend(&ticket, &Attempt::from_bytes([1; 16])).await;
        let expected = if fenced { Err(SpendError::Fenced) } else { Ok(()) };
        assert_eq!(answer.map(|_| ()), expected, "minted {minted} s after");
    }
}

#[tokio::test]
async fn a_clock_set_back_revives_nothing() {
    let subject = in_memory();
    let ticket = subject.issue(10).await;
    subject.clock.advance(11);
    assert!(subject.store.spend(&ticket, &Attempt::from_bytes([1; 16])).await.is_err());
    subject.clock.set(NOW);
    let refused = subject.store.spend(&ticket, &Attempt::from_bytes([1; 16])).await;
    assert!(matches!(refused, Err(SpendError::Expired { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_long_grant_spent_by_a_short_copy_stays_spent_for_as_long_as_it_lives() {
    let subject = in_memory();
    let whole = subject.issue(limits::TTL_SECONDS_MAX).await;
    let short = Ticket { end: subject.clock.now().plus(1), ..whole.clone() };
    assert!(subject.store.spend(&short, &Attempt::from_bytes([1; 16])).await.is_ok());
    for _ in 0..35 {
        subject.clock.advance(100);
        let refused = subject.store.spend(&whole, &Attempt::from_bytes([2; 16])).await;
        assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_revocation_lasts_as_long_as_any_token() {
    let subject = in_memory();
    let ticket = subject.issue(limits::TTL_SECONDS_MAX).await;
    subject.store.revoke(ticket.grant);
    subject.clock.advance(limits::TTL_SECONDS_MAX - 1);
    let refused = subject.store.spend(&ticket, &Attempt::from_bytes([1; 16])).await;
    assert_eq!(refused.map(|_| ()), Err(SpendError::Revoked));
}

/// A store that answers from a script, and keeps what it was asked.
struct Script {
    answers: Mutex<Vec<Result<Receipt, SpendError>>>,
    attempts: Mutex<Vec<[u8; 16]>>,
    settles: Mutex<Vec<Result<(), SettleError>>>,
}

fn script(answers: &[Result<Receipt, SpendError>]) -> Arc<Script> {
    let (attempts, settles) = (Mutex::default(), Mutex::default());
    let answers = Mutex::new(answers.iter().rev().copied().collect());
    Arc::new(Script { answers, attempts, settles })
}

impl SpendStore for Script {
    fn spend<'a>(
        &'a self,
        _: &'a Ticket,
        attempt: &'a Attempt,
    ) -> Answer<'a, Result<Receipt, SpendError>> {
        self.attempts.lock().unwrap().push(*attempt.expose());
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Err(SpendError::InDoubt));
        Box::pin(async move { answer })
    }

    fn settle<'a>(
        &'a self,
        _: &'a Ticket,
        _: &'a Attempt,
        _: Outcome,
    ) -> Answer<'a, Result<(), SettleError>> {
        let answer = self.settles.lock().unwrap().pop().unwrap_or(Ok(()));
        Box::pin(async move { answer })
    }
}

const FIRST: Result<Receipt, SpendError> = Ok(Receipt { spent_at: NOW, sending: Sending::First });
const REPEAT: Result<Receipt, SpendError> = Ok(Receipt { spent_at: NOW, sending: Sending::Repeat });

async fn spend(script: &Arc<Script>) -> Result<farebox_verifier::Spent, Refusal> {
    let world = world();
    let verified = world.verify(world.mint(&grant()).expose(), &asked()).unwrap();
    verified.spend(&(Arc::clone(script) as Arc<dyn SpendStore>)).await
}

#[tokio::test]
async fn a_repeat_on_the_first_sending_is_already_spent() {
    let refused = spend(&script(&[REPEAT])).await;
    assert_eq!(refused.err(), Some(Refusal::AlreadySpent { first_spent: NOW }));
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again_with_the_same_attempt() {
    let script = script(&[Err(SpendError::InDoubt), REPEAT]);
    assert_eq!(spend(&script).await.map(|spent| spent.spent_at()), Ok(NOW));
    let attempts = script.attempts.lock().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0], attempts[1]);
}

#[tokio::test]
async fn no_answer_is_a_refusal_and_is_not_asked_for_without_end() {
    let script = script(&[]);
    assert_eq!(spend(&script).await.err(), Some(Refusal::StoreDown));
    assert_eq!(script.attempts.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn once_in_doubt_nobody_can_tell_whose_the_use_was() {
    let already = SpendError::AlreadySpent { first_spent: NOW };
    for second in [already, SpendError::Expired { now: NOW }, SpendError::Revoked] {
        let refused = spend(&script(&[Err(SpendError::InDoubt), Err(second)])).await;
        assert_eq!(refused.err(), Some(Refusal::StoreDown));
    }
}

#[tokio::test]
async fn each_execution_makes_an_attempt_of_its_own() {
    let script = script(&[FIRST, FIRST]);
    assert!(spend(&script).await.is_ok() && spend(&script).await.is_ok());
    let attempts = script.attempts.lock().unwrap();
    assert_ne!(attempts[0], attempts[1]);
}

#[tokio::test]
async fn what_a_store_refuses_has_its_own_code() {
    let refusals = [
        (SpendError::AlreadySpent { first_spent: NOW }, "already-spent"),
        (SpendError::Revoked, "revoked"),
        (SpendError::Expired { now: NOW }, "expired"),
        (SpendError::UnknownGrant, "unknown-grant"),
        (SpendError::Fenced, "fenced"),
        (SpendError::PredecessorUnsettled, "predecessor-unsettled"),
        (SpendError::Down, "store-down"),
    ];
    for (error, code) in refusals {
        let refused = spend(&script(&[Err(error)])).await;
        assert_eq!(refused.err().map(|refusal| refusal.code()), Some(code));
    }
}

#[tokio::test]
async fn a_report_that_was_not_taken_can_be_made_again() {
    let script = script(&[FIRST]);
    script.settles.lock().unwrap().push(Err(SettleError::Down));
    let spent = spend(&script).await.unwrap();
    let unsettled = spent.settle(Outcome::Void).await.unwrap_err();
    assert_eq!(unsettled.why(), SettleError::Down);
    assert_eq!(unsettled.again().await.unwrap().outcome(), Outcome::Void);
}

#[tokio::test]
async fn no_type_of_the_passage_shows_a_token_or_an_attempt() {
    let (world, script) = (world(), script(&[FIRST]));
    let token = world.mint(&grant());
    script.settles.lock().unwrap().push(Err(SettleError::Down));
    let presented = farebox_verifier::Presented::read(token.expose()).unwrap();
    let mut shown = format!("{presented:?} {token:?}");
    let verified = world.verifier.verify(presented, &asked().request()).unwrap();
    shown += &format!("{verified:?}");
    let spent = verified.spend(&(Arc::clone(&script) as Arc<dyn SpendStore>)).await.unwrap();
    shown += &format!("{spent:?}");
    let unsettled = spent.settle(Outcome::Failed).await.unwrap_err();
    shown += &format!("{unsettled:?} {:?}", unsettled.why());
    let attempt = script.attempts.lock().unwrap()[0];
    let attempt: String = attempt.iter().map(|byte| format!("{byte:02x}")).collect();
    // A part of the token would be as bad as the whole.
    let begin: String = token.expose().chars().take(40).collect();
    assert!(!shown.contains(&attempt) && !shown.contains(&begin), "{shown}");
}

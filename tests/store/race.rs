//! Races for one use: whatever many do at once, the answers are those of some order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farebox::limits::REPEATS_MAX;
use farebox::store::Found;
use farebox::store::event::{OldGrants, What};
use farebox_verifier::{
    Outcome, PolicyHash, Receipt, Selector, Sending, SettleError, SpendError, SpendStore, Ticket,
};
use tokio::task::JoinSet;

use super::draft::{Draft, agent, attempt, issue, issue_as, issue_spent, number, spend, tail};
use super::subject::Subject;

/// Spends by so many claimants at once, each with an attempt of its own.
fn claim(subject: &impl Subject, ticket: &Ticket, claimants: u32) -> JoinSet<Spend> {
    let ticket = Arc::new(ticket.clone());
    let mut racing = JoinSet::new();
    for claimant in 1..=claimants {
        let (spender, ticket) = (subject.spender(), Arc::clone(&ticket));
        racing.spawn(async move { spender.spend(&ticket, &attempt(claimant)).await });
    }
    racing
}

type Spend = Result<Receipt, SpendError>;

fn granted(answers: &[Spend]) -> usize {
    answers.iter().filter(|answer| answer.is_ok()).count()
}

pub(crate) async fn of_ten_thousand_claimants_one_gets_the_use(subject: &impl Subject) {
    let ticket = Arc::new(issue(subject).await);
    let mut tail = tail(subject).await;
    let mut racing = JoinSet::new();
    for claimant in 1..=10_000 {
        let (spender, ticket) = (subject.spender(), Arc::clone(&ticket));
        racing.spawn(async move { insist(&*spender, &ticket, claimant).await });
    }
    let answers = racing.join_all().await;
    let receipts: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    let first_spent = receipts[0].spent_at;
    let refused = Err(SpendError::AlreadySpent { first_spent });
    assert_eq!(answers.iter().filter(|answer| **answer == refused).count(), 9_999);
    let sequence = number(&ticket);
    let mut told = tail.fresh(subject).await;
    told.retain(|what| *what != What::Repeated { sequence });
    assert_eq!(told, [What::Spent { sequence }, What::Replayed { sequence }]);
}

/// Asks again while nobody can tell, as whoever has the time does: so many at once may be too many for
/// one deadline.
async fn insist(spender: &dyn SpendStore, ticket: &Ticket, claimant: u32) -> Spend {
    for _ in 0..50 {
        match spender.spend(ticket, &attempt(claimant)).await {
            Err(SpendError::InDoubt | SpendError::Down) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
    Err(SpendError::Down)
}

pub(crate) async fn of_one_attempt_sent_often_one_is_the_first(subject: &impl Subject) {
    for _ in 0..10 {
        let ticket = Arc::new(issue(subject).await);
        let mut racing = JoinSet::new();
        for _ in 0..=REPEATS_MAX {
            let (spender, ticket) = (subject.spender(), Arc::clone(&ticket));
            racing.spawn(async move { spender.spend(&ticket, &attempt(1)).await.unwrap() });
        }
        let receipts = racing.join_all().await;
        let first = receipts.iter().filter(|receipt| receipt.sending == Sending::First).count();
        assert_eq!(first, 1, "{receipts:?}");
        assert!(receipts.iter().all(|receipt| receipt.spent_at == receipts[0].spent_at));
    }
}

pub(crate) async fn a_grant_is_revoked_unspent_or_spent_and_never_both(subject: &impl Subject) {
    for _ in 0..100 {
        let ticket = issue(subject).await;
        let (store, selector) = (subject.store(), Selector::Grant(ticket.grant));
        let mut staff = JoinSet::new();
        staff.spawn(async move { store.revoke(&selector).await.unwrap().found });
        let answers = claim(subject, &ticket, 8).join_all().await;
        let found = staff.join_all().await[0].unwrap();
        let expected = match found {
            Found::Unspent => 0,
            Found::Spent => 1,
            other => panic!("{other:?}"),
        };
        assert_eq!(granted(&answers), expected, "{found:?}: {answers:?}");
        assert!(spend(subject, &ticket, 9).await.is_err());
    }
}

/// Grants are spent while `stop` is carried out; what is asked after its answer is refused, and so the
/// journal says.
async fn nothing_is_spent_after<F>(subject: &impl Subject, stop: F) -> Vec<What>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut tickets = Vec::new();
    for _ in 0..300 {
        tickets.push(issue(subject).await);
    }
    let mut tail = tail(subject).await;
    let stopped = Arc::new(AtomicBool::new(false));
    let mut racing = JoinSet::new();
    for (i, ticket) in tickets.into_iter().enumerate() {
        let (spender, stopped) = (subject.spender(), Arc::clone(&stopped));
        racing.spawn(async move {
            // Some begin before, some after.
            for _ in 0..i {
                tokio::task::yield_now().await;
            }
            let late = stopped.load(Ordering::SeqCst);
            let answer = spender.spend(&ticket, &attempt(1)).await;
            assert!(!late || answer == Err(SpendError::Revoked), "{answer:?}");
        });
    }
    let mut staff = JoinSet::new();
    staff.spawn(async move {
        stop.await;
        stopped.store(true, Ordering::SeqCst);
    });
    staff.join_all().await;
    racing.join_all().await;
    tail.fresh(subject).await
}

pub(crate) async fn nothing_is_spent_after_its_selector_was_revoked(subject: &impl Subject) {
    for selector in [agent(Draft::default().agent), Selector::All] {
        let (store, named) = (subject.store(), selector.clone());
        let told = nothing_is_spent_after(subject, async move {
            store.revoke(&named).await.unwrap();
        })
        .await;
        let stop = told.iter().position(|what| matches!(what, What::RevokedAll { .. })).unwrap();
        assert_eq!(told[stop + 1..], [], "{selector}");
    }
}

pub(crate) async fn nothing_of_the_old_set_is_spent_after_a_change(subject: &impl Subject) {
    let store = subject.store();
    let told = nothing_is_spent_after(subject, async move {
        let next = PolicyHash::from_bytes([6; 32]);
        assert!(store.set_policy(next, OldGrants::Revoked).await.unwrap().everywhere());
    })
    .await;
    let stop = told.iter().position(|what| matches!(what, What::PolicySet { .. })).unwrap();
    assert_eq!(told[stop + 1..], []);
}

pub(crate) async fn of_two_outcomes_one_is_settled(subject: &impl Subject) {
    for _ in 0..50 {
        let ticket = Arc::new(issue_spent(subject).await);
        let mut racing = JoinSet::new();
        for i in 0..8 {
            let (spender, ticket) = (subject.spender(), Arc::clone(&ticket));
            let outcome = if i % 2 == 0 { Outcome::Succeeded } else { Outcome::Failed };
            racing.spawn(
                async move { (outcome, spender.settle(&ticket, &attempt(1), outcome).await) },
            );
        }
        let answers = racing.join_all().await;
        let settled = answers.iter().find(|(_, answer)| answer.is_ok()).unwrap().0;
        for (outcome, answer) in answers {
            let conflict = Err(SettleError::Conflict { settled });
            assert_eq!(answer, if outcome == settled { Ok(()) } else { conflict });
        }
    }
}

pub(crate) async fn a_successor_is_spent_only_behind_its_predecessor(subject: &impl Subject) {
    for _ in 0..30 {
        let before = Arc::new(issue_spent(subject).await);
        let after = issue_as(subject, Draft::after([&*before])).await;
        let mut tail = tail(subject).await;
        let mut racing = claim(subject, &after, 8);
        let (spender, settled) = (subject.spender(), Arc::clone(&before));
        let mut handler = JoinSet::new();
        handler.spawn(async move {
            spender.settle(&settled, &attempt(1), Outcome::Succeeded).await.unwrap();
        });
        let mut answers = Vec::new();
        while let Some(answer) = racing.join_next().await {
            answers.push(answer.unwrap());
        }
        handler.join_all().await;
        assert!(granted(&answers) <= 1, "{answers:?}");
        let told = tail.fresh(subject).await;
        let at = |wanted: What| told.iter().position(|what| *what == wanted);
        let outcome = Outcome::Succeeded;
        let settled = at(What::Settled { sequence: number(&before), outcome }).unwrap();
        let spent = at(What::Spent { sequence: number(&after) });
        assert_eq!(spent.is_some(), granted(&answers) == 1, "{told:?}");
        assert!(spent.is_none_or(|spent| settled < spent), "{told:?}");
    }
}

//! How far somebody gets who has a verifier's password, and nothing else.
//!
//! He can write into journals. What he writes is nobody's event; what he cuts off is seen to be missing; and
//! no use that was taken is given again.

use farebox::limits::EVENTS_MAX;
use farebox::store::event::What;
use farebox::store::redis::acl::Role;
use farebox::store::{Found, GrantStore, JournalError};
use farebox_verifier::{Selector, Sending, SpendError};

use super::draft::{
    Draft, agent, issue, issue_as, issue_spent, living, number, revoke, revoke_one, spend, tail,
};
use super::ground::{Ground, as_role, ground, is_denied};

/// Writes an entry of this id behind all that is there.
fn write(ground: &Ground, journal: &str, id: &str, payload: &[u8]) {
    let words: [&[u8]; 5] = [b"XADD", journal.as_bytes(), id.as_bytes(), b"e", payload];
    let said = ground.as_verifier(&words);
    assert_eq!(said.text(), id);
}

/// An event as the functions would write it, but for the life's secret: sixteen bytes that one may guess.
fn forged(sequence: u64) -> Vec<u8> {
    let secret = [0x5a; 16];
    let at = [0_u8, 0, 0x6b, 0x49, 0xd2, 0];
    [&secret[..], b"s", &at, &sequence.to_be_bytes()[2..]].concat()
}

async fn is_spent_once(ground: &Ground, ticket: &farebox_verifier::Ticket) {
    assert_eq!(spend(ground, ticket, 1).await.unwrap().sending, Sending::First);
    let refused = spend(ground, ticket, 2).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_a_verifier_writes_is_nobodys_and_ends_the_life() {
    let ground = ground().await;
    let (spent, open) = (issue_spent(&ground).await, issue(&ground).await);
    let (journal, life, last) =
        (ground.journal().await, living(&ground).await, ground.last().await);
    let mut tail = tail(&ground).await;
    write(&ground, &journal, &format!("{}-0", last + 1), &forged(number(&open)));
    assert_eq!(tail.fresh(&ground).await, [], "without the secret it is no event");
    let listed = ground.fleet.read(open.grant).await.unwrap();
    assert_eq!(listed.standing, farebox::store::view::Standing::Issued);
    // Its number is taken, so nothing can be written down any more: the life is over.
    for ticket in [&open, &spent] {
        assert_eq!(spend(&ground, ticket, 1).await, Err(SpendError::Fenced));
    }
    assert_eq!(ground.fleet.tend().await, []);
    assert_ne!(living(&ground).await, life);
    assert_eq!(spend(&ground, &open, 1).await, Err(SpendError::Fenced));
    assert!(!ground.fleet.closed(&life).await, "it ended without a last word");
    is_spent_once(&ground, &issue(&ground).await).await;
}

/// Ids between two numbers are free to take. They move nothing, however many they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clutter_between_two_events_hides_nothing() {
    let ground = ground().await;
    let (spent, before) = (issue_spent(&ground).await, issue(&ground).await);
    let (journal, last) = (ground.journal().await, ground.last().await);
    let mut tail = tail(&ground).await;
    let mut verifier = as_role(&ground.redis, Role::Verifier);
    for n in 1..=EVENTS_MAX + 10 {
        let id = format!("{last}-{n}");
        let said = verifier.call(&["XADD", &journal, &id, "e", "clutter"]).unwrap();
        assert_eq!(said.text(), id);
    }
    let after = issue(&ground).await;
    is_spent_once(&ground, &before).await;
    let told = tail.fresh(&ground).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(spend(&ground, &spent, 1).await.unwrap().sending, Sending::Repeat);
    assert_eq!(revoke_one(&ground, &after).await, Found::Unspent);
}

/// Cut off, and covered with so many entries that one reading finds no event among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clutter_over_a_cut_hides_nothing_that_comes_later() {
    let ground = ground().await;
    let first = issue(&ground).await;
    assert!(ground.fleet.read(first.grant).await.is_some());
    issue(&ground).await;
    let (journal, last) = (ground.journal().await, ground.last().await);
    let mut verifier = as_role(&ground.redis, Role::Verifier);
    let most = (2 * EVENTS_MAX).to_string();
    for n in 1..=2 * EVENTS_MAX {
        let id = format!("{last}-{n}");
        let cut = ["XADD", &journal, "MAXLEN", &most, &id, "e", "clutter"];
        assert_eq!(verifier.call(&cut).unwrap().text(), id);
    }
    let later = issue(&ground).await;
    assert!(ground.fleet.read(later.grant).await.is_some(), "it is shown");
    assert_eq!(revoke_one(&ground, &later).await, Found::Unspent);
    assert_eq!(spend(&ground, &later, 1).await, Err(SpendError::Revoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_cut_undoes_nothing() {
    let ground = ground().await;
    let (spent, open, revoked) =
        (issue_spent(&ground).await, issue(&ground).await, issue(&ground).await);
    assert_eq!(revoke_one(&ground, &revoked).await, Found::Unspent);
    let (journal, life, last) =
        (ground.journal().await, living(&ground).await, ground.last().await);
    let cut = ["XADD", &journal, "MAXLEN", "0", &format!("{last}-1"), "e", "cut"];
    assert!(!ground.as_verifier(&cut).is_error());
    let refused = spend(&ground, &spent, 2).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    assert_eq!(spend(&ground, &revoked, 1).await, Err(SpendError::Revoked));
    is_spent_once(&ground, &open).await;
    // And it shows: the first event that is left is not the first that was.
    let left = ground.fleet.events(&life, 0).await.unwrap();
    assert!(left[0].number > last, "{left:?}");
    assert_eq!(left[0].what, What::Replayed { sequence: number(&spent) });
}

/// A revocation of many needs no journal to know whom it means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_cut_keeps_no_revocation_from_reaching() {
    let ground = ground().await;
    let unseen = issue(&ground).await;
    let (journal, last) = (ground.journal().await, ground.last().await);
    let cut = ["XADD", &journal, "MAXLEN", "0", &format!("{last}-1"), "e", "cut"];
    assert!(!ground.as_verifier(&cut).is_error());
    revoke(&ground, &agent("spiffe://acme/agents/billing")).await;
    assert_eq!(spend(&ground, &unseen, 1).await, Err(SpendError::Revoked));
}

/// One grant is found by the journal. Where that was cut before anybody has read of it, nobody says that it is
/// revoked; nor later, when more has happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_whose_registration_was_cut_off_is_not_said_to_be_revoked() {
    let ground = ground().await;
    let (known, unseen) = (issue(&ground).await, Draft { ttl_seconds: 90, ..Draft::default() });
    assert!(ground.fleet.read(known.grant).await.is_some());
    let (life, unseen) = (living(&ground).await, issue_as(&ground, unseen).await);
    let (journal, last) = (ground.journal().await, ground.last().await);
    let cut = ["XADD", &journal, "MAXLEN", "0", &format!("{last}-1"), "e", "cut"];
    assert!(!ground.as_verifier(&cut).is_error());
    for later in [false, true] {
        if later {
            let seen = issue(&ground).await;
            assert_eq!(revoke_one(&ground, &seen).await, Found::Unspent);
        }
        let revocation = ground.fleet.revoke(&Selector::Grant(unseen.grant)).await.unwrap();
        assert_eq!(revocation.found, Some(Found::Unknown));
        assert_eq!(revocation.reach.unreached[0].life, life);
        assert!(revocation.reach.unreached[0].until >= unseen.grant_end, "{revocation:?}");
    }
    // That would have been a lie.
    is_spent_once(&ground, &unseen).await;
}

/// He has no way to a journal's end, to that of an earlier life, or to any memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_reads_removes_and_opens_nothing() {
    let ground = ground().await;
    let ticket = issue_spent(&ground).await;
    let (journal, life) = (ground.journal().await, living(&ground).await);
    let ended = journal.replace(":j:", ":ended:");
    let packed = "x".repeat(128);
    let commands: [&[&str]; 14] = [
        &["XRANGE", &journal, "-", "+"],
        &["XREAD", "STREAMS", &journal, "0"],
        &["XTRIM", &journal, "MAXLEN", "0"],
        &["XDEL", &journal, "1-0"],
        &["DEL", &journal],
        &["RENAME", &journal, &ended],
        &["XADD", &ended, "*", "e", "x"],
        &["GET", "fb1:{00}:life"],
        &["SET", "fb1:{00}:life", "x"],
        &["FCALL", "fb1_state", "1", &journal, &packed],
        &["FCALL", "fb1_open", "1", "fb1:{00}:life", &packed],
        &["FCALL", "fb1_close", "1", &journal, &packed],
        &["FCALL", "fb1_policy", "1", &journal, &packed],
        &["FCALL", "fb1_trim", "1", &journal, &packed],
    ];
    for command in commands {
        let said = ground.as_verifier(command);
        assert!(is_denied(&said), "{command:?}: {}", said.text());
    }
    assert_eq!(living(&ground).await, life);
    assert_eq!(spend(&ground, &ticket, 1).await.unwrap().sending, Sending::Repeat);
}

/// The journal of a life that is over is out of his reach: what it says is still there for the drain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_of_an_earlier_life_is_kept_from_him() {
    let ground = ground().await;
    let (ticket, life) = (issue_spent(&ground).await, living(&ground).await);
    let journal = ground.journal().await;
    let before = ground.fleet.events(&life, 0).await.unwrap();
    write(&ground, &journal, "99999999-0", b"x");
    assert_eq!(spend(&ground, &ticket, 1).await, Err(SpendError::Fenced));
    assert_eq!(ground.fleet.tend().await, []);
    // A journal of the old name is nobody's, and is not what is read.
    write(&ground, &journal, "1-0", b"x");
    assert_eq!(ground.fleet.events(&life, 0).await.unwrap(), before);
    assert_eq!(spend(&ground, &ticket, 1).await, Err(SpendError::Fenced));
    let never = ground.fleet.events(&life, u64::MAX).await;
    assert_ne!(never, Err(JournalError::Gone));
}

/// He who holds the password of a verifier can spend what is presented to him, and so could his API. All
/// else that he is told is no.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_guessed_spend_nothing() {
    let ground = ground().await;
    let ticket = issue(&ground).await;
    let mut tail = tail(&ground).await;
    let journal = ground.journal().await;
    let mut verifier = as_role(&ground.redis, Role::Verifier);
    for guess in 0..200_u64 {
        // An attempt, the grant's number, a mark that is guessed, an end, and the scopes.
        let six = |number: u64| number.to_be_bytes()[2..].to_vec();
        let mark = six(guess.wrapping_mul(0x9e37_79b9_7f4a));
        let packed =
            [vec![7; 16], six(number(&ticket)), mark, six(1 << 40), vec![b's'; 48]].concat();
        let call: [&[u8]; 5] = [b"FCALL", b"fb1_spend", b"1", journal.as_bytes(), &packed];
        let said = verifier.call(&call).unwrap();
        let farebox_lab::Reply::Bulk(answer) = said else { panic!("{said:?}") };
        assert_eq!(answer[16], b'N', "{guess}");
    }
    let told = tail.fresh(&ground).await;
    assert_eq!(
        told,
        [What::Forged { sequence: number(&ticket) }],
        "told, and the journal not filled"
    );
    assert_eq!(revoke_one(&ground, &ticket).await, Found::Unspent);
    assert!(ground.fleet.revoke(&Selector::All).await.unwrap().reach.everywhere());
}

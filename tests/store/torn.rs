//! Journals on a real Redis that lose a part, an end, or their server: what is missing is said to be.

use std::sync::Arc;
use std::time::Duration;

use farebox::store::drain::{Drain, Gap, Round};
use farebox::store::event::What;
use farebox::store::{GrantStore, LifeId};
use farebox_lab::{Fsync, Options, Redis};
use farebox_verifier::redis::Topology;
use farebox_verifier::{Outcome, SpendError};

use super::archive::{Mood, Shelf};
use super::draft::{Draft, POLICY, SHORT, issue, issue_as, issue_spent, living, settle, spend};
use super::drain::drain;
use super::redis::{OnRedis, on};
use super::subject::{Ending as _, Subject as _};
use crate::fleet::{MovedClock, deploy, fleet, start, waits};

/// A store, a drain of it that has taken out all that there was, and what it has kept.
async fn drained(options: Options) -> (OnRedis, Drain, Arc<Shelf>) {
    let subject = on(options).await;
    let (mut drain, shelf) = drain(&subject);
    issue(&subject).await;
    assert_eq!(drain.round().await, Round { events: 3, ..Round::default() });
    (subject, drain, shelf)
}

impl OnRedis {
    async fn journal(&self) -> String {
        format!("fb1:{{00}}:j:{}", living(self).await.generation)
    }

    /// Journals of lives that are over, in the data set.
    fn leftovers(&self) -> String {
        self.redis.command(&["KEYS", "fb1:{00}:ended:*"]).text()
    }

    fn keys(&self) -> usize {
        let said = self.redis.command(&["DBSIZE"]).text();
        said.parse().unwrap()
    }

    /// The server has begun anew, and so does the store: in another life than this one.
    async fn begins_anew(&self, before: &LifeId) {
        deploy(self.redis.port()).await;
        let tended = async {
            while !self.store.tend().await.is_empty() || living(self).await == *before {
                self.store.knocked(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), tended).await.unwrap();
    }
}

async fn done(subject: &Arc<OnRedis>, what: impl FnOnce(&Redis) + Send + 'static) {
    let subject = Arc::clone(subject);
    tokio::task::spawn_blocking(move || what(&subject.redis)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_that_are_missing_are_said_to_be() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    for _ in 0..6 {
        issue(&subject).await;
    }
    let (journal, life) = (subject.journal().await, living(&subject).await);
    subject.redis.command(&["XDEL", &journal, "4-0", "6-0", "7-0"]);
    let round = drain.round().await;
    // Two of three are left of the grants, then two, then the lease.
    assert_eq!(round, Round { events: 4, gaps: 2, ..Round::default() });
    let missing = |from, to| (life.clone(), Gap::Missing { from, to });
    assert_eq!(shelf.gaps(), [missing(4, 4), missing(6, 7)]);
    assert_eq!(drain.round().await, Round::default(), "said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_cut_off_at_the_end_is_missing() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    issue_spent(&subject).await;
    let (journal, life) = (subject.journal().await, living(&subject).await);
    subject.redis.command(&["XTRIM", &journal, "MAXLEN", "0"]);
    let round = drain.round().await;
    assert_eq!(round, Round { events: 1, gaps: 1, ..Round::default() });
    assert_eq!(shelf.gaps(), [(life, Gap::Missing { from: 4, to: 5 })]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gap_that_is_not_kept_is_said_again() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    issue_spent(&subject).await;
    let (journal, life) = (subject.journal().await, living(&subject).await);
    subject.redis.command(&["XDEL", &journal, "4-0"]);
    shelf.is(Mood::Refuses);
    assert_eq!(drain.round().await, Round { failed: 1, lag: 3, ..Round::default() });
    assert_eq!(shelf.gaps(), []);
    shelf.is(Mood::Keeps);
    assert_eq!(drain.round().await, Round { events: 3, gaps: 1, ..Round::default() });
    assert_eq!(shelf.gaps(), [(life, Gap::Missing { from: 4, to: 4 })]);
}

/// What strangers write into a journal is in no archive, and its drain gets past it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_strangers_wrote_is_not_kept() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    let journal = subject.journal().await;
    for n in 1..2500 {
        let words = ["XADD", &journal, &format!("3-{n}"), "e", "clutter"];
        subject.redis.command(&words);
    }
    issue_spent(&subject).await;
    assert_eq!(drain.round().await, Round { events: 3, ..Round::default() });
    let numbers: Vec<u64> =
        shelf.events(&living(&subject).await).iter().map(|event| event.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(subject.redis.command(&["XLEN", &journal]).text(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_life_that_lost_its_journal_ended_without_a_last_word() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    let (ticket, life) = (issue_spent(&subject).await, living(&subject).await);
    subject.redis.flush();
    assert_eq!(spend(&subject, &ticket, 1).await, Err(SpendError::Fenced));
    assert_eq!(subject.store.tend().await, []);
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (1, 0, 0), "{round:?}");
    assert_eq!(shelf.gaps(), [(life, Gap::Ending { after: 3 })]);
    assert_eq!(subject.store.journals().await.unwrap().len(), 1);
    assert_eq!(drain.round().await.gaps, 0, "said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_empty_leaves_a_gap() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    let subject = Arc::new(subject);
    issue_spent(&*subject).await;
    let life = living(&*subject).await;
    done(&subject, Redis::restart).await;
    subject.begins_anew(&life).await;
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (1, 0, 0), "{round:?}");
    assert_eq!(shelf.gaps(), [(life, Gap::Ending { after: 3 })]);
    let later = shelf.after(&living(&*subject).await, 0);
    assert!(matches!(later[0], What::Opened { previous: None, .. }), "{later:?}");
}

/// The append-only file brings no grant back, and all that was told of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_with_its_journal_loses_no_event() {
    let (subject, mut drain, shelf) = drained(Options::plain().aof(Fsync::Always)).await;
    let subject = Arc::new(subject);
    let (ticket, life) = (issue_spent(&*subject).await, living(&*subject).await);
    settle(&*subject, &ticket, 1, Outcome::Failed).await.unwrap();
    let outstanding = issue(&*subject).await;
    done(&subject, Redis::restart).await;
    subject.begins_anew(&life).await;
    let round = drain.round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (1, 0, 0), "{round:?}");
    assert_eq!(shelf.after(&life, 3).len(), 4);
    // What came after it, if anything, nobody knows.
    assert_eq!(shelf.gaps(), [(life, Gap::Ending { after: 7 })]);
    assert!(spend(&*subject, &outstanding, 1).await.is_err());
    assert_eq!(subject.store.journals().await.unwrap().len(), 1);
    assert_eq!(subject.keys(), 2, "a pointer and a journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_life_that_is_over_leaves_no_key_behind() {
    let (subject, mut drain, _) = drained(Options::plain()).await;
    // One that has something to say, and one that was drained to its end but for its last word.
    for _ in 0..2 {
        subject.end().await;
        assert_eq!(subject.keys(), 3);
        assert_eq!(drain.round().await.failed, 0);
        assert_eq!((subject.keys(), subject.leftovers()), (2, String::new()));
    }
    // And one that had nothing more to say at all.
    let life = living(&subject).await;
    subject.redis.command(&["FUNCTION", "DELETE", "farebox_1"]);
    subject.begins_anew(&life).await;
    assert_eq!(subject.keys(), 3);
    assert_eq!(drain.round().await.failed, 0);
    assert_eq!(subject.keys(), 2);
}

/// Until another life begins, its journal has the name that it lived under.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_life_is_not_forgotten_before_another_has_begun() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    let life = living(&subject).await;
    subject.store.close().await;
    for _ in 0..2 {
        let round = drain.round().await;
        assert_eq!((round.failed, round.gaps), (1, 0), "{round:?}");
        assert_eq!(subject.store.journals().await.unwrap().len(), 1);
    }
    assert_eq!(shelf.after(&life, 3), [What::Closed]);
    assert_eq!(subject.store.tend().await, []);
    let round = drain.round().await;
    assert_eq!((round.failed, round.gaps, round.lag), (0, 0, 0), "{round:?}");
    assert_eq!(subject.store.journals().await.unwrap().len(), 1);
    assert_eq!(subject.keys(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_away_for_a_while_is_no_gap() {
    let (subject, mut drain, shelf) = drained(Options::plain()).await;
    let subject = Arc::new(subject);
    let ticket = issue_spent(&*subject).await;
    done(&subject, Redis::freeze).await;
    let round = drain.round().await;
    assert_eq!((round.failed, round.gaps, round.events), (1, 0, 0), "{round:?}");
    done(&subject, Redis::resume).await;
    let mut round = drain.round().await;
    while round.failed > 0 {
        round = drain.round().await;
    }
    assert_eq!((round.gaps, round.lag), (0, 0));
    let kept: Vec<u64> =
        shelf.events(&living(&*subject).await).iter().map(|event| event.number).collect();
    assert_eq!(kept, (1..=u64::try_from(kept.len()).unwrap()).collect::<Vec<_>>());
    assert!(spend(&*subject, &ticket, 1).await.is_ok());
}

/// A cut takes from the view that a grant was settled. That it is due comes to an end all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_whose_outcome_was_cut_off_does_not_keep_the_drain() {
    let (subject, mut drain, _) = drained(Options::plain()).await;
    let ticket = issue_as(&subject, Draft::short()).await;
    assert!(subject.store.read(ticket.grant).await.is_some());
    spend(&subject, &ticket, 1).await.unwrap();
    settle(&subject, &ticket, 1, Outcome::Succeeded).await.unwrap();
    subject.redis.command(&["XTRIM", &subject.journal().await, "MAXLEN", "0"]);
    subject.pass(SHORT).await;
    let round = tokio::time::timeout(Duration::from_secs(20), drain.round()).await.unwrap();
    assert_eq!((round.failed, round.lag, round.gaps), (0, 0, 1), "{round:?}");
}

/// Whoever waits to take over shows how much there is to take over.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_issuer_that_does_not_drain_knows_what_is_left() {
    let (subject, mut drain, _) = drained(Options::plain()).await;
    let clock = Arc::new(MovedClock::default());
    let ports = [subject.redis.port()];
    let second = Arc::new(fleet(Topology::Single, &ports, waits(), clock, POLICY));
    assert_eq!(second.tend().await, []);
    let shelf = Arc::new(Shelf::default());
    let mut waiting = Drain::new(second, Arc::clone(&shelf) as _, "issuer-2", 1);
    assert_eq!(waiting.round().await, Round { others: 1, ..Round::default() });
    issue_spent(&subject).await;
    assert_eq!(waiting.round().await, Round { others: 1, lag: 2, ..Round::default() });
    assert_eq!(drain.round().await.lag, 0);
    assert_eq!(waiting.round().await, Round { others: 1, ..Round::default() });
}

/// An address that is turned to another server and back: the life there goes on, and is drained again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_life_that_is_found_again_is_drained_again() {
    let other = on(Options::plain()).await;
    let (a, b) = (start(Options::plain()).await, start(Options::plain()).await);
    let door = farebox_lab::Proxy::before(a.address());
    let clock = Arc::new(MovedClock::default());
    let store = Arc::new(fleet(Topology::Single, &[door.port()], waits(), clock, POLICY));
    assert_eq!(store.tend().await, []);
    store.register(&Draft::default().registration(&other)).await.unwrap();
    let living = async || {
        let journals = store.journals().await.unwrap();
        journals.into_iter().find(|journal| journal.living).map(|journal| journal.life)
    };
    let first = living().await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let mut drain = Drain::new(Arc::clone(&store) as _, Arc::clone(&shelf) as _, "issuer-1", 1);
    assert_eq!(drain.round().await.failed, 0);
    door.turn_to(b.address());
    door.cut();
    while living().await.is_none_or(|life| life == first) {
        store.tend().await;
        store.knocked(Duration::from_millis(5)).await;
    }
    drain.round().await;
    door.turn_to(a.address());
    door.cut();
    let found = async {
        while living().await.as_ref() != Some(&first) {
            store.tend().await;
            store.knocked(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap();
    assert_eq!(drain.round().await.lag, 0);
}

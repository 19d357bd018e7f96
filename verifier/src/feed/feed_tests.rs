//! The follower against whoever brings it what was signed, and what was not.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::attempt::Attempt;
use crate::clock::{ManualClock, UnixSeconds};
use crate::crypto;
use crate::grant::{GrantId, Mark, PolicyHash, Seat, Seats, Shard};
use crate::key::PublicKey;
use crate::limits;
use crate::local::Local;
use crate::name::{Action, Agent, Audience, StoreName};
use crate::refusal::Refusal;
use crate::selector::Selector;
use crate::store::{SpendError, SpendStore as _, Ticket};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const STALE: u64 = 5;
const SEED: [u8; 32] = [7; 32];

fn public(seed: &[u8; 32]) -> PublicKey {
    PublicKey::from_bytes(crypto::public_of(seed).unwrap()).unwrap()
}

fn jws(seed: &[u8; 32], what: &str, payload: &str) -> String {
    let head = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{what}"}}"#, public(seed));
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(payload));
    let signature = crypto::sign(seed, message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// An issuer's feed: its events, and what it signs of them.
#[derive(Clone)]
struct Feed {
    epoch: u8,
    events: Vec<Event>,
}

impl Feed {
    /// Revocations of so many agents, one each second.
    fn of(count: u64) -> Feed {
        let agent = |n| Selector::Agent(Agent::parse(&format!("key:a{n}")).unwrap());
        let event = |n| Event {
            number: n,
            at: UnixSeconds(NOW.0 - count + n),
            word: Word::Revoked,
            selector: agent(n),
        };
        Feed { epoch: 1, events: (1..=count).map(event).collect() }
    }

    fn upto(&self, count: usize) -> Feed {
        Feed { events: self.events[..count].to_vec(), ..self.clone() }
    }

    fn payload(&self, at: UnixSeconds) -> String {
        let digest = self.events.iter().fold(FeedDigest::NONE, |digest, event| digest.then(event));
        let epoch = Epoch::from_bytes([self.epoch; 16]);
        let number = self.events.len();
        format!(r#""epoch":"{epoch}","number":{number},"digest":"{digest}","iat":{}"#, at.0)
    }

    fn head(&self, at: UnixSeconds) -> String {
        jws(&SEED, HEAD_TYPE, &format!("{{{}}}", self.payload(at)))
    }

    fn lines(&self) -> Vec<String> {
        self.events.iter().map(ToString::to_string).collect()
    }

    fn snapshot(&self, at: UnixSeconds) -> String {
        let lines = self.lines();
        let state = FeedDigest::of_snapshot(lines.iter().map(String::as_str));
        let payload = format!(r#"{{{},"state":"{state}"}}"#, self.payload(at));
        let head = jws(&SEED, SNAPSHOT_TYPE, &payload);
        format!(r#"{{"head":"{head}","snapshot":"{}"}}"#, lines.join("\\n"))
    }

    /// What comes behind so many events.
    fn after(&self, known: usize, at: UnixSeconds) -> String {
        document(&self.head(at), &self.lines()[known..])
    }
}

fn document(head: &str, lines: &[String]) -> String {
    format!(r#"{{"head":"{head}","events":"{}"}}"#, lines.join("\\n"))
}

fn follower() -> Follower {
    Follower::new(vec![public(&SEED)], STALE)
}

/// One that has taken a snapshot of this feed.
fn begun(feed: &Feed) -> Follower {
    let follower = follower();
    assert_eq!(follower.take(feed.snapshot(NOW).as_bytes(), NOW), Ok(()));
    follower
}

fn took(follower: &Follower, document: &str) -> Result<(), FeedError> {
    follower.take(document.as_bytes(), NOW)
}

/// A grant of this agent, minted at this time.
fn ticket(agent: &str, minted: UnixSeconds) -> Ticket {
    Ticket {
        grant: GrantId::from_bytes([9; 16]),
        not_before: minted.minus(limits::BACKDATE_SECONDS),
        end: minted.plus(60),
        grant_end: minted.plus(60),
        mark: Mark::from_bytes([0; 6]),
        stores: None,
        key_id: 1,
        agent: Agent::parse(agent).unwrap(),
        workflow: None,
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        policy: PolicyHash::from_bytes([3; 32]),
    }
}

fn said(follower: &Follower, agent: &str, minted: UnixSeconds, now: UnixSeconds) -> &'static str {
    match follower.covers(&ticket(agent, minted), now) {
        Ok(()) => "taken",
        Err(refusal) => refusal.code(),
    }
}

#[test]
fn what_was_minted_up_to_its_second_is_revoked_and_nothing_later() {
    let follower = begun(&Feed::of(3));
    assert_eq!(said(&follower, "key:a3", NOW, NOW), "revoked");
    assert_eq!(said(&follower, "key:a3", NOW.plus(1), NOW.plus(1)), "taken");
    assert_eq!(said(&follower, "key:a4", NOW, NOW), "taken");
    assert_eq!(follower.cursor(), Some(format!("{}.3", "01".repeat(16))));
}

#[test]
fn every_selector_is_heeded() {
    let ticket = ticket("key:a", NOW);
    for (kind, value) in [
        ("grant", ticket.grant.to_string()),
        ("agent", "key:a".to_owned()),
        ("audience", "payments-api".to_owned()),
        ("action", "payments.transfer".to_owned()),
        ("policy", ticket.policy.to_string()),
        ("key", "1".to_owned()),
        ("all", String::new()),
    ] {
        let selector = Selector::parse(kind, &value).unwrap();
        let event = Event { number: 1, at: NOW, word: Word::Revoked, selector };
        let follower = begun(&Feed { epoch: 1, events: vec![event] });
        assert_eq!(follower.covers(&ticket, NOW), Err(Refusal::Revoked), "{kind}");
    }
}

#[test]
fn whoever_hears_nothing_refuses_everything_after_its_limit() {
    assert_eq!(said(&follower(), "key:b", NOW, NOW), "feed-stale");
    let follower = begun(&Feed::of(1));
    assert_eq!(said(&follower, "key:b", NOW, NOW.plus(STALE)), "taken");
    assert_eq!(said(&follower, "key:b", NOW, NOW.plus(STALE + 1)), "feed-stale");
    // Old news of a revocation is news all the same; of a clock that was set back nobody knows how much passed.
    assert_eq!(said(&follower, "key:a1", NOW, NOW.plus(STALE + 1)), "revoked");
    assert_eq!(said(&follower, "key:b", NOW, NOW.minus(1)), "feed-stale");
    // It comes back with the next head.
    let later = NOW.plus(STALE + 1);
    let head = Feed::of(1).after(1, later);
    assert_eq!(follower.take(head.as_bytes(), later), Ok(()));
    assert_eq!(said(&follower, "key:b", NOW, later), "taken");
}

#[test]
fn a_head_that_is_held_up_makes_nobody_fresh() {
    let feed = Feed::of(1);
    let (follower, head) = (begun(&feed), feed.after(1, NOW));
    let late = NOW.plus(STALE + 1);
    assert_eq!(follower.take(head.as_bytes(), late), Ok(()));
    assert_eq!(said(&follower, "key:b", NOW, late), "feed-stale");
    // Nor does one that an issuer made whose clock is ahead.
    let ahead = feed.after(1, NOW.plus(20));
    assert_eq!(took(&follower, &ahead), Ok(()));
    assert_eq!(said(&follower, "key:b", NOW, late), "feed-stale");
    let future = feed.after(1, NOW.plus(31));
    assert_eq!(took(&follower, &future), Err(FeedError::Future));
}

#[test]
fn events_that_are_missing_moved_or_made_up_are_refused() {
    let feed = Feed::of(5);
    let follower = begun(&feed.upto(1));
    let (head, lines) = (feed.head(NOW), feed.lines());
    let [second, third] = [&lines[1..], &lines[2..]];
    assert_eq!(took(&follower, &document(&head, third)), Err(FeedError::Gap { wanted: 2 }));
    let cut = document(&head, &lines[1..4]);
    assert_eq!(took(&follower, &cut), Err(FeedError::Gap { wanted: 5 }));
    assert_eq!(took(&follower, &document(&head, &[])), Err(FeedError::Gap { wanted: 2 }));
    let mut moved = second.to_vec();
    moved.swap(1, 2);
    assert_eq!(took(&follower, &document(&head, &moved)), Err(FeedError::Gap { wanted: 3 }));
    let mut other = second.to_vec();
    other[0] = other[0].replace("key:a2", "key:b2");
    assert_eq!(took(&follower, &document(&head, &other)), Err(FeedError::Digest));
    let more = [second, &["6 1800000000 lifted all".to_owned()]].concat();
    assert_eq!(took(&follower, &document(&head, &more)), Err(FeedError::Digest));
    // Nothing of it was taken.
    assert_eq!(said(&follower, "key:a2", NOW, NOW), "taken");
    assert_eq!(took(&follower, &document(&head, second)), Ok(()));
    assert_eq!(said(&follower, "key:a2", UnixSeconds(NOW.0 - 3), NOW), "revoked");
}

#[test]
fn nobody_goes_back() {
    let feed = Feed::of(3);
    let follower = begun(&feed);
    let back = FeedError::Back { known: 3, number: 2 };
    assert_eq!(took(&follower, &feed.upto(2).after(2, NOW)), Err(back));
    assert_eq!(took(&follower, &feed.upto(2).snapshot(NOW)), Err(back));
    let earlier = NOW.minus(1);
    assert_eq!(took(&follower, &feed.after(3, earlier)), Err(FeedError::Older));
    assert_eq!(took(&follower, &feed.snapshot(earlier)), Err(FeedError::Older));
    // Two chains of one length: one of them was made afterwards.
    let mut fork = feed.clone();
    fork.events[2].at = NOW.minus(9);
    assert_eq!(took(&follower, &fork.after(3, NOW)), Err(FeedError::Digest));
    assert_eq!(took(&follower, &fork.snapshot(NOW)), Err(FeedError::Digest));
}

#[test]
fn another_epoch_begins_with_a_snapshot_and_takes_nothing_back() {
    let follower = begun(&Feed::of(3));
    let other = Feed { epoch: 2, ..Feed::of(1) };
    assert_eq!(took(&follower, &other.after(0, NOW)), Err(FeedError::Epoch));
    assert_eq!(took(&self::follower(), &other.after(0, NOW)), Err(FeedError::Epoch));
    assert_eq!(took(&follower, &other.snapshot(NOW)), Ok(()));
    assert_eq!(said(&follower, "key:a3", NOW, NOW), "revoked");
    // The epoch before does not come again: its heads are older than those of this one.
    let later = NOW.plus(1);
    assert_eq!(follower.take(other.after(1, later).as_bytes(), later), Ok(()));
    assert_eq!(took(&follower, &Feed::of(9).snapshot(NOW)), Err(FeedError::Older));
}

#[test]
fn only_a_pinned_key_is_believed_and_only_for_its_purpose() {
    let feed = Feed::of(2);
    let follower = begun(&feed.upto(1));
    let payload = format!("{{{}}}", feed.payload(NOW));
    let by = |seed: u8| document(&jws(&[seed; 32], HEAD_TYPE, &payload), &feed.lines()[1..]);
    assert_eq!(took(&follower, &by(8)), Err(FeedError::UnknownKey));
    // A key that is pinned no more is no other.
    let rotated = Follower::new(vec![public(&[8; 32])], STALE);
    assert_eq!(took(&rotated, &feed.snapshot(NOW)), Err(FeedError::UnknownKey));
    // Two are trusted while one is exchanged for the other.
    let both = Follower::new(vec![public(&[8; 32]), public(&SEED)], STALE);
    assert_eq!(took(&both, &feed.upto(1).snapshot(NOW)), Ok(()));
    assert_eq!(took(&both, &by(8)), Ok(()));
    let good = feed.head(NOW);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = feed.head(NOW.plus(1));
    let mixed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(took(&follower, &document(&mixed, &feed.lines()[1..])), Err(FeedError::Signature));
    assert_eq!(took(&follower, &document(message, &[])), Err(FeedError::Malformed));
    // What was signed as something else is no head, and a head is no snapshot.
    let another = jws(&SEED, "farebox-decision+jws", &payload);
    assert_eq!(took(&follower, &document(&another, &feed.lines()[1..])), Err(FeedError::Malformed));
    let lines = feed.lines().join("\\n");
    let shown = format!(r#"{{"head":"{good}","snapshot":"{lines}"}}"#);
    assert_eq!(took(&follower, &shown), Err(FeedError::Malformed));
}

#[test]
fn a_snapshot_is_what_was_signed_line_by_line() {
    let feed = Feed::of(3);
    let whole = feed.snapshot(NOW);
    for line in feed.lines() {
        let without = whole.replace(&format!("{line}\\n"), "").replace(&format!("\\n{line}"), "");
        assert_eq!(took(&follower(), &without), Err(FeedError::Digest), "{line}");
    }
    for text in ["", "{}", "[]", r#"{"head":1}"#, r#"{"head":"a.b.c","events":""}"#] {
        assert_eq!(took(&follower(), text), Err(FeedError::Malformed), "{text}");
    }
}

#[test]
fn an_event_has_one_spelling() {
    for line in ["7 1800000000 revoked agent key:ci", "8 1 blocked all", "9 0 lifted key 7"] {
        assert_eq!(Event::parse(line).unwrap().to_string(), line);
    }
    for line in ["7 1 revoked", "07 1 revoked all", "7 1 revoked all ", "7 1 revoked key 07"] {
        assert_eq!(Event::parse(line), None, "{line}");
    }
    assert_eq!(Event::parse("7 1 gone all"), None);
}

#[test]
fn a_block_refuses_what_nobody_may_have_minted_until_it_is_lifted() {
    let all = |number, word| Event { number, at: NOW, word, selector: Selector::All };
    let mut feed = Feed { epoch: 1, events: vec![all(1, Word::Blocked)] };
    let follower = begun(&feed);
    assert_eq!(said(&follower, "key:b", NOW, NOW), "taken");
    assert_eq!(said(&follower, "key:b", NOW.plus(1), NOW.plus(1)), "revoked");
    feed.events.push(all(2, Word::Lifted));
    assert_eq!(took(&follower, &feed.after(1, NOW)), Ok(()));
    assert_eq!(said(&follower, "key:b", NOW.plus(1), NOW.plus(1)), "taken");
}

#[test]
fn revocations_are_forgotten_when_no_token_is_left_and_folded_when_there_are_too_many() {
    let mut standing = Standing::default();
    Feed::of(10).events.into_iter().for_each(|event| standing.apply(event));
    let lives = limits::TTL_SECONDS_MAX + limits::BACKDATE_SECONDS;
    standing.forget(NOW.plus(lives));
    assert_eq!(standing.events().len(), 1);
    standing.forget(NOW.plus(lives + 1));
    assert_eq!(standing.events().len(), 0);
    Feed::of(10).events.into_iter().for_each(|event| standing.apply(event));
    standing.fold(4);
    let kept: Vec<String> = standing.events().iter().map(ToString::to_string).collect();
    assert_eq!(kept[0], format!("7 {} revoked all", NOW.0 - 3));
    assert_eq!(kept.len(), 4);
    // Whoever was covered before is covered still.
    for event in Feed::of(10).events {
        assert!(standing.covers(&ticket(&event.selector.value(), event.at)), "{event}");
    }
}

#[test]
fn whatever_is_dropped_moved_or_repeated_is_refused_or_changes_nothing() {
    // A small generator: the crate has no random numbers that a test could repeat.
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 1_000_003).unwrap() % below
    };
    let (feed, mut taken) = (Feed::of(12), 0);
    let whole = begun(&feed);
    for _ in 0..2_000 {
        let known = random(12);
        let mut lines = feed.lines()[known..].to_vec();
        for _ in 0..random(3) {
            let (a, b) = (random(lines.len().max(1)), random(lines.len().max(1)));
            match random(3) {
                0 if !lines.is_empty() => drop(lines.remove(a)),
                1 if !lines.is_empty() => lines.swap(a, b),
                _ => lines.insert(a.min(lines.len()), feed.lines()[b].clone()),
            }
        }
        let follower = begun(&feed.upto(known));
        let same = lines == feed.lines()[known..];
        let came = took(&follower, &document(&feed.head(NOW), &lines));
        assert_eq!(came.is_ok(), same, "{lines:?}");
        for n in 1..=12_usize {
            let agent = format!("key:a{n}");
            let minted = UnixSeconds(NOW.0 - 12 + u64::try_from(n).unwrap());
            let expected = if same || n <= known { "revoked" } else { "taken" };
            assert_eq!(said(&follower, &agent, minted, NOW), expected);
            assert_eq!(said(&whole, &agent, minted, NOW), "revoked");
        }
        taken += usize::from(same);
    }
    assert!(taken > 100 && taken < 1_900, "{taken}");
}

#[test]
fn a_store_of_one_process_heeds_the_feed_that_it_follows() {
    let feed = Arc::new(follower());
    let clock = Arc::new(ManualClock::at(NOW));
    let store = StoreName::parse("here").unwrap();
    let local = Local::new(store.clone(), Arc::clone(&clock) as _).following(Arc::clone(&feed));
    let seat = Seat { store, shard: Shard::only(), generation: local.boot().unwrap(), sequence: 1 };
    let spend = |agent: &str, grant: u8| {
        let grant = GrantId::from_bytes([grant; 16]);
        let stores = Some(Seats::new(1, vec![seat.clone()]).unwrap());
        let ticket = Ticket { grant, stores, ..ticket(agent, NOW) };
        let attempt = Attempt::fresh().unwrap();
        let mut spending = local.spend(&ticket, &attempt);
        let Poll::Ready(came) = spending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("it waits for nothing")
        };
        came.map(drop)
    };
    assert_eq!(spend("key:b", 1), Err(SpendError::Down));
    assert_eq!(took(&feed, &Feed::of(1).snapshot(NOW)), Ok(()));
    assert_eq!(spend("key:b", 1), Ok(()));
    assert_eq!(spend("key:a1", 2), Err(SpendError::Revoked));
    clock.advance(STALE + 1);
    assert_eq!(spend("key:b", 3), Err(SpendError::Down));
}

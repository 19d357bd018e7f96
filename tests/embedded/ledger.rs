//! The ledger: durable before it answers, in a file of its own or in a store's, and a journal of what it was
//! told.

use std::sync::Arc;

use farebox::log;
use farebox::store::budget::{BudgetKey, Hold, HoldId};
use farebox::store::desk::{
    Body, Caller, Claimed, Decision, DecisionSignature, DeskWhat, EventSecret, Group, HoldEnd,
    KeyClaim, KeyError, LifeEnd, Need, Needs, Owner, Proposal, Reason, RequestFilter, RequestHash,
    RequestState, Verdict,
};
use farebox::store::event::Description;
use farebox::store::{Ledger, LifeId, OpenError};
use farebox_verifier::{
    Audience, Generation, PolicyHash, Resource, Selector, Shard, StoreName, UnixSeconds,
};
use tokio::task::JoinSet;

use super::scene::{Dice, NOW, Scene, close, id, registration};
use super::told::claim;

fn open(scene: &Scene) -> Ledger {
    Ledger::open(&scene.folder().join("ledger"), Arc::clone(&scene.clock) as _).unwrap()
}

fn caller(name: &str) -> Caller {
    Caller::parse(name).unwrap()
}

fn reason() -> Reason {
    Reason::parse("as agreed on the phone").unwrap()
}

fn generation(byte: u8) -> Generation {
    Generation::from_bytes([byte; 16])
}

fn life(byte: u8) -> LifeId {
    let store = StoreName::parse("r1").unwrap();
    LifeId { store, shard: Shard::only(), generation: generation(byte) }
}

fn secret() -> EventSecret {
    EventSecret::from_bytes([0x5e; 16])
}

pub(super) fn proposal(number: u64, until: UnixSeconds) -> Proposal {
    let ticket = registration(number, NOW).ticket;
    Proposal {
        grant: id(number),
        requester: caller("key:orchestrator"),
        owner: Owner::parse("olivia").unwrap(),
        agent: ticket.agent,
        workflow: ticket.workflow,
        plan: None,
        audience: ticket.audience,
        action: ticket.action,
        resource: Resource::parse("invoice/inv-7").unwrap(),
        policy: PolicyHash::from_bytes([9; 32]),
        request: RequestHash([7; 32]),
        needs: Needs::new(vec![Need { group: Group::parse("finance").unwrap(), count: 1 }])
            .unwrap(),
        until,
        body: Body::new(b"{\"amount\":480000}").unwrap(),
    }
}

fn approval() -> Decision {
    Decision {
        approver: caller("oidc:corp:ann"),
        owner: Owner::parse("ann").unwrap(),
        group: Group::parse("finance").unwrap(),
        verdict: Verdict::Approve,
        reason: reason(),
        signature: DecisionSignature::new(&[7; 64]).unwrap(),
    }
}

fn hold(number: u64) -> Hold {
    let budget = BudgetKey::of("payments", "billing", 86_400);
    let from = UnixSeconds(NOW.0 - NOW.0 % 86_400);
    let caller = Selector::Key(1).scope();
    let id = HoldId::of(id(number), budget);
    Hold { id, budget, caller, amount: 480_000, from, to: from.plus(86_400) }
}

fn description(number: u64) -> Description {
    Description::of(&registration(number, NOW), Vec::new())
}

/// Everything that an issuer asks of its ledger, once.
async fn everything(ledger: &Ledger) {
    requests(ledger).await;
    switches(ledger).await;
    stores(ledger).await;
    ledger.begin_hold(id(9), hold(9)).await.unwrap();
    ledger.begin_hold(id(10), hold(10)).await.unwrap();
    ledger.end_hold(id(10), hold(10).id, HoldEnd::GivenBack).await.unwrap();
}

async fn requests(ledger: &Ledger) {
    assert_eq!(ledger.claim_key(&claim(1)).await, Ok(Claimed::Fresh));
    let key = claim(1).key;
    ledger.renew_key(&key, id(1), id(2)).await.unwrap();
    ledger.propose(&proposal(3, NOW.plus(3_600))).await.unwrap();
    let state = ledger.decide(id(3), approval()).await.unwrap();
    assert_eq!(state, RequestState::Approved);
    ledger.collect(id(3), id(4)).await.unwrap();
    ledger.collect_again(id(3), id(4), id(5)).await.unwrap();
    assert_eq!(ledger.withdraw(id(3), &caller("key:orchestrator")).await, Ok(Some(id(5))));
}

async fn switches(ledger: &Ledger) {
    for number in [6, 7] {
        ledger.propose(&proposal(number, NOW.plus(3_600))).await.unwrap();
    }
    let swept = ledger.cancel(&Selector::Grant(id(6)), &caller("sue"), &reason()).await.unwrap();
    assert_eq!((swept.taken, swept.left), (1, 0));
    assert_eq!(ledger.expire().await.unwrap().taken, 0);
    ledger.block(&Selector::Key(9), &caller("sue"), &reason()).await.unwrap();
    ledger.block(&Selector::Key(8), &caller("sue"), &reason()).await.unwrap();
    ledger.lift(&Selector::Key(8), &caller("sue")).await.unwrap();
}

async fn stores(ledger: &Ledger) {
    let (local, api) = (StoreName::parse("local").unwrap(), description(1).audience);
    ledger.announce(&local, &api, generation(1)).await.unwrap();
    assert_eq!(ledger.next_seat(&local, &description(8)).await.unwrap().sequence, 1);
    let gone = StoreName::parse("gone").unwrap();
    ledger.announce(&gone, &Audience::parse("gone-api").unwrap(), generation(2)).await.unwrap();
    ledger.dismiss(&gone).await.unwrap();
    ledger.open_life(&life(1), &secret()).await.unwrap();
    ledger.open_life(&life(2), &secret()).await.unwrap();
    let until = ledger.extend_life(generation(1), NOW.plus(60)).await.unwrap();
    assert!(until >= NOW.plus(60));
    ledger.advance(generation(1), 17).await.unwrap();
    ledger.end_life(generation(2), LifeEnd::Drained).await.unwrap();
    ledger.drop_life(generation(2)).await.unwrap();
}

/// All that a ledger shows, but for what it was asked just now.
fn picture(ledger: &Ledger) -> String {
    let requests = ledger.requests(&RequestFilter::default(), 0, 500);
    let behind = ledger.request_behind(id(5)).map(|request| request.proposal.grant);
    let holds = (ledger.holds(), ledger.holds_of(id(10)));
    let boot = ledger.boot(&StoreName::parse("local").unwrap());
    let lives = (ledger.lives(), ledger.life(generation(1)));
    format!(
        "{requests:#?} {behind:?} {:?} {:?} {:?} {holds:?} {boot:?} {:?} {lives:?} {:?}",
        ledger.request(id(3)),
        ledger.request_counts(),
        ledger.blocks(),
        ledger.boots(),
        ledger.journal(),
    )
}

#[tokio::test]
async fn what_it_answered_is_there_after_any_start() {
    for (rewritten, closed) in [(false, false), (false, true), (true, false), (true, true)] {
        let scene = Scene::new();
        let ledger = open(&scene);
        everything(&ledger).await;
        let (before, events) = (picture(&ledger), ledger.events(0).await.unwrap());
        if rewritten {
            ledger.compact().await.unwrap();
        }
        if closed {
            ledger.close().await.unwrap();
            assert_eq!(ledger.claim_key(&claim(70)).await, Err(KeyError::Down));
        }
        drop(ledger);
        let ledger = open(&scene);
        assert_eq!(picture(&ledger), before);
        assert_eq!(ledger.events(0).await.unwrap(), events);
        assert!(ledger.life(generation(1)).unwrap().secret == secret());
        // It goes on with numbers that were not given.
        let local = StoreName::parse("local").unwrap();
        assert_eq!(ledger.next_seat(&local, &description(11)).await.unwrap().sequence, 2);
        let claimed = ledger.claim_key(&KeyClaim { grant: id(99), ..claim(1) }).await;
        assert!(
            matches!(claimed, Ok(Claimed::Same { grant, .. }) if grant == id(2)),
            "{claimed:?}"
        );
    }
}

#[tokio::test]
async fn it_is_spoken_to_alike_wherever_it_is_kept() {
    let scene = Scene::new();
    let own = open(&scene);
    let store = scene.open();
    let nowhere = Ledger::in_memory(Arc::clone(&scene.clock) as _);
    for ledger in [&own, store.ledger(), &nowhere] {
        everything(ledger).await;
        assert!(ledger.trouble().is_none());
    }
    assert_eq!(picture(&own), picture(&nowhere));
    assert_eq!(picture(store.ledger()), picture(&nowhere));
    assert_eq!(own.events(0).await, nowhere.events(0).await);
    assert_eq!(store.ledger().events(0).await, nowhere.events(0).await);
}

#[tokio::test]
async fn its_journal_is_there_until_it_is_drained() {
    let scene = Scene::new();
    let ledger = open(&scene);
    everything(&ledger).await;
    let events = ledger.events(0).await.unwrap();
    let last = ledger.journal().last;
    assert!(events.iter().map(|event| event.number).eq(1..=last));
    assert!(matches!(events[0].what, DeskWhat::KeyClaimed { .. }));
    ledger.trim(5).await.unwrap();
    ledger.trim(3).await.unwrap();
    assert_eq!(ledger.events(0).await.unwrap()[..], events[5..]);
    assert_eq!(ledger.events(9).await.unwrap()[..], events[9..]);
    drop(ledger);
    for rewritten in [false, true, true] {
        if rewritten {
            open(&scene).compact().await.unwrap();
        }
        let ledger = open(&scene);
        assert_eq!((ledger.journal().drained, ledger.journal().last), (5, last));
        assert_eq!(ledger.events(0).await.unwrap()[..], events[5..]);
    }
    let ledger = open(&scene);
    ledger.trim(u64::MAX).await.unwrap();
    assert_eq!((ledger.journal().drained, ledger.events(0).await), (last, Ok(vec![])));
    ledger.claim_key(&claim(50)).await.unwrap();
    assert_eq!(ledger.events(0).await.unwrap()[0].number, last + 1);
}

#[tokio::test]
async fn it_is_rewritten_beside_what_is_asked_of_it() {
    let scene = Scene::new();
    let store = scene.open();
    for round in 0..5 {
        let mut compacting = JoinSet::new();
        let file = Arc::clone(&store);
        compacting.spawn(async move { file.compact().await });
        for number in 0..30 {
            store.ledger().claim_key(&claim(round * 30 + number)).await.unwrap();
        }
        compacting.join_next().await.unwrap().unwrap().unwrap();
    }
    let before = (picture(store.ledger()), store.ledger().events(0).await);
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!((picture(store.ledger()), store.ledger().events(0).await), before);
    for number in 0..150 {
        let again = store.ledger().claim_key(&claim(number)).await;
        assert!(matches!(again, Ok(Claimed::Same { .. })), "{number}: {again:?}");
    }
}

#[tokio::test]
async fn two_do_not_share_a_file() {
    let scene = Scene::new();
    let ledger = open(&scene);
    let path = scene.folder().join("ledger");
    let refused = Ledger::open(&path, Arc::clone(&scene.clock) as _).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Log(log::OpenError::Locked { .. })), "{refused:?}");
    drop(ledger);
    drop(open(&scene));
}

/// A ledger in a file that is closed, opened and rewritten all the time, and one in memory that never ends.
struct Twins {
    scene: Scene,
    kept: Ledger,
    told: Ledger,
    dice: Dice,
    done: usize,
}

impl Twins {
    async fn both<T: std::fmt::Debug + PartialEq, E: std::fmt::Debug + PartialEq>(
        &mut self,
        ask: impl AsyncFn(&Ledger) -> Result<T, E>,
    ) {
        let (kept, told) = (ask(&self.kept).await, ask(&self.told).await);
        assert_eq!(kept, told);
        self.done += usize::from(kept.is_ok());
    }

    async fn command(&mut self) {
        let now = self.scene.now();
        let (number, until) = (self.dice.below(12) as u64, now.plus(self.dice.below(900) as u64));
        let (local, byte) =
            (StoreName::parse("local").unwrap(), self.dice.below(4).to_le_bytes()[0]);
        let key = Selector::Key(u32::from(byte) + 16);
        match self.dice.below(24) {
            0..=2 => {
                let claim = KeyClaim { until, ..claim(number) };
                self.both(async |ledger| ledger.claim_key(&claim).await).await;
            }
            3 => {
                let (key, to) = (claim(number).key, id(number + 1));
                self.both(async |ledger| ledger.renew_key(&key, id(number), to).await).await;
            }
            4..=6 => {
                let proposal = proposal(number, until);
                self.both(async |ledger| ledger.propose(&proposal).await).await;
            }
            7 | 8 => self.both(async |ledger| ledger.decide(id(number), approval()).await).await,
            9 => self.both(async |ledger| ledger.collect(id(number), id(number + 100)).await).await,
            10 => self.both(async |ledger| ledger.expire().await).await,
            11 => {
                let selector = Selector::Grant(id(number));
                let by = caller("sue");
                self.both(async |ledger| ledger.cancel(&selector, &by, &reason()).await).await;
            }
            12 => {
                self.both(async |ledger| ledger.block(&key, &caller("sue"), &reason()).await).await
            }
            13 => self.both(async |ledger| ledger.lift(&key, &caller("sue")).await).await,
            14 => {
                let api = description(1).audience;
                self.both(async |ledger| ledger.announce(&local, &api, generation(byte)).await)
                    .await;
            }
            15 | 16 => {
                let mut description = description(number);
                description.end = until;
                self.both(async |ledger| ledger.next_seat(&local, &description).await).await;
            }
            17 => self.both(async |ledger| ledger.open_life(&life(byte), &secret()).await).await,
            18 => self.both(async |ledger| ledger.extend_life(generation(byte), until).await).await,
            19 => {
                let end = [LifeEnd::Over, LifeEnd::Drained][self.dice.below(2)];
                self.both(async |ledger| ledger.end_life(generation(byte), end).await).await;
            }
            20 => self.both(async |ledger| ledger.begin_hold(id(number), hold(number)).await).await,
            21 => {
                let hold = hold(number).id;
                let end = [HoldEnd::Kept, HoldEnd::GivenBack][self.dice.below(2)];
                self.both(async |ledger| ledger.end_hold(id(number), hold, end).await).await;
            }
            22 => self.both(async |ledger| ledger.trim(number * 5).await).await,
            _ => self.scene.clock.advance(self.dice.below(400) as u64),
        }
    }

    async fn restart(&mut self) {
        match self.dice.below(3) {
            0 => self.kept.compact().await.unwrap(),
            1 => self.kept.close().await.unwrap(),
            _ => {}
        }
        // The lock goes with the ledger that had it.
        self.kept = Ledger::in_memory(Arc::clone(&self.scene.clock) as _);
        self.kept = open(&self.scene);
    }

    async fn look(&mut self) {
        assert_eq!(picture(&self.kept), picture(&self.told));
        assert_eq!(self.kept.events(0).await, self.told.events(0).await);
    }
}

#[tokio::test]
async fn nobody_can_tell_it_from_a_ledger_that_never_stopped() {
    let mut done = 0;
    for seed in 1..60 {
        let scene = Scene::quick();
        let (kept, dice) = (open(&scene), Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1));
        let told = Ledger::in_memory(Arc::clone(&scene.clock) as _);
        let mut twins = Twins { scene, kept, told, dice, done: 0 };
        for at in 0..200 {
            twins.command().await;
            if at % 10 == 9 {
                twins.restart().await;
                twins.look().await;
            }
        }
        done += twins.done;
    }
    // Commands that are all refused would show nothing.
    assert!(done > 3_000, "{done}");
}

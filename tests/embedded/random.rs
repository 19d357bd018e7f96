//! Commands at random, to a store in a file that is closed, opened and rewritten all the time, and to one in
//! memory that never ends: nobody can tell them apart.

use std::sync::Arc;

use farebox::limits::LIST_MAX;
use farebox::store::budget::{BudgetKey, Hold, Take};
use farebox::store::event::{OldGrants, What};
use farebox::store::lease::Lease;
use farebox::store::registration::Registration;
use farebox::store::view::{Filter, Listed};
use farebox::store::{AdminError, DRAIN, Embedded, GrantStore, Journal, LifeId, Memory};
use farebox_verifier::{
    Agent, Generation, GrantId, Outcome, PolicyHash, Seats, Selector, Ticket, UnixSeconds,
};

use super::scene::{
    Dice, POLICY, Scene, attempt, close, events_after, id, name, no_lease, registration,
};

const RUNS: u64 = 150;
const COMMANDS: usize = 150;
const OUTCOMES: [Outcome; 3] = [Outcome::Succeeded, Outcome::Failed, Outcome::Void];
const SECONDS: [u64; 10] = [1, 1, 5, 10, 60, 60, 300, 900, 960, 3_600];

/// The two, and what each of them is told in its own words.
struct Twins {
    scene: Scene,
    kept: Arc<Embedded>,
    told: Memory,
    dice: Dice,
    /// Each grant as either has registered it.
    tickets: Vec<[Ticket; 2]>,
    holds: Vec<Hold>,
    lease: Option<Lease>,
    grants: u64,
    /// The most lives that were there at once.
    lives: usize,
    /// How often something came of a command.
    done: usize,
}

impl Twins {
    fn born(seed: u64) -> Twins {
        let scene = Scene::quick();
        let kept = scene.open();
        let told = Memory::open(name(), Arc::clone(&scene.clock) as _, POLICY).unwrap();
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (tickets, holds) = (Vec::new(), Vec::new());
        Twins { scene, kept, told, dice, tickets, holds, lease: None, grants: 0, lives: 0, done: 0 }
    }

    /// What both answer, which is the same.
    async fn both<T: std::fmt::Debug + PartialEq>(
        &mut self,
        ask: impl AsyncFn(&dyn GrantStore, usize) -> T,
    ) -> T {
        let kept = ask(&*self.kept, 0).await;
        let told = ask(&self.told, 1).await;
        assert_eq!(kept, told);
        kept
    }

    /// What a command came to is compared, and counts for nothing else.
    async fn admin(&mut self, ask: impl AsyncFn(&dyn GrantStore) -> Result<(), AdminError>) {
        let done = self.both(async |store, _| ask(store).await).await;
        self.done += usize::from(done.is_ok());
    }

    async fn restart(&mut self) {
        // A life that is over ends before.
        self.both(async |store, _| store.journals().await.unwrap().len()).await;
        self.kept.close().await.unwrap();
        // The file is nobody's once it is sealed.
        self.kept = self.scene.open_sealed();
    }

    fn ticket(&mut self) -> Option<[Ticket; 2]> {
        let count = self.tickets.len();
        // Mostly one of the last.
        let back = self.dice.below(count.clamp(1, 12)) + 1;
        self.tickets.get(count.checked_sub(back)?).cloned()
    }

    fn selector(&mut self) -> Selector {
        match self.dice.below(6) {
            0 => Selector::Agent(Agent::parse(["key:a", "key:b"][self.dice.below(2)]).unwrap()),
            1 => Selector::Key([17, 18][self.dice.below(2)]),
            2 => {
                self.ticket().map_or(Selector::Key(9), |[ticket, _]| Selector::Grant(ticket.grant))
            }
            3 => Selector::Policy(PolicyHash::from_bytes([9; 32])),
            4 => Selector::Workflow(
                registration(self.grants / 2, self.scene.now()).ticket.workflow.unwrap(),
            ),
            _ => Selector::All,
        }
    }

    async fn register(&mut self) {
        self.grants += 1;
        let mut registration = registration(self.grants, self.scene.now());
        let end = self.scene.now().plus(SECONDS[self.dice.below(10)]);
        (registration.ticket.end, registration.ticket.grant_end) = (end, end);
        registration.ticket.agent = Agent::parse(["key:a", "key:b"][self.dice.below(2)]).unwrap();
        registration.ticket.key_id = [17, 18][self.dice.below(2)];
        let before: Vec<[Ticket; 2]> =
            (0..self.dice.below(3)).filter_map(|_| self.ticket()).collect();
        let seats = |which: usize| -> Registration {
            let after = before.iter().map(|pair| pair[which].stores.clone().unwrap()).collect();
            Registration { after, ..registration.clone() }
        };
        let mine = [seats(0), seats(1)];
        let kept = self.kept.register(&mine[0]).await;
        let told = self.told.register(&mine[1]).await;
        let number = |seats: &Seats| seats.seats()[0].sequence;
        assert_eq!(kept.as_ref().map(number), told.as_ref().map(number));
        if let (Ok(kept), Ok(told)) = (kept, told) {
            let ticket = |seats| Ticket { stores: Some(seats), ..registration.ticket.clone() };
            self.tickets.push([ticket(kept), ticket(told)]);
            self.done += 1;
        }
    }

    async fn spend_or_settle(&mut self) {
        let Some(pair) = self.ticket() else { return };
        let claimant = self.dice.below(2) as u64;
        let outcome = OUTCOMES[self.dice.below(3)];
        if self.dice.below(5) < 3 {
            let answer = self
                .both(async |store, which| store.spend(&pair[which], &attempt(claimant)).await)
                .await;
            self.done += usize::from(answer.is_ok());
        } else {
            let attempt = attempt(claimant);
            let answer = self
                .both(async |store, which| store.settle(&pair[which], &attempt, outcome).await)
                .await;
            self.done += usize::from(answer.is_ok());
        }
    }

    async fn administer(&mut self) {
        let selector = self.selector();
        match self.dice.below(8) {
            0..=2 => drop(self.both(async |store, _| store.revoke(&selector).await).await),
            3 => drop(self.both(async |store, _| store.block(&selector).await).await),
            4 | 5 => drop(self.both(async |store, _| store.unblock(&selector).await).await),
            6 => {
                let grant = id(self.grants + self.dice.below(3) as u64);
                self.admin(async |store| store.abandon(grant).await).await;
            }
            _ => {
                let old = [OldGrants::Revoked, OldGrants::Kept][self.dice.below(2)];
                let other = PolicyHash::from_bytes([9; 32]);
                for policy in [other, POLICY] {
                    drop(self.both(async |store, _| store.set_policy(policy, old).await).await);
                }
            }
        }
    }

    async fn budget(&mut self) {
        let window_seconds = [60, 3_600][self.dice.below(2)];
        let take = Take {
            grant: id(self.dice.below(30) as u64),
            budget: BudgetKey::of("payments", "key:a", window_seconds),
            caller: Selector::Key(1).scope(),
            amount: self.dice.below(40) as u64,
            limit: 100,
            window_seconds,
        };
        match self.dice.below(8) {
            0 => drop(self.both(async |store, _| store.open_budgets(&[]).await).await),
            1 | 2 if !self.holds.is_empty() => {
                let hold = self.holds[self.dice.below(self.holds.len())];
                self.admin(async |store| store.give_back(&hold).await).await;
            }
            _ => {
                let held = self.both(async |store, _| store.take(&take).await).await;
                self.holds.extend(held);
            }
        }
    }

    async fn drain(&mut self) {
        let (holder, seconds) = (["one", "two"][self.dice.below(2)], SECONDS[self.dice.below(6)]);
        let leased = self
            .both(async |store, _| {
                let life = living_of(store).await;
                store.lease(&life, DRAIN, holder, seconds).await
            })
            .await;
        self.lease = leased.ok().or(self.lease);
        let Some(lease) = self.lease else { return };
        let upto = self.dice.below(200) as u64;
        match self.dice.below(3) {
            0 => drop(
                self.both(async |store, _| store.trim(&living_of(store).await, upto, lease).await)
                    .await,
            ),
            _ => drop(
                self.both(async |store, _| {
                    let life = living_of(store).await;
                    let due = store.due(&life).await;
                    let some = [due.as_slice(), &[upto]].concat();
                    (due, store.lapse(&life, &some, lease).await)
                })
                .await,
            ),
        }
    }

    async fn pass(&mut self) {
        match self.dice.below(12) {
            // Back at times, and seldom so far that a life ends.
            0 => self.scene.clock.set(self.scene.now().minus(400)),
            1 | 2 => self.scene.clock.set(self.scene.now().minus(self.dice.below(200) as u64)),
            _ => self.scene.clock.advance(SECONDS[self.dice.below(10)]),
        }
    }

    async fn command(&mut self) {
        match self.dice.below(40) {
            0..=9 => self.register().await,
            10..=21 => self.spend_or_settle().await,
            22..=25 => self.administer().await,
            26..=29 => self.budget().await,
            30..=32 => self.drain().await,
            33..=34 => self.pass().await,
            35 => self.restart().await,
            37 => self.forget().await,
            36 => self.kept.compact().await.unwrap(),
            _ => self.look().await,
        }
    }

    /// Everything that can be seen is the same.
    async fn look(&mut self) {
        let shown =
            |listed: Listed| (listed.description, listed.sequence, listed.standing, listed.history);
        let grant: GrantId = id(self.dice.number(self.grants + 1));
        self.both(async |store, _| {
            let page = store.list(&Filter::default(), None, LIST_MAX).await;
            let listed: Vec<_> = page.items.into_iter().map(shown).collect();
            (listed, store.count(&Filter::default()).await, store.read(grant).await.map(shown))
        })
        .await;
        let (kept, told) = (journals(&*self.kept).await, journals(&self.told).await);
        assert!(kept == told, "{kept:#?} {told:#?}");
        self.lives = self.lives.max(kept.len());
    }

    /// Lets go of the first life that is over.
    async fn forget(&mut self) {
        let upto = self.dice.below(300) as u64;
        self.both(async |store, _| {
            let first = store.journals().await.unwrap().remove(0);
            if first.living {
                return None;
            }
            let trimmed = store.trim(&first.life, upto, no_lease()).await;
            store.forget(&first.life).await;
            Some((trimmed, store.closed(&first.life).await, store.journals().await.unwrap().len()))
        })
        .await;
    }
}

async fn living_of(store: &dyn GrantStore) -> LifeId {
    let journals = store.journals().await.unwrap();
    journals.last().unwrap().life.clone()
}

/// All journals, but for the names of their lives.
async fn journals(store: &impl GrantStore) -> Vec<(u64, u64, bool, Vec<(u64, UnixSeconds, What)>)> {
    let mut shown = Vec::new();
    for Journal { life, last, drained, living } in store.journals().await.unwrap() {
        let events = events_after(store, &life, 0).await.into_iter().map(|event| {
            let what = match event.what {
                What::Opened { policy, previous: Some(_) } => {
                    What::Opened { policy, previous: Some(Generation::from_bytes([0; 16])) }
                }
                what => what,
            };
            (event.number, event.at, what)
        });
        shown.push((last, drained, living, events.collect()));
    }
    shown
}

#[tokio::test]
async fn nobody_can_tell_it_from_a_store_that_never_stopped() {
    let (mut done, mut lives) = (0, 0);
    for seed in 0..RUNS {
        let mut twins = Twins::born(seed + 1);
        for _ in 0..COMMANDS {
            twins.command().await;
        }
        for _ in 0..2 {
            twins.look().await;
            twins.kept.compact().await.unwrap();
            twins.restart().await;
        }
        twins.look().await;
        done += twins.done;
        lives = lives.max(twins.lives);
        close(twins.kept).await;
    }
    // Commands that are all refused would show nothing.
    assert!(done > 1_000 && lives > 2, "{done} {lives}");
}

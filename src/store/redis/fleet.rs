//! The servers of a store together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use farebox_verifier::limits::TTL_SECONDS_MAX;
use farebox_verifier::redis::{Address, RedisStore, Topology, TopologyError, Waits};
use farebox_verifier::{Clock, PolicyHash, Seat, Selector, Shard, StoreName, Workflow};
use tokio::sync::Notify;

use super::calls;
use super::lives::{Life, Lives};
use super::server::{Open, OpenError, Server, Silence};
use super::together::together;
use crate::limits;
use crate::store::event::OldGrants;
use crate::store::fixed::Unpacker;
use crate::store::view::View;
use crate::store::{Ledger, LifeId};

/// The servers of a store, and how they are spoken to.
pub struct Servers {
    /// How they stand to each other.
    pub topology: Topology,
    /// Where they are, with the issuer's user.
    pub addresses: Vec<Address>,
    /// The same servers with a verifier's user: what is spent here is spent by it.
    pub spender: RedisStore,
    /// How long is waited.
    pub waits: Waits,
    /// This issuer's number among those that share the store, from nought.
    pub issuer: u16,
    /// How many they are.
    pub issuers: u16,
}

/// The grant store on Redis.
pub struct Fleet {
    pub(super) topology: Topology,
    pub(super) servers: Vec<Arc<Server>>,
    pub(super) spender: RedisStore,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lives: Lives,
    pub(super) view: Mutex<View>,
    pub(super) issuer: u16,
    pub(super) issuers: u16,
    staff: Mutex<Staff>,
    /// The server that holds a workflow's grants, so that a predecessor's state is at hand.
    homes: Mutex<HashMap<Workflow, StoreName>>,
    /// The server that answered last: minting goes there first.
    preferred: AtomicUsize,
    knock: Notify,
}

/// What came of asking a life for the time.
enum Ticked {
    /// It goes on, with this set of policies in force.
    Goes {
        /// Its scope.
        policy: [u8; 8],
    },
    /// It does not.
    Over,
    /// Nobody answered.
    Silent,
}

/// So many bits of a word's number are for the words of one second.
const WORDS_BITS: u32 = 16;
const UNLISTED: &str = "its life is not on the ledger";

/// What a new life must be told.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Staff {
    /// The number of its last word.
    pub(super) word: u64,
    pub(super) policy: PolicyHash,
    pub(super) blocked: Vec<Selector>,
}

impl Fleet {
    /// The store on these servers, with the ledger that has its lives and blocks. Nothing is connected, and no
    /// life is open, before [`Fleet::tend`].
    ///
    /// # Errors
    /// [`TopologyError`] where they make no such topology.
    pub fn new(
        servers: Servers,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
        ledger: Arc<Ledger>,
    ) -> Result<Fleet, TopologyError> {
        Fleet::of(servers, &Shard::only(), clock, policy, ledger)
    }

    /// A store on these servers that has nothing to do with the one that serves there: for measuring.
    /// [`Fleet::clear_away`] leaves nothing of it behind.
    ///
    /// # Errors
    /// [`TopologyError`] where they make no such topology.
    pub fn apart(
        servers: Servers,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
        ledger: Arc<Ledger>,
    ) -> Result<Fleet, TopologyError> {
        let last = Shard::parse("ff").unwrap_or_else(Shard::only);
        Fleet::of(servers, &last, clock, policy, ledger)
    }

    fn of(
        servers: Servers,
        shard: &Shard,
        clock: Arc<dyn Clock>,
        policy: PolicyHash,
        ledger: Arc<Ledger>,
    ) -> Result<Fleet, TopologyError> {
        let Servers { topology, addresses, spender, waits, issuer, issuers } = servers;
        topology.check(&addresses)?;
        let needed = topology.needed(addresses.len());
        let word = clock.now().0 << WORDS_BITS;
        let blocked = ledger.blocks().into_iter().map(|block| block.selector).collect();
        let server = |address| Arc::new(Server::new(address, shard.clone(), waits));
        let servers = addresses.into_iter().map(server);
        Ok(Fleet {
            topology,
            servers: servers.collect(),
            spender,
            clock,
            lives: Lives::of(ledger),
            view: Mutex::new(View::of(needed)),
            issuer,
            issuers: issuers.max(1),
            staff: Mutex::new(Staff { word, policy, blocked }),
            homes: Mutex::default(),
            preferred: AtomicUsize::new(0),
            knock: Notify::new(),
        })
    }

    /// One round over the servers: those that can be used and have no life get one, and the clocks are
    /// compared. What is wrong with a server is said; the others serve.
    pub async fn tend(&self) -> Vec<OpenError> {
        let rounds = together(self.servers.iter().map(|server| self.tend_one(server))).await;
        rounds.into_iter().filter_map(Result::err).collect()
    }

    async fn tend_one(&self, server: &Server) -> Result<(), OpenError> {
        if let Some(open) = server.life() {
            match self.tick(server, &open).await {
                Ticked::Goes { policy } => {
                    let staff = self.staff();
                    if policy != *calls::policy_scope(staff.policy).as_bytes() {
                        Fleet::catch_up(server, &open, None, &staff).await?;
                    }
                    return self.promise_for_others(server, &open).await;
                }
                // Away for a moment, or for long: nothing tells that its life is over.
                Ticked::Silent => return Ok(()),
                Ticked::Over => {}
            }
        }
        let staff = self.staff();
        let (open, fresh) = server.open(staff.policy, &staff.blocked, self.issuers).await?;
        let listed = self.lives.opened(&open, fresh, self.clock.now()).await;
        listed.map_err(|_error| server.unopened(UNLISTED))?;
        self.promise_for_others(server, &open).await?;
        if !matches!(self.tick(server, &open).await, Ticked::Goes { .. }) {
            return Err(server.unopened("did not answer once it was open"));
        }
        // A life that another issuer opened, or that was open while this one was away, may not know what the
        // staff has said since.
        let mut told = fresh.then_some(staff);
        while !self.adopts(server, &open, told.as_ref()) {
            let staff = self.staff();
            let later = Fleet::catch_up(server, &open, told.as_ref(), &staff).await?;
            // What this issuer said before it began anew, or another one: ours is the last word now.
            if later > staff.word {
                let _word = self.speak_above(later);
            }
            told = Some(staff);
        }
        Ok(())
    }

    /// Compares the clocks, in the life's own memory too: one that steps ends it.
    async fn tick(&self, server: &Server, open: &Open) -> Ticked {
        let now = self.clock.now();
        match server.ask(&open.id, calls::tick(now)).await {
            Ok((b'K', rest)) => {
                let mut from = Unpacker::new(&rest);
                let (theirs, policy) = (from.six().unwrap_or(0), from.array().unwrap_or([0; 8]));
                let behind = now.0.saturating_sub(theirs);
                self.lives.change(&open.id, |life| life.behind = life.behind.max(behind));
                Ticked::Goes { policy }
            }
            Err(Silence::Down | Silence::InDoubt) => Ticked::Silent,
            Ok((letter, rest)) => {
                self.heard(server, open, letter, &rest);
                Ticked::Over
            }
        }
    }

    /// What other issuers mint under a life is on their lists. It is minted while the life is open here too, or
    /// later by issuers that are told of a revocation themselves.
    async fn promise_for_others(&self, server: &Server, open: &Open) -> Result<(), OpenError> {
        if self.issuers > 1 {
            let end = self.clock.now().plus(TTL_SECONDS_MAX);
            let promised = self.lives.promise(&open.id, end).await;
            promised.map_err(|_error| server.unopened(UNLISTED))?;
        }
        Ok(())
    }

    /// Whether every server's life is one that this issuer has met. Where others mint too, one that it has not
    /// met may hold what is to be revoked.
    pub(super) async fn has_met_all(&self) -> bool {
        if self.issuers > 1 {
            let unmet = self.servers.iter().filter(|server| server.life().is_none());
            together(unmet.map(|server| self.tend_one(server))).await;
        }
        self.issuers == 1 || self.servers.iter().all(|server| server.life().is_some())
    }

    /// Has grants registered in a life that was told all that the staff has said. What is said after that, it
    /// is told like any other.
    fn adopts(&self, server: &Server, open: &Open, told: Option<&Staff>) -> bool {
        let staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner);
        let knows = told.is_some_and(|told| *told == *staff);
        if knows {
            server.adopt(open.clone());
        }
        knows
    }

    /// Tells a life all that the staff has said, and answers with the number of a word that it holds to be later.
    async fn catch_up(
        server: &Server,
        open: &Open,
        told: Option<&Staff>,
        staff: &Staff,
    ) -> Result<u64, OpenError> {
        let mut later = 0;
        let old: &[Selector] = told.map_or(&[], |told| &told.blocked);
        let lifted = old.iter().filter(|selector| !staff.blocked.contains(selector));
        let asks = std::iter::once(calls::policy(staff.word, staff.policy, OldGrants::Revoked))
            .chain(lifted.map(|selector| calls::unblock(staff.word, selector)))
            .chain(staff.blocked.iter().map(|selector| calls::block(staff.word, selector)));
        for ask in asks {
            let Ok((b'K', rest)) = server.ask(&open.id, ask).await else {
                return Err(server.unopened("did not hear the staff's word"));
            };
            later = later.max(Unpacker::new(&rest).six().unwrap_or(0));
        }
        Ok(later)
    }

    /// Ends the lives on purpose, before the servers are stopped for good: their journals say so, and what
    /// is outstanding is refused.
    pub async fn close(&self) {
        let close = async |server: &Server| {
            if let Some(open) = server.life()
                && let Ok((b'K', _)) = server.ask(&open.id, calls::close()).await
            {
                server.is_over(&open.id);
                self.lives.change(&open.id, |life| life.over = true);
            }
        };
        together(self.servers.iter().map(|server| close(server))).await;
    }

    /// Ends the lives and drops their journals: what was in them is of no use to anybody.
    pub async fn clear_away(&self) {
        let lives = self.lives.all();
        self.close().await;
        for life in lives {
            if let Some(server) = self.server(&life.open.id.store) {
                // Where nobody hears it, a journal is left behind, under a name that says what it is.
                let (Ok(()) | Err(_)) = server.drop_journal(&life.open.id).await;
            }
        }
    }

    /// Waits until somebody found a life over, or for so long.
    pub async fn knocked(&self, at_most: std::time::Duration) {
        // Nothing is lost when the time is over first: the next round finds it.
        tokio::select! {
            () = self.knock.notified() => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    pub(super) fn staff(&self) -> Staff {
        self.staff.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on above a word that somebody else said.
    pub(super) fn speak_above(&self, word: u64) -> u64 {
        let mut staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner);
        staff.word = staff.word.max(word.saturating_add(1));
        staff.word
    }

    /// Makes the staff's next word, and says its number: by the clock, so that an issuer which begins again
    /// goes on above those that it said before.
    pub(super) fn change_staff(&self, change: impl FnOnce(&mut Staff)) -> u64 {
        let mut staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut staff);
        staff.word = staff.word.saturating_add(1).max(self.clock.now().0 << WORDS_BITS);
        staff.word
    }

    /// A server said that a life is over, or something that nobody understands: the life is not used any
    /// more. That it is over for good, only its own process can say.
    pub(super) fn heard(&self, server: &Server, open: &Open, letter: u8, rest: &[u8]) {
        if letter == b'F' {
            server.is_over(&open.id);
            if *rest == *open.run_id && !rest.is_empty() {
                self.lives.change(&open.id, |life| life.over = true);
            }
            self.knock.notify_one();
        }
    }

    pub(super) fn server(&self, name: &StoreName) -> Option<&Arc<Server>> {
        self.servers.iter().find(|server| server.name() == name)
    }

    /// The servers in the order in which they are asked to hold a grant.
    pub(super) fn order(
        &self,
        workflow: Option<&Workflow>,
        after: Option<&Seat>,
    ) -> Vec<&Arc<Server>> {
        let first = after.map(|seat| seat.store.clone()).or_else(|| self.home(workflow?));
        let preferred = self.preferred.load(Ordering::Relaxed);
        let rotated = self.servers.iter().cycle().skip(preferred).take(self.servers.len());
        let mut order: Vec<_> = rotated.collect();
        if let Some(first) = first {
            order.sort_by_key(|server| *server.name() != first);
        }
        order
    }

    /// This server took a grant: the workflow's next go there too.
    pub(super) fn took(&self, server: &Server, workflow: Option<&Workflow>) {
        let place = self.servers.iter().position(|known| known.name() == server.name());
        self.preferred.store(place.unwrap_or(0), Ordering::Relaxed);
        let Some(workflow) = workflow else { return };
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        // It is a hint: without it a workflow's next grant may be refused its predecessor, and no more.
        if homes.len() >= limits::WORKFLOWS_MAX {
            homes.clear();
        }
        homes.insert(workflow.clone(), server.name().clone());
    }

    /// This server is slow to answer: the next grants go elsewhere first.
    pub(super) fn is_slow(&self, server: &Server) {
        let place = self.servers.iter().position(|known| known.name() == server.name());
        let next = place.map_or(0, |place| (place + 1) % self.servers.len());
        self.preferred.store(next, Ordering::Relaxed);
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.retain(|_, home| home != server.name());
    }

    fn home(&self, workflow: &Workflow) -> Option<StoreName> {
        let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.get(workflow).cloned()
    }

    /// The lives that may still let something through.
    pub(super) fn lives_to_reach(&self) -> Vec<Life> {
        let now = self.clock.now();
        let living =
            |life: &Life| !life.over && (now < life.last_end() || self.is_open(&life.open.id));
        self.lives.all().into_iter().filter(living).collect()
    }

    pub(super) fn is_open(&self, id: &LifeId) -> bool {
        self.server(&id.store).and_then(|server| server.life()).is_some_and(|open| open.id == *id)
    }
}

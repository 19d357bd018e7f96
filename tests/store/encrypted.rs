//! The store over TLS, on a real Redis: the right authority, the right name and the right certificate, or no
//! answer; and no answer is a no, in time.

use std::sync::Arc;
use std::time::Duration;

use farebox::store::redis::acl::Role;
use farebox::store::redis::{Fleet, Servers};
use farebox::store::registration::RegisterError;
use farebox::store::{Found, GrantStore, Ledger};
use farebox_lab::{Authority, Options, Redis};
use farebox_verifier::redis::{Address, RedisStore, Tls, Topology};
use farebox_verifier::{
    Answer, Clock as _, Outcome, Sending, SettleError, SpendError, SpendStore, StoreName,
    UnixSeconds,
};
use tokio::time::{Instant, timeout};

use super::draft::{
    Draft, POLICY, attempt, issue, issue_spent, register, revoke_one, settle, spend, tail,
};
use super::subject::Subject;
use crate::fleet::{MovedClock, PASSWORD, start, waits};

/// Longer than any answer is waited for.
const DEADLINE: Duration = Duration::from_secs(5);

struct OverTls {
    redis: Arc<Redis>,
    clock: Arc<MovedClock>,
    store: Arc<Fleet>,
    spender: Arc<RedisStore>,
}

fn address(redis: &Redis, role: Role, tls: &Tls) -> Address {
    let port = redis.tls_address().port();
    let url = format!("rediss://{}:{PASSWORD}@localhost:{port}", role.user());
    Address::parse(StoreName::parse("r1").unwrap(), &url, Some(tls.clone())).unwrap()
}

fn spender_with(redis: &Redis, tls: &Tls) -> RedisStore {
    RedisStore::new(Topology::Single, vec![address(redis, Role::Verifier, tls)], waits()).unwrap()
}

/// A store that speaks to this server so. No life is open yet.
fn over(redis: &Arc<Redis>, tls: &Tls) -> OverTls {
    let clock = Arc::new(MovedClock::default());
    let servers = Servers {
        topology: Topology::Single,
        addresses: vec![address(redis, Role::Issuer, tls)],
        spender: spender_with(redis, tls),
        waits: waits(),
        issuer: 0,
        issuers: 1,
    };
    let ledger = Arc::new(Ledger::in_memory(Arc::clone(&clock) as _));
    let store = Arc::new(Fleet::new(servers, Arc::clone(&clock) as _, POLICY, ledger).unwrap());
    let spender = Arc::new(spender_with(redis, tls));
    OverTls { redis: Arc::clone(redis), clock, store, spender }
}

async fn server(options: Options) -> Arc<Redis> {
    Arc::new(start(options).await)
}

/// Who trusts the server's own authority.
fn trusting(redis: &Redis) -> Tls {
    Tls::trusting(&redis.authority().certificate()).unwrap()
}

fn stranger() -> Tls {
    Tls::trusting(&Authority::new().certificate()).unwrap()
}

async fn opened(redis: &Arc<Redis>, tls: &Tls) -> OverTls {
    let subject = over(redis, tls);
    assert_eq!(subject.store.tend().await, []);
    subject
}

impl Subject for OverTls {
    fn store(&self) -> Arc<dyn GrantStore> {
        Arc::clone(&self.store) as _
    }

    fn spender(&self) -> Arc<dyn SpendStore> {
        Arc::clone(&self.spender) as _
    }

    fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    fn pass(&self, seconds: u64) -> Answer<'_, ()> {
        self.clock.set_offset(self.clock.offset() + i64::try_from(seconds).unwrap());
        Box::pin(async {})
    }
}

/// The life of a grant, from its registration to the last refusal.
async fn works(subject: &OverTls) {
    let mut tail = tail(subject).await;
    let ticket = issue(subject).await;
    assert_eq!(spend(subject, &ticket, 1).await.unwrap().sending, Sending::First);
    assert_eq!(spend(subject, &ticket, 1).await.unwrap().sending, Sending::Repeat);
    let refused = spend(subject, &ticket, 2).await;
    assert!(matches!(refused, Err(SpendError::AlreadySpent { .. })), "{refused:?}");
    assert_eq!(settle(subject, &ticket, 1, Outcome::Succeeded).await, Ok(()));
    let other = issue(subject).await;
    assert_eq!(revoke_one(subject, &other).await, Found::Unspent);
    assert_eq!(spend(subject, &other, 1).await, Err(SpendError::Revoked));
    assert_eq!(tail.fresh(subject).await.len(), 7);
    // None of it went by the plain port but what the laboratory and the deployer did.
    let clients = subject.redis.command(&["CLIENT", "LIST"]).text();
    let plain = subject.redis.address().to_string();
    let ours = clients.lines().filter(|client| {
        client.contains("user=farebox-issuer") || client.contains("user=farebox-verifier")
    });
    let ours: Vec<&str> = ours.collect();
    assert!(ours.len() >= 2, "{clients}");
    assert!(ours.iter().all(|client| !client.contains(&format!("laddr={plain}"))), "{ours:?}");
}

/// Nobody answers who is not trusted: no life, no grant, no yes, and none of it takes long.
async fn is_down(subject: &OverTls) {
    let begun = Instant::now();
    let wrong = timeout(DEADLINE, subject.store.tend()).await.unwrap();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let refused = timeout(DEADLINE, register(subject, &Draft::default())).await.unwrap();
    assert_eq!(refused, Err(RegisterError::Down));
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
}

/// One who verifies has no yes of a server that he does not trust, and takes nothing there.
async fn spends_nothing(subject: &OverTls, untrusting: &RedisStore) {
    let (fresh, spent) = (issue(subject).await, issue_spent(subject).await);
    let mine = attempt(1);
    for ticket in [&fresh, &spent] {
        let refused = timeout(DEADLINE, untrusting.spend(ticket, &mine)).await.unwrap();
        assert_eq!(refused, Err(SpendError::Down));
    }
    let settled = untrusting.settle(&spent, &mine, Outcome::Failed);
    assert_eq!(timeout(DEADLINE, settled).await.unwrap(), Err(SettleError::Down));
    assert_eq!(spend(subject, &fresh, 2).await.unwrap().sending, Sending::First);
    assert_eq!(settle(subject, &spent, 1, Outcome::Succeeded).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_lives_and_dies_over_tls() {
    let redis = server(Options::plain().tls()).await;
    works(&opened(&redis, &trusting(&redis)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_sides_may_show_a_certificate() {
    let redis = server(Options::plain().tls_certified()).await;
    let (chain, key) = redis.authority().client();
    let tls = trusting(&redis).presenting(&chain, &key).unwrap();
    works(&opened(&redis, &tls).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_of_another_authority_is_down() {
    let redis = server(Options::plain().tls()).await;
    is_down(&over(&redis, &stranger())).await;
    let subject = opened(&redis, &trusting(&redis)).await;
    spends_nothing(&subject, &spender_with(&redis, &stranger())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_of_another_name_is_down() {
    let redis = server(Options::plain().tls()).await;
    let other = trusting(&redis).naming("r2.internal").unwrap();
    is_down(&over(&redis, &other)).await;
    let subject = opened(&redis, &trusting(&redis)).await;
    spends_nothing(&subject, &spender_with(&redis, &other)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_without_a_certificate_is_told_nothing() {
    let redis = server(Options::plain().tls_certified()).await;
    is_down(&over(&redis, &trusting(&redis))).await;
    let authority = Authority::new();
    let (chain, key) = authority.client();
    let foreign = trusting(&redis).presenting(&chain, &key).unwrap();
    is_down(&over(&redis, &foreign)).await;
    let (chain, key) = redis.authority().client();
    let known = trusting(&redis).presenting(&chain, &key).unwrap();
    let subject = opened(&redis, &known).await;
    spends_nothing(&subject, &spender_with(&redis, &trusting(&redis))).await;
}

//! Many outstanding grants: what they weigh, and what it takes to revoke them.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farebox::load::drive;
use farebox::store::desk::{Caller, KeyClaim, KeyDigest, RequestHash};
use farebox::store::event::What;
use farebox::store::view::Filter;
use farebox::store::{GrantStore, registration::Registration};
use farebox_lab::{Redis, Reply};
use farebox_verifier::{Agent, Attempt, Clock as _, Selector, SpendError, SpendStore, SystemClock};

use super::Size;
use super::deeds;
use super::scene::{Scene, drain, registration, scene};

/// What many grants weigh.
pub struct Crowd {
    pub grants: usize,
    pub issuer_bytes: u64,
    pub server_bytes: u64,
}

/// What revoking one agent's took.
pub struct Revoked {
    pub grants: usize,
    pub events: usize,
    pub took: Duration,
}

/// Each grant is minted with a key, and the journal is drained.
pub async fn measure(size: &Size) -> Crowd {
    let scene = scene().await;
    let before = (issuer_bytes(), server_bytes(&scene.redis));
    let part = 50_000.min(size.crowd);
    for first in (0..size.crowd).step_by(part) {
        mint(&scene, first, part).await;
        drain(Arc::clone(&scene.fleet) as _).await;
    }
    let counted = scene.fleet.count(&Filter::default()).await;
    assert_eq!(counted, size.crowd as u64);
    Crowd {
        grants: size.crowd,
        issuer_bytes: issuer_bytes().saturating_sub(before.0),
        server_bytes: server_bytes(&scene.redis).saturating_sub(before.1),
    }
}

async fn mint(scene: &Scene, first: usize, count: usize) {
    let caller = Caller::parse("key:orchestrator").unwrap();
    let deed = {
        let (fleet, ledger) = (Arc::clone(&scene.fleet), Arc::clone(&scene.ledger));
        move |number: usize| {
            let (fleet, ledger) = (Arc::clone(&fleet), Arc::clone(&ledger));
            let registration = registration(number);
            let claim = KeyClaim {
                key: KeyDigest::of(&caller, &format!("key-{number}")),
                caller: Selector::Key(1).scope(),
                request: RequestHash([1; 32]),
                grant: registration.ticket.grant,
                until: SystemClock.now().plus(3_600),
            };
            async move {
                ledger.claim_key(&claim).await.ok()?;
                fleet.register(&registration).await.ok()
            }
        }
    };
    let (load, seats) = drive(64, (first..first + count).collect(), deed).await;
    assert_eq!((load.refused(), seats.len()), (0, count));
    let last = scene.ledger.journal().last;
    scene.ledger.trim(last).await.unwrap();
}

/// Revokes an agent with many outstanding grants, and tries some of them.
pub async fn revoke(size: &Size) -> Revoked {
    let scene = scene().await;
    let agent = Agent::parse("spiffe://acme/agents/rogue").unwrap();
    let rogue = || {
        let mut registration = registration(0);
        registration.ticket.agent = agent.clone();
        registration
    };
    let grants: Vec<Registration> = (0..size.revoked).map(|_| rogue()).collect();
    let (_, tickets) = deeds::register(&scene.fleet, 64, grants).await;
    let life = scene.fleet.journals().await.unwrap().remove(0);
    let begun = Instant::now();
    let revoked = scene.fleet.revoke(&Selector::Agent(agent)).await.unwrap();
    let took = begun.elapsed();
    assert!(revoked.reach.everywhere());
    let events = scene.fleet.events(&life.life, life.last).await.unwrap();
    assert!(matches!(events[0].what, What::RevokedAll { .. }));
    for ticket in tickets.iter().step_by(997) {
        let refused = scene.spender.spend(ticket, &Attempt::fresh().unwrap()).await;
        assert_eq!(refused, Err(SpendError::Revoked));
    }
    Revoked { grants: tickets.len(), events: events.len(), took }
}

fn issuer_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1_024
}

fn server_bytes(redis: &Redis) -> u64 {
    let Reply::Bulk(info) = redis.command(&["INFO", "memory"]) else { panic!("no memory") };
    let info = String::from_utf8(info).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory_rss:")).unwrap();
    line.trim().parse().unwrap()
}

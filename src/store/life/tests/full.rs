//! What fills up refuses more, and nothing that ends or refuses something is ever refused for it.

use farebox_verifier::{Agent, Selector};

use super::*;
use crate::store::budget::{BudgetKey, Take, TakeError};

fn agent(number: usize) -> Selector {
    Selector::Agent(Agent::parse(&format!("key:{number}")).unwrap())
}

#[test]
fn minting_stops_when_the_journal_lags_and_spending_at_twice_that() {
    let mut scene = scene();
    let of = [1, 2, 3].map(|grant| scene.issue(&registration(grant, NOW, 60)));
    let lag = |scene: &mut Scene, lag: u64| scene.life.appended = scene.life.drained + lag;
    lag(&mut scene, limits::LAG_MAX - 1);
    assert!(scene.step(|life| life.register(&registration(4, NOW, 60))).is_ok());
    let refused = scene.step(|life| life.register(&registration(5, NOW, 60)));
    assert_eq!(refused, Err(RegisterError::Lagging));
    lag(&mut scene, 2 * limits::LAG_MAX - 1);
    assert!(scene.spend(&of[0], 1).is_ok());
    assert_eq!(scene.spend(&of[1], 1), Err(SpendError::Down));
    // What is spent is settled, and what is out is revoked, however long the journal grows.
    assert_eq!(scene.settle(&of[0], Outcome::Succeeded), Ok(()));
    assert!(scene.step(|life| life.revoke(of[2].0)).is_ok());
    assert!(scene.step(|life| life.revoke_all(&Selector::All)).is_ok());
    scene.life.drained(scene.life.appended());
    assert_eq!(scene.life.lag(), 0);
    assert_eq!(scene.spend(&of[1], 1), Err(SpendError::Revoked));
    assert!(scene.step(|life| life.register(&registration(5, NOW, 60))).is_ok());
}

#[test]
fn what_was_never_appended_is_not_drained() {
    let mut scene = scene();
    scene.life.drained(u64::MAX);
    assert_eq!(scene.life.lag(), 0);
    scene.issue(&registration(1, NOW, 60));
    assert_eq!(scene.life.lag(), 1);
    scene.life.drained(1);
    assert_eq!(scene.life.lag(), 1, "drained before");
}

#[test]
fn no_agent_crowds_out_the_others() {
    let mut scene = scene();
    let mine = registration(1, NOW, 60);
    let most = limits::GRANTS_PER_AGENT_MAX;
    scene.life.agents.insert(mine.scopes().agent(), most - 1);
    scene.issue(&mine);
    let refused = scene.step(|life| life.register(&registration(2, NOW, 60)));
    assert_eq!(refused, Err(RegisterError::AgentFull));
    let mut other = registration(3, NOW, 60);
    other.ticket.agent = Agent::parse("key:other").unwrap();
    assert!(scene.step(|life| life.register(&other)).is_ok());
    scene.pass(60 + limits::REMEMBERED_SECONDS);
    let now = scene.life.now();
    assert!(scene.step(|life| life.register(&registration(2, now, 60))).is_ok());
}

#[test]
fn revoking_all_is_always_possible() {
    let mut scene = scene();
    scene.issue(&registration(1, NOW, 60));
    for number in 0..limits::WATERMARKS_MAX {
        scene.life.watermarks.insert(agent(number).scope(), 1);
    }
    let one_more = agent(limits::WATERMARKS_MAX);
    let revoke =
        |scene: &mut Scene, selector: &Selector| scene.step(|life| life.revoke_all(selector));
    assert_eq!(revoke(&mut scene, &one_more), Err(AdminError::Full));
    assert_eq!(revoke(&mut scene, &agent(7)), Ok(()), "that one is known");
    assert_eq!(revoke(&mut scene, &Selector::All), Ok(()));
    let next = PolicyHash::NONE;
    assert_eq!(scene.step(|life| life.set_policy(next, OldGrants::Revoked)), Ok(()));
    scene.pass(60 + limits::REMEMBERED_SECONDS);
    assert_eq!(revoke(&mut scene, &one_more), Ok(()), "what was revoked is over");
}

#[test]
fn there_are_so_many_blocks_and_no_more() {
    let mut scene = scene();
    for number in 0..limits::BLOCKS_MAX {
        scene.life.blocked.insert(agent(number).scope());
    }
    let one_more = agent(limits::BLOCKS_MAX);
    assert_eq!(scene.step(|life| life.block(&one_more)), Err(AdminError::Full));
    assert_eq!(scene.step(|life| life.block(&agent(7))), Ok(()));
    assert_eq!(scene.step(|life| life.unblock(&agent(7))), Ok(()));
    assert_eq!(scene.step(|life| life.block(&one_more)), Ok(()));
}

#[test]
fn there_are_so_many_abandoned_ids_and_no_more() {
    let mut scene = scene();
    let id = |number: usize| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
        GrantId::from_bytes(bytes)
    };
    let over = NOW.plus(100);
    for number in 0..limits::ABANDONED_MAX {
        scene.life.abandoned.insert(id(number), over);
    }
    let one_more = id(limits::ABANDONED_MAX);
    assert_eq!(scene.step(|life| life.abandon(one_more)), Err(AdminError::Full));
    assert_eq!(scene.step(|life| life.abandon(id(7))), Ok(()));
    scene.pass(100);
    assert_eq!(scene.step(|life| life.abandon(one_more)), Ok(()));
}

#[test]
fn no_caller_counts_without_end() {
    let mut scene = scene();
    scene.step(Life::open_budgets).unwrap();
    let mut grants = 0_u64;
    let mut take = |scene: &mut Scene, value: usize, caller: &Selector| {
        grants += 1;
        let mut grant = [0; 16];
        grant[..8].copy_from_slice(&grants.to_be_bytes());
        let take = Take {
            grant: GrantId::from_bytes(grant),
            budget: BudgetKey::of("payments", &value.to_string(), 60),
            caller: caller.scope(),
            amount: 1,
            limit: 100,
            window_seconds: 60,
        };
        scene.step(|life| life.take(&take)).map(|_| ())
    };
    let (caller, other) = (agent(1), agent(2));
    for value in 0..limits::BUDGETS_PER_CALLER_MAX {
        take(&mut scene, value, &caller).unwrap();
    }
    assert_eq!(take(&mut scene, usize::MAX, &caller), Err(TakeError::Full));
    assert_eq!(take(&mut scene, 7, &caller), Ok(()), "counted already");
    assert_eq!(take(&mut scene, usize::MAX, &other), Ok(()));
    scene.pass(60);
    assert_eq!(take(&mut scene, usize::MAX, &caller), Ok(()));
}

//! Claimants, and the naive store that they make a fool of.

use std::time::Duration;

use farebox_lab::{
    Claimants, Fault, Fsync, Naive, Options, Order, Pair, Policy, Proxy, Redis, Side, Tally,
    Verdict,
};

const PATIENCE: Duration = Duration::from_secs(5);
const TOKENS: usize = 500;

/// Claims everything, lets something happen, claims everything again.
fn twice(address: std::net::SocketAddr, fault: impl FnOnce()) -> Tally {
    let claimants = Claimants::new(4, Order::Apart);
    let before = Naive::at(address, PATIENCE);
    let mut tally = claimants.run(0..TOKENS, |token, _| before.verdict(token));
    assert_eq!(tally.spent_once(), TOKENS);
    tally.fault_begins();
    fault();
    let after = Naive::at(address, PATIENCE);
    let mut fresh = TOKENS;
    tally.fresh_works(|| {
        fresh += 1;
        after.verdict(fresh)
    });
    tally.absorb(claimants.run(0..TOKENS, |token, _| after.verdict(token)));
    tally
}

#[test]
fn while_nothing_happens_the_naive_store_grants_once() {
    let redis = Redis::start(Options::plain());
    let naive = Naive::at(redis.address(), PATIENCE);
    for order in [Order::Racing, Order::Scattered] {
        let mut tally = Claimants::new(8, order).run(0..TOKENS, |token, _| naive.verdict(token));
        assert_eq!((tally.spent_once(), tally.spent_twice()), (TOKENS, 0), "{order:?}");
        tally.absorb(Claimants::new(2, order).run(0..TOKENS, |token, _| naive.verdict(token)));
        assert_eq!((tally.offered(), tally.spent_twice()), (TOKENS, 0), "{order:?}");
        redis.flush();
    }
}

#[test]
fn a_restart_makes_the_naive_store_grant_everything_again() {
    let redis = Redis::start(Options::plain());
    let tally = twice(redis.address(), || redis.restart());
    assert_eq!(tally.spent_twice(), TOKENS);
    let after = tally.fresh_after().unwrap();
    let row = format!("| a restart | 500 | 0 | 500 | 0 | 0 | {} ms |", after.as_millis());
    assert_eq!(tally.row("a restart"), row);
}

#[test]
fn an_append_only_file_saves_it_from_a_restart_and_not_from_a_power_cut() {
    let redis = Redis::start(Options::plain().aof(Fsync::Never).power());
    assert_eq!(twice(redis.address(), || redis.restart()).spent_twice(), 0);
    redis.flush();
    let cut = || {
        redis.power_cut();
        redis.restart();
    };
    assert!(twice(redis.address(), cut).spent_twice() > 0);
}

#[test]
fn synced_before_each_reply_it_survives_that_too() {
    let redis = Redis::start(Options::plain().aof(Fsync::Always).power());
    let cut = || {
        redis.power_cut();
        redis.restart();
    };
    assert_eq!(twice(redis.address(), cut).spent_twice(), 0);
}

#[test]
fn a_follower_that_lags_makes_it_grant_everything_again() {
    let pair = Pair::start();
    let front = Proxy::before(pair.server(Side::A).address());
    pair.lag();
    let tally = twice(front.address(), || {
        pair.server(Side::A).kill();
        pair.promote(Side::B);
        front.turn_to(pair.server(Side::B).address());
        front.cut();
    });
    assert_eq!(tally.spent_twice(), TOKENS);
}

#[test]
fn a_full_memory_and_a_clock_make_it_grant_again() {
    let full = Redis::start(Options::plain());
    let press = || assert!(full.press(Policy::ALL_KEYS_RANDOM, 1 << 20).evicted > 0);
    assert!(twice(full.address(), press).spent_twice() > 0);
    let early = Redis::start(Options::plain().clock());
    let tally = twice(early.address(), || early.clock().set_offset_seconds(400));
    assert_eq!(tally.spent_twice(), TOKENS);
}

#[test]
fn a_lost_reply_burns_a_use() {
    let redis = Redis::start(Options::plain());
    let proxy = Proxy::before(redis.address());
    proxy.next(10, Fault::CutBeforeReply);
    let naive = Naive::at(proxy.address(), PATIENCE);
    let one = Claimants::new(1, Order::Apart);
    let mut tally = one.run(0..20, |token, _| naive.verdict(token));
    assert_eq!((tally.spent_once(), tally.unavailable()), (10, 10));
    tally.absorb(one.run(0..20, |token, _| naive.verdict(token)));
    assert_eq!((tally.spent_once(), tally.falsely_refused(), tally.unavailable()), (10, 10, 0));
}

#[test]
fn a_fault_comes_while_they_are_at_it() {
    let redis = Redis::start(Options::plain());
    let naive = Naive::at(redis.address(), PATIENCE);
    let tally = Claimants::new(4, Order::Racing).run_during(
        0..1_000_000,
        |token, _| naive.verdict(token),
        |progress| {
            progress.wait_for_grants(1000);
            redis.kill();
            progress.stop();
        },
    );
    assert!(tally.spent_once() >= 1000 && tally.offered() < 1_000_000);
    assert_eq!(naive.verdict(0), Verdict::Unavailable);
}

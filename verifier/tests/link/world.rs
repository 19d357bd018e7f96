//! What the tests say in one word.

use std::error::Error;
use std::time::Duration;

use farebox_verifier::StoreName;
use farebox_verifier::redis::{Address, Call, Link, Reply, Tls, Unanswered, Waits};
use tokio::time::{Instant, sleep, timeout};

/// A library with a function that repeats its argument, and one that fails.
pub(crate) const LIBRARY: &str = "#!lua name=probe
redis.register_function('probe_echo', function(keys, args) return args[1] end)
redis.register_function('probe_fail', function(keys, args) error('gone') end)
redis.register_function('probe_write', function(keys, args)
  redis.call('SET', keys[1], 'x')
  return args[1]
end)";

/// Longer than any answer takes on a busy machine.
pub(crate) const PATIENT: Waits =
    Waits { connect: Duration::from_secs(10), call: Duration::from_secs(20), in_flight_max: 1024 };

/// Short, for tests in which nobody answers.
pub(crate) const HASTY: Waits = Waits {
    connect: Duration::from_millis(300),
    call: Duration::from_millis(400),
    in_flight_max: 1024,
};

/// Ends a test that would hang.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.unwrap()
}

pub(crate) fn address(url: &str, tls: Option<Tls>) -> Address {
    Address::parse(StoreName::parse("r1").unwrap(), url, tls).unwrap()
}

pub(crate) fn link(port: u16, waits: Waits) -> Link {
    Link::new(address(&format!("redis://127.0.0.1:{port}"), None), waits)
}

/// The echo and the argument of call number `n`.
pub(crate) fn packed(n: u64) -> [u8; 24] {
    let mut packed = [0xa5; 24];
    packed[..8].copy_from_slice(&n.to_be_bytes());
    packed[16..].copy_from_slice(&n.to_le_bytes());
    packed
}

/// Calls `probe_echo` with a number of its own.
pub(crate) async fn echo(link: &Link, n: u64) -> Result<Reply, Unanswered> {
    call(link, "probe_echo", n).await
}

pub(crate) async fn call(link: &Link, function: &'static str, n: u64) -> Result<Reply, Unanswered> {
    let packed = packed(n);
    let call = Call { function, key: b"fb1:{00}:j:probe", packed: &packed };
    link.call(call, packed[..16].try_into().unwrap()).await
}

/// That call `n` was answered, and with its own reply.
pub(crate) fn assert_answered(n: u64, answer: Result<Reply, Unanswered>) {
    match answer {
        Ok(reply) => assert_eq!(reply.body(), n.to_le_bytes()),
        Err(unanswered) => panic!("call {n}: {}", said(&unanswered)),
    }
}

/// What a person would see of an error, causes and all.
pub(crate) fn said(error: &dyn Error) -> String {
    let (mut shown, mut cause) = (String::new(), Some(error));
    while let Some(error) = cause {
        shown += &format!("{error} ({error:?}): ");
        cause = error.source();
    }
    shown
}

/// Calls until there is an answer; each that comes is the right one.
pub(crate) async fn recovered(link: &Link) {
    let begun = Instant::now();
    for n in 1 << 32.. {
        match echo(link, n).await {
            Ok(reply) => return assert_eq!(reply.body(), n.to_le_bytes()),
            Err(error) if begun.elapsed() > Duration::from_secs(30) => panic!("{}", said(&error)),
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

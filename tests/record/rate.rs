//! How many entries a second sixty-four callers record, beside the log alone.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farebox::log::{Log, Options};
use farebox::record::Kind;
use tokio::task::JoinSet;

use super::scene::{Scene, described};

const CALLERS: u64 = 64;
const FOR: Duration = Duration::from_secs(2);

/// Calls in a second, of so many callers who each wait for one before the next.
#[expect(clippy::disallowed_methods, reason = "a figure is what is measured")]
fn rate<F: Future<Output = ()> + Send>(call: impl Fn(u64) -> F + Clone + Send + 'static) -> u64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + FOR;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            let (call, count) = (call.clone(), Arc::clone(&count));
            tasks.spawn(async move {
                while Instant::now() < until {
                    call(count.fetch_add(1, Ordering::Relaxed)).await;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
    count.load(Ordering::Relaxed) / FOR.as_secs()
}

#[test]
fn recording_costs_little_beside_the_log() {
    let scene = Scene::on_disk();
    let log = Log::open(&scene.beside("log"), Options::default(), |_| Ok::<(), Infallible>(()));
    let log = Arc::new(log.unwrap().0);
    let payload = vec![7; 560];
    let raw = rate(move |_| {
        let pending = log.append(&[&payload]).unwrap();
        async move {
            pending.await.unwrap();
        }
    });
    let record = Arc::new(scene.open());
    let recorded = rate(move |number| {
        let pending = record.append(described(Kind::Spent, number)).unwrap();
        async move {
            pending.await.unwrap();
        }
    });
    println!("{CALLERS} callers: the log alone {raw}/s, the record {recorded}/s");
    assert!(recorded * 10 > raw, "{recorded} of {raw}");
}

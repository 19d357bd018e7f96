//! Live streams: every entry once, in order, and only what lasts.

use std::sync::Arc;

use farebox::record::{Entry, Follow, Kind};

use super::scene::{Scene, described, life_of};

async fn take(follow: &mut Follow, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.extend(follow.next().await.unwrap().iter().map(|recorded| recorded.n));
    }
    seen
}

#[tokio::test]
async fn whoever_follows_sees_every_entry_once_and_in_order_across_files() {
    let scene = Scene::new().short_files();
    let record = Arc::new(scene.open());
    for number in 0..100 {
        drop(record.append_all(life_of(number).into()).unwrap());
    }
    let mut from_the_start = record.follow(0);
    let behind = record.head().n;
    let mut from_here = record.follow(behind);
    let early = take(&mut from_the_start, 250).await;
    for number in 100..200 {
        drop(record.append_all(life_of(number).into()).unwrap());
    }
    let last = record.head().n;
    let rest = take(&mut from_the_start, usize::try_from(last).unwrap() - early.len()).await;
    assert!(early.iter().chain(&rest).copied().eq(1..=last));
    let late = take(&mut from_here, usize::try_from(last - behind).unwrap()).await;
    assert!(late.iter().copied().eq(behind + 1..=last));
}

#[tokio::test]
async fn one_who_waits_is_woken_and_one_who_gave_up_misses_nothing() {
    let scene = Scene::new();
    let record = Arc::new(scene.open());
    let mut follow = record.follow(record.head().n);
    tokio::select! {
        biased;
        seen = follow.next() => panic!("there is nothing: {seen:?}"),
        () = std::future::ready(()) => {}
    }
    drop(record.append(Entry::of(Kind::Alarm)).unwrap());
    tokio::select! {
        biased;
        _ = follow.next() => {}
        () = std::future::ready(()) => {}
    }
    let mut follow = record.follow(record.head().n);
    let record = Arc::clone(&record);
    let (seen, receipt) = tokio::join!(follow.next(), async {
        record.append(described(Kind::Spent, 1)).unwrap().await.unwrap()
    });
    assert_eq!(seen.unwrap()[0].n, receipt.n);
}

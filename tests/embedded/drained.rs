//! What a drain finds after a start: the journals of lives that were cut short, and what it had not let go of.

use std::sync::Arc;

use farebox::store::Embedded;
use farebox::store::drain::{Drain, Gap};
use farebox::store::event::What;

use super::archive::{Mood, Shelf};
use super::scene::{Scene, close, ended, events_after, issue, living, spend};

fn drain(store: &Arc<Embedded>, shelf: &Arc<Shelf>) -> Drain {
    Drain::new(Arc::clone(store) as _, Arc::clone(shelf) as _, "issuer-1", 1)
}

#[tokio::test]
async fn a_life_that_was_cut_short_is_drained_and_ends_in_a_gap() {
    let (scene, shelf) = (Scene::new(), Arc::new(Shelf::default()));
    let store = scene.open();
    let life = living(&*store).await;
    let ticket = issue(&scene, &*store, 1).await;
    assert_eq!(drain(&store, &shelf).round().await.failed, 0);
    spend(&*store, &ticket, 1).await.unwrap();
    drop(store);

    let (store, fenced) = scene.open_unsealed();
    assert_eq!(fenced, 1);
    let round = drain(&store, &shelf).round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (1, 0, 0), "{round:?}");
    let sequence = 1;
    assert_eq!(shelf.after(&life, 3), [What::Spent { sequence }]);
    assert_eq!(shelf.gaps(), [(life, Gap::Ending { after: 4 })]);
    assert_eq!(ended(&*store).await, [], "it is forgotten");

    // Also by the file: the next start knows nothing of it.
    close(store).await;
    let store = scene.open_sealed();
    assert_eq!(ended(&*store).await, []);
    assert_eq!(drain(&store, &shelf).round().await.gaps, 0);
}

/// It was cut short so often, and each time before its journal was drained.
#[tokio::test]
async fn lives_that_were_cut_short_one_after_the_other_are_all_drained() {
    let (scene, shelf) = (Scene::new(), Arc::new(Shelf::default()));
    let mut lives = Vec::new();
    for number in 1..=3 {
        let store = scene.open();
        issue(&scene, &*store, number).await;
        lives.push(living(&*store).await);
    }
    let store = scene.open();
    shelf.is(Mood::Refuses);
    let refused = drain(&store, &shelf).round().await;
    assert_eq!((refused.failed, refused.events, ended(&*store).await.len()), (4, 0, 3));
    // Two for each of them; the last one's opening, and its lease.
    assert_eq!(refused.lag, 8);
    shelf.is(Mood::Keeps);
    let round = drain(&store, &shelf).round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (3, 0, 0), "{round:?}");
    for life in &lives {
        assert_eq!(shelf.after(life, 0).len(), 2);
    }
    assert_eq!(ended(&*store).await, []);
}

#[tokio::test]
async fn what_was_kept_and_not_let_go_of_is_let_go_of_after_a_start() {
    let (scene, shelf) = (Scene::new(), Arc::new(Shelf::default()));
    let store = scene.open();
    let life = living(&*store).await;
    issue(&scene, &*store, 1).await;
    shelf.is(Mood::Hangs);
    let mut dying = drain(&store, &shelf);
    tokio::select! {
        round = dying.round() => panic!("it lived: {round:?}"),
        () = shelf.hung() => {}
    }
    drop(dying);
    close(store).await;

    shelf.is(Mood::Keeps);
    let store = scene.open_sealed();
    assert_eq!(events_after(&*store, &life, 0).await.len(), 3);
    let round = drain(&store, &shelf).round().await;
    assert_eq!((round.gaps, round.failed, round.lag), (0, 0, 0), "{round:?}");
    assert_eq!(events_after(&*store, &life, 0).await, []);
    assert_eq!(shelf.after(&life, 0).len(), 4);
}

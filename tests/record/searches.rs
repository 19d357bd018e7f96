//! What is found: all of it, in order, page by page, and nothing else.

use farebox::record::verify::{Source, verify};
use farebox::record::{Entry, Kind, Order, Page, Query, Recorded};
use farebox_verifier::{Agent, Workflow};

use super::scene::{NOW, Scene, append, described, grant, life_of, ring, wait};

fn all(scene: &Scene, mut query: Query) -> Vec<u64> {
    let reader = scene.reader();
    let mut found = Vec::new();
    loop {
        let Page { items, next } = reader.search(&query).unwrap();
        assert!(items.len() <= query.limit);
        found.extend(items.iter().map(|recorded| recorded.n));
        match next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

fn expected(scene: &Scene, takes: impl Fn(&Recorded) -> bool) -> Vec<u64> {
    scene.read().iter().filter(|recorded| takes(recorded)).map(|recorded| recorded.n).collect()
}

#[test]
fn every_action_of_one_workflow_is_found_in_order_in_pages_of_any_size() {
    let scene = Scene::new().short_files().filled(300);
    let workflow = Workflow::parse("run-17").unwrap();
    let of_it = expected(&scene, |recorded| recorded.entry.workflow.as_deref() == Some("run-17"));
    assert_eq!(of_it.len(), 18);
    for limit in [1, 5, 18, 100] {
        let query = Query { workflow: Some(workflow.clone()), limit, ..Query::default() };
        assert_eq!(all(&scene, query.clone()), of_it);
        let back = all(&scene, Query { order: Order::NewestFirst, ..query });
        assert!(back.iter().rev().eq(&of_it), "{limit}: {back:?}");
    }
}

#[test]
fn whatever_is_asked_for_must_be_so_together() {
    let scene = Scene::new().filled(60);
    let agent = Agent::parse("key:agent-3").unwrap();
    let kind = Some(Kind::Spent);
    let query = Query { agent: Some(agent), kind, limit: 100, ..Query::default() };
    let of_both = expected(&scene, |recorded| {
        recorded.entry.agent.as_deref() == Some("key:agent-3") && recorded.entry.kind == Kind::Spent
    });
    assert_eq!(all(&scene, query), of_both);
    let query = Query { grant: Some(grant(59)), limit: 100, ..Query::default() };
    assert_eq!(all(&scene, query).len(), 3);
    let query = Query { grant: Some(grant(60)), limit: 100, ..Query::default() };
    assert!(all(&scene, query).is_empty());
}

#[test]
fn only_the_member_counts_and_not_a_detail_that_says_the_same() {
    let scene = Scene::new();
    let record = scene.open();
    let n = append(&record, Entry::of(Kind::Alarm).by("oidc:corp:alice"));
    append(&record, Entry::of(Kind::Alarm).detail("by", "oidc:corp:alice"));
    let by = Some("oidc:corp:alice".into());
    assert_eq!(all(&scene, Query { by, limit: 9, ..Query::default() }), [n]);
}

#[test]
fn what_happened_within_a_time_is_found_by_it() {
    let scene = Scene::new();
    let record = scene.open();
    let ns: Vec<u64> = (0..10)
        .map(|_| {
            scene.clock.advance(1);
            append(&record, Entry::of(Kind::Alarm))
        })
        .collect();
    let (from, to, kind) = (Some(NOW.plus(3)), Some(NOW.plus(6)), Some(Kind::Alarm));
    assert_eq!(all(&scene, Query { from, to, kind, limit: 100, ..Query::default() }), ns[2..5]);
}

#[test]
fn a_hundred_thousand_entries_are_searched_in_a_moment() {
    let scene = Scene::new();
    let record = scene.open();
    for number in 0..25_000 {
        drop(record.append_all(life_of(number).into()).unwrap());
        let last = record.append(described(Kind::Settled, number)).unwrap();
        // No more than what may wait for the disk.
        if number % 1_000 == 0 {
            wait(last).unwrap();
        }
    }
    wait(record.close()).unwrap();
    let (workflow, kind) = (Workflow::parse("run-17").ok(), Some(Kind::Settled));
    let query = Query { workflow, kind, limit: 1_000, ..Query::default() };
    #[expect(clippy::disallowed_methods, reason = "a figure for people, which decides nothing")]
    let begun = std::time::Instant::now();
    assert_eq!(all(&scene, query.clone()).len(), 500);
    println!("100,000 entries, one workflow: {:?}", begun.elapsed());
    #[expect(clippy::disallowed_methods, reason = "a figure for people, which decides nothing")]
    let begun = std::time::Instant::now();
    let folder = Source::Folder(scene.folder());
    let report = verify(&[folder], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!((report.faults, report.spent), (vec![], 25_000));
    println!("100,000 entries, verified: {:?}", begun.elapsed());
    assert_eq!(all(&scene, Query { order: Order::NewestFirst, limit: 10, ..query }).len(), 500);
}

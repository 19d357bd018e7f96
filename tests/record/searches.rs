//! What is found: all of it, in order, page by page, and nothing else.

use std::sync::Arc;

use farebox::limits;
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

#[test]
fn a_search_looks_through_so_many_bytes_and_says_where_to_go_on() {
    let mut scene = Scene::new();
    scene.options.segment_bytes = 16 << 20;
    let record = scene.open();
    let long = "x".repeat(700_000);
    // Three times what one search looks through.
    for _ in 0..300 {
        wait(record.append(Entry::of(Kind::Alarm).detail("long", long.clone())).unwrap()).unwrap();
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut query = Query { kind: Some(Kind::Started), order, limit: 9, ..Query::default() };
        let mut pages = 0;
        loop {
            let page = scene.reader().search(&query).unwrap();
            assert_eq!(page.items, []);
            pages += 1;
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert!((3..=4).contains(&pages), "{order:?} {pages}");
    }
}

#[test]
fn an_export_of_one_tenant_has_its_lines_and_one_of_all_has_all() {
    let scene = Scene::new();
    let record = Arc::new(scene.open());
    for number in 0..3_000 {
        let tenant = if number % 100 == 0 { "acme" } else { "other" };
        let entry = Entry::of(Kind::Alarm).tenant(tenant).detail("tenants", "acme");
        drop(record.append(entry).unwrap());
    }
    append(&record, Entry::of(Kind::Alarm));
    // One thread reads for all of them, so that none may keep it.
    let runtime =
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let mut left: Vec<_> = (0..8).map(|_| record.export(0, None)).collect();
    for export in &mut left {
        assert!(runtime.block_on(export.next()).unwrap().is_some());
    }
    let lines = |tenant: Option<&str>| {
        let mut export = record.export(0, tenant.map(Box::from));
        let mut lines = Vec::new();
        while let Some(some) = runtime.block_on(export.next()).unwrap() {
            lines.extend(some);
        }
        String::from_utf8(lines).unwrap()
    };
    assert_eq!(lines(Some("acme")).lines().count(), 30);
    let all = lines(None);
    assert_eq!(u64::try_from(all.lines().count()).unwrap(), record.head().n);
    assert!(all.len() > limits::RECORD_EXPORT_BYTES_AT_ONCE, "others are not at their end");
}

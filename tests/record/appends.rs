//! What is appended: in the order of the calls, chained, durable, and there after a start.

use farebox::limits;
use farebox::record::verify::{Source, verify};
use farebox::record::{Checkpoint, Entry, Kind, NotTaken, Record, RecordError};

use super::scene::{Scene, append, described, grant, is_chain, key, life_of, ring, wait};

#[test]
fn entries_stand_in_the_order_of_the_calls_and_are_there_after_a_start() {
    let scene = Scene::new();
    let record = scene.open();
    let pending: Vec<_> =
        (0..30).flat_map(life_of).map(|entry| record.append(entry).unwrap()).collect();
    let receipts: Vec<_> = pending.into_iter().map(|pending| wait(pending).unwrap()).collect();
    drop(record);

    let (record, opened) = scene.try_open().unwrap();
    assert!(!opened.created && !opened.sealed && opened.cut_bytes == 0);
    let entries = scene.read();
    assert!(is_chain(&entries) && entries[0].n == 1);
    let said: Vec<_> = entries.iter().filter(|entry| entry.entry.grant.is_some()).collect();
    for (number, three) in said.chunks(3).enumerate() {
        let expected = life_of(number as u64);
        for (recorded, expected) in three.iter().zip(expected) {
            assert_eq!(recorded.entry.kind, expected.kind);
            assert_eq!(recorded.entry.grant, expected.grant);
        }
    }
    for (recorded, receipt) in said.iter().zip(receipts) {
        assert_eq!((recorded.n, recorded.hash), (receipt.n, receipt.hash));
    }
    assert_eq!(record.head().n, entries.last().unwrap().n);
}

#[test]
fn a_record_that_was_closed_is_found_sealed() {
    let scene = Scene::new().filled(3);
    let (_record, opened) = scene.try_open().unwrap();
    assert!(opened.sealed && opened.begun.is_empty());
}

#[test]
fn files_follow_each_other_without_breaking_the_chain() {
    let scene = Scene::new().short_files().filled(300);
    let entries = scene.read();
    assert!(is_chain(&entries) && entries[0].n == 1);
    let begins = entries.iter().filter(|entry| entry.entry.kind == Kind::Segment).count();
    assert!(begins > 5, "{begins} files");
    let begins = u32::try_from(begins).unwrap();
    assert!(scene.file(begins).exists() && !scene.file(begins + 1).exists());

    // A start reads the last file alone: that the first is gone is no concern of it.
    std::fs::rename(scene.file(1), scene.beside("archived")).unwrap();
    let record = scene.open();
    append(&record, Entry::of(Kind::Started));
    drop(record);
    assert!(is_chain(&scene.read()));
}

#[test]
fn requests_that_nothing_closed_are_found_again_however_many_files_later() {
    let scene = Scene::new().short_files();
    let record = scene.open();
    let n = append(&record, described(Kind::Requested, 1_000));
    append(&record, described(Kind::Requested, 1_001));
    for number in 0..300 {
        drop(record.append_all(life_of(number).into()).unwrap());
    }
    append(&record, described(Kind::Denied, 1_001));
    assert_eq!(record.begun().len(), 1);
    drop(record);
    let (record, opened) = scene.try_open().unwrap();
    let [begun] = opened.begun.as_slice() else { panic!("{:?}", opened.begun) };
    assert_eq!((&*begun.grant, begun.n), (grant(1_000).to_string().as_str(), n));
    let found = record.reader().entries(&[n]).unwrap();
    assert_eq!(found[0].entry.resource.as_deref(), Some("account/1000"));
}

#[test]
fn a_checkpoint_comes_after_so_many_entries_and_after_so_many_seconds() {
    let scene = Scene::new();
    let record = scene.open();
    for _ in 0..25 {
        append(&record, Entry::of(Kind::Alarm));
    }
    scene.clock.advance(11);
    append(&record, Entry::of(Kind::Alarm));
    let entries = scene.read();
    let checkpoints: Vec<_> = entries.iter().filter_map(Checkpoint::of).collect();
    // One where the chain begins, one after twenty entries, one after ten seconds.
    assert_eq!(checkpoints.len(), 3);
    let ring = ring(&[(1, 1)], &[]);
    let public = ring.issuer(1).unwrap().key();
    assert!(checkpoints.iter().all(|checkpoint| checkpoint.is_signed_by(public)));
    let one = &checkpoints[1];
    let found = entries.iter().find(|entry| entry.n == one.n).unwrap();
    assert_eq!(found.hash, one.hash);
    let json = one.to_json().to_string();
    assert_eq!(Checkpoint::from_json(json.as_bytes()).unwrap(), *one);
}

#[test]
fn another_key_signs_from_the_change_on() {
    let scene = Scene::new();
    let record = scene.open();
    append(&record, Entry::of(Kind::Started));
    wait(record.change_key(Box::new(key((2, 2)))).unwrap()).unwrap();
    append(&record, Entry::of(Kind::Stopped));
    wait(record.checkpoint().unwrap()).unwrap();
    let keys: Vec<u32> =
        scene.read().iter().filter_map(Checkpoint::of).map(|checkpoint| checkpoint.key).collect();
    assert_eq!(keys, [1, 1, 2, 2]);
}

#[test]
fn what_is_too_large_or_the_records_own_is_not_taken() {
    let scene = Scene::new();
    let record = scene.open();
    let head = record.head();
    let long = Entry::of(Kind::Alarm).reason(&"x".repeat(limits::RECORD_PROSE_BYTES_MAX + 1));
    assert!(matches!(record.append(long), Err(NotTaken::Member(_))));
    let large = Entry::of(Kind::Alarm).detail("x", "x".repeat(limits::RECORD_ENTRY_BYTES_MAX));
    assert!(matches!(record.append(large), Err(NotTaken::TooLarge { .. })));
    for kind in [Kind::Checkpoint, Kind::Segment, Kind::Carried] {
        assert!(matches!(record.append(Entry::of(kind)), Err(NotTaken::Own)));
    }
    assert_eq!(record.head(), head);
}

#[test]
fn only_so_many_requests_are_open_at_once() {
    let scene = Scene::new();
    let record = scene.open();
    for number in 0..limits::RECORD_OPEN_MAX as u64 {
        let entry = Entry::of(Kind::Requested).grant(grant(number));
        // More than wait for the disk at once are refused for another reason.
        if number % 1_000 == 0 {
            append(&record, entry);
        } else {
            drop(record.append(entry).unwrap());
        }
    }
    let more = || record.append(Entry::of(Kind::Requested).grant(grant(1 << 40)));
    assert!(matches!(more(), Err(NotTaken::Full)));
    append(&record, Entry::of(Kind::Refused).grant(grant(0)));
    wait(more().unwrap()).unwrap();
}

#[test]
fn a_record_is_open_once() {
    let scene = Scene::new();
    let record = scene.open();
    assert!(matches!(scene.refusal(), RecordError::Locked { .. }));
    drop(record);
    scene.open();
}

#[test]
fn what_agents_say_stays_within_its_line() {
    let scene = Scene::new();
    let record = scene.open();
    let evil = "\",\"hash\":\"\n{\"chain\":\"issuer-1\",\"n\":9}\r\n\u{1b}[2J\u{2028}";
    append(&record, Entry::of(Kind::Denied).reason(evil).detail(evil, evil));
    let found = scene.read();
    let found = found.iter().find(|entry| entry.entry.kind == Kind::Denied).unwrap();
    assert_eq!(found.entry.reason.as_deref(), Some(evil));
    assert!(!found.line().contains('\n'));
}

#[test]
fn a_next_file_that_cannot_be_begun_is_tried_again_with_the_next_append() {
    let scene = Scene::new().short_files();
    let record = scene.open();
    let in_the_way = scene.file(2);
    std::fs::write(&in_the_way, b"mine").unwrap();
    let long = || Entry::of(Kind::Alarm).detail("long", "x".repeat(4_000));
    let mut kept = 0;
    // Whoever waits is told, each time, and the issuer says what is wrong with it.
    let lost = |record: &Record| record.append(long()).map(wait).map_or(true, |kept| kept.is_err());
    while !lost(&record) {
        kept += 1;
        assert!(kept < 100, "no other file is begun");
    }
    assert!(record.trouble().is_some());
    for _ in 0..3 {
        assert!(lost(&record) && record.checkpoint().map(wait).map_or(true, |kept| kept.is_err()));
    }
    std::fs::remove_file(&in_the_way).unwrap();
    assert!(!lost(&record));
    assert!(record.trouble().is_none());
    for _ in 0..30 {
        assert!(!lost(&record));
    }
    wait(record.close()).unwrap();
    drop(record);
    assert!(scene.file(3).exists());
    let report = verify(&[Source::Folder(scene.folder())], &ring(&[(1, 1)], &[]), &[]).unwrap();
    assert_eq!(report.faults, vec![]);
    let kinds = scene.read().into_iter().filter(|recorded| recorded.entry.kind == Kind::Alarm);
    assert_eq!(kinds.count(), kept + 31);
}

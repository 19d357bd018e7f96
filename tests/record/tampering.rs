//! Every way to change what was written, by somebody with the files and without the key: each is found out.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use farebox::record::verify::{Flaw, Report, Source, verify};
use farebox::record::{Checkpoint, Kind, RecordError, Recorded};
use farebox_verifier::KeyRing;

use super::scene::{Scene, append, described, key, read, ring, wait};

/// An export of a record, as somebody has it who changes it.
struct Export {
    scene: Scene,
    lines: Vec<String>,
}

impl Export {
    fn of(grants: u64) -> Export {
        let scene = Scene::new().filled(grants);
        let lines = scene.read().iter().map(Recorded::line).collect();
        Export { scene, lines }
    }

    fn path(&self) -> PathBuf {
        let path = self.scene.beside("export.ndjson");
        fs::write(&path, self.lines.join("\n") + "\n").unwrap();
        path
    }

    fn report(&self) -> Report {
        self.report_with(&trusted(), &[])
    }

    fn report_with(&self, keys: &KeyRing, known: &[Checkpoint]) -> Report {
        verify(&[Source::Export(self.path())], keys, known).unwrap()
    }

    fn flaws(&self) -> Vec<(u64, Flaw)> {
        let faults = self.report().faults.into_iter();
        faults.map(|fault| (fault.n, fault.flaw)).collect()
    }

    /// Writes every hash again from this line on, as anybody can.
    fn chain_again(&mut self, from: usize) {
        let mut prev = match from.checked_sub(1) {
            Some(before) => hash_of(&self.lines[before]),
            None => "0".repeat(64),
        };
        for (n, line) in (1_u64..).zip(&mut self.lines).skip(from) {
            let (_, rest) = line.split_once(r#"","n":"#).unwrap();
            let (_, rest) = rest.split_once(r#","prev":""#).unwrap();
            let (_, rest) = rest.split_at(64);
            let (body, _) = rest.rsplit_once(r#","hash":""#).unwrap();
            let hashed = format!(r#"{{"chain":"issuer-1","n":{n},"prev":"{prev}{body}"#);
            let bytes =
                [b"farebox-record-entry/1\0".to_vec(), unhex(&prev), hashed.clone().into_bytes()];
            prev = hex(digest(&SHA256, &bytes.concat()).as_ref());
            *line = format!(r#"{hashed},"hash":"{prev}"}}"#);
        }
    }

    fn last_n(&self) -> u64 {
        self.lines.len() as u64
    }
}

fn trusted() -> KeyRing {
    ring(&[(1, 1)], &[])
}

fn hash_of(line: &str) -> String {
    let (_, hash) = line.strip_suffix("\"}").unwrap().rsplit_once('"').unwrap();
    hash.to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn a_record_that_nobody_touched_is_good() {
    let export = Export::of(50);
    let report = export.report();
    assert_eq!(report.faults, []);
    assert_eq!((report.chains[0].first, report.chains[0].last), (1, export.last_n()));
    assert_eq!((report.chains[0].signed, report.spent), (export.last_n() - 1, 50));
    let folder = Source::Folder(export.scene.folder());
    let of_folder = verify(&[folder], &trusted(), &[]).unwrap();
    // An export has no checkpoint beside it.
    let witnessed = (report.chains[0].witnessed, of_folder.chains[0].witnessed);
    assert_eq!((of_folder.spent, witnessed), (50, (0, export.last_n() - 1)));
}

#[test]
fn an_entry_that_was_edited_is_named() {
    let mut export = Export::of(20);
    export.lines[10] = export.lines[10].replace("payments.transfer", "payments.transfeR");
    assert_eq!(export.flaws(), [(11, Flaw::Altered)]);
}

#[test]
fn an_edited_entry_with_its_hash_written_again_does_not_fit_the_next() {
    let mut export = Export::of(20);
    let rest = export.lines.split_off(11);
    export.lines[10] = export.lines[10].replace("payments.transfer", "payments.transfeR");
    export.chain_again(10);
    export.lines.extend(rest);
    assert_eq!(export.flaws(), [(12, Flaw::Spliced { from: 11 })]);
}

#[test]
fn an_edit_with_every_hash_written_again_breaks_every_signature() {
    let mut export = Export::of(20);
    export.lines[10] = export.lines[10].replace("payments.transfer", "payments.transfeR");
    export.chain_again(10);
    let flaws = export.flaws();
    assert!(flaws.len() >= 3, "{flaws:?}");
    assert!(flaws.iter().all(|(_, flaw)| *flaw == Flaw::BadSignature { key: 1 }), "{flaws:?}");
}

#[test]
fn a_chain_without_signatures_is_not_taken_for_one() {
    let mut export = Export::of(20);
    export.lines.retain(|line| !line.contains(r#""kind":"checkpoint""#));
    export.chain_again(0);
    assert_eq!(export.flaws(), [(export.last_n(), Flaw::Unsigned)]);
}

#[test]
fn an_entry_that_was_dropped_is_missing() {
    let mut export = Export::of(20);
    export.lines.remove(10);
    assert_eq!(export.flaws(), [(12, Flaw::Missing { from: 11, to: 11 })]);
    export.lines.remove(0);
    assert_eq!(export.flaws()[0], (2, Flaw::Missing { from: 1, to: 1 }));
}

#[test]
fn entries_in_another_order_are_named() {
    let mut export = Export::of(20);
    export.lines.swap(10, 11);
    let flaws = export.flaws();
    assert_eq!(flaws[0], (12, Flaw::Missing { from: 11, to: 11 }));
    assert_eq!(flaws[1], (11, Flaw::OutOfOrder { behind: 12 }));
}

#[test]
fn an_entry_that_stands_there_twice_is_named() {
    let mut export = Export::of(20);
    let twice = export.lines[10].clone();
    export.lines.insert(11, twice);
    assert_eq!(export.flaws(), [(11, Flaw::OutOfOrder { behind: 11 })]);
}

#[test]
fn an_entry_of_another_chain_is_named() {
    let mut export = Export::of(20);
    let other = Scene::of_chain("issuer-2").filled(20).read()[10].line();
    export.lines.insert(11, other);
    let flaws = export.flaws();
    assert_eq!(flaws, [(11, Flaw::OtherChain { among: "issuer-1".into() })]);
}

#[test]
fn a_line_that_is_no_entry_is_named_and_hides_nothing_behind_it() {
    let mut export = Export::of(20);
    export.lines.insert(11, "{}".to_owned());
    export.lines[20] = export.lines[20].replace("payments", "Payments");
    assert_eq!(export.flaws(), [(11, Flaw::Malformed), (20, Flaw::Altered)]);
}

#[test]
fn another_key_s_signatures_are_not_believed() {
    let mut scene = Scene::new();
    scene.key = (1, 9);
    let scene = scene.filled(20);
    let folder = Source::Folder(scene.folder());
    let report = verify(std::slice::from_ref(&folder), &trusted(), &[]).unwrap();
    assert!(report.faults.iter().any(|fault| fault.flaw == Flaw::BadSignature { key: 1 }));
    // Under a number that nobody knows it is not believed either.
    let report = verify(&[folder], &ring(&[(2, 2)], &[]), &[]).unwrap();
    assert!(report.faults.iter().any(|fault| fault.flaw == Flaw::UnknownKey { key: 1 }));
    assert!(report.faults.iter().any(|fault| fault.flaw == Flaw::Unsigned));
}

#[test]
fn a_cut_behind_the_last_checkpoint_is_found_by_one_that_was_kept_elsewhere() {
    let mut export = Export::of(50);
    let kept = export.scene.read().iter().rev().find_map(Checkpoint::of).unwrap();
    assert!(export.report_with(&trusted(), std::slice::from_ref(&kept)).is_good());
    export.lines.truncate(60);
    // It ends in good order before its later checkpoints: only what was kept shows that there was more.
    let earlier = export.lines.iter().rposition(|line| line.contains(r#""kind":"checkpoint""#));
    export.lines.truncate(earlier.unwrap() + 1);
    assert_eq!(export.flaws(), []);
    let faults = export.report_with(&trusted(), std::slice::from_ref(&kept)).faults;
    assert_eq!((faults.len(), &faults[0].flaw), (1, &Flaw::Truncated { known: kept.n }));
    // All of it gone is the same.
    export.lines.clear();
    let faults = export.report_with(&trusted(), std::slice::from_ref(&kept)).faults;
    assert!(faults.iter().any(|fault| fault.flaw == Flaw::Truncated { known: kept.n }));
}

/// Cuts the second half of a file off.
fn cut(scene: &Scene, number: u32) {
    let file = fs::OpenOptions::new().write(true).open(scene.file(number)).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

#[test]
fn a_record_cut_before_its_last_checkpoint_does_not_open_and_is_named() {
    let scene = Scene::new().filled(50);
    cut(&scene, 1);
    let error = scene.refusal();
    assert!(matches!(error, RecordError::Truncated { .. }), "{error}");
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    let flaws: Vec<_> = report.faults.iter().map(|fault| fault.flaw.code()).collect();
    assert_eq!(flaws, ["truncated"]);
}

#[test]
fn a_record_without_its_last_file_or_any_file_does_not_open_and_is_named() {
    let scene = Scene::new().short_files().filled(200);
    let last = (1..).take_while(|number| scene.file(*number).exists()).last().unwrap();
    fs::remove_file(scene.file(last)).unwrap();
    fs::remove_file(scene.folder().join(format!("record-{last:06}.seal"))).unwrap();
    let error = scene.refusal();
    assert!(matches!(error, RecordError::Truncated { .. }), "{error}");
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    assert_eq!(report.faults[0].flaw.code(), "truncated");
    for number in 1..last {
        fs::remove_file(scene.file(number)).unwrap();
    }
    let error = scene.refusal();
    assert!(matches!(error, RecordError::Truncated { last: 0, .. }), "{error}");
}

#[test]
fn a_file_that_is_missing_between_others_is_named() {
    let scene = Scene::new().short_files().filled(200);
    fs::remove_file(scene.file(2)).unwrap();
    assert!(matches!(scene.refusal(), RecordError::Missing { .. }));
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    assert_eq!(report.faults[0].flaw.code(), "missing");
}

#[test]
fn two_files_with_each_other_s_names_are_found_out() {
    let scene = Scene::new().short_files().filled(200);
    let aside = scene.beside("aside");
    fs::rename(scene.file(2), &aside).unwrap();
    fs::rename(scene.file(3), scene.file(2)).unwrap();
    fs::rename(&aside, scene.file(3)).unwrap();
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    let flaws: Vec<_> = report.faults.iter().map(|fault| fault.flaw.code()).collect();
    assert_eq!(flaws[0], "missing");
    assert!(flaws.contains(&"out-of-order"), "{flaws:?}");
    // The last two: an issuer itself does not go on there.
    let last = (1..).take_while(|number| scene.file(*number).exists()).last().unwrap();
    fs::rename(scene.file(last), &aside).unwrap();
    fs::rename(scene.file(last - 1), scene.file(last)).unwrap();
    fs::rename(&aside, scene.file(last - 1)).unwrap();
    assert!(matches!(scene.refusal(), RecordError::Broken { .. }));
}

/// The folder's files, by name.
fn backup(scene: &Scene) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(scene.folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.file_name().unwrap() != "lock");
    files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_file_from_a_backup_among_later_ones_is_found_out() {
    let scene = Scene::new().short_files();
    let record = scene.open();
    for number in 0..10 {
        append(&record, described(Kind::Spent, number));
    }
    drop(record);
    let old = backup(&scene);
    let record = scene.open();
    for number in 10..300 {
        append(&record, described(Kind::Spent, number));
    }
    wait(record.close()).unwrap();
    drop(record);
    let (path, bytes) = old.iter().find(|(path, _)| *path == scene.file(1)).unwrap();
    fs::write(path, bytes).unwrap();
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    let flaws: Vec<_> = report.faults.iter().map(|fault| fault.flaw.code()).collect();
    assert_eq!(flaws, ["missing"]);
}

#[test]
fn a_record_that_went_on_from_a_backup_does_not_fit_what_was_kept_of_the_first() {
    let scene = Scene::new();
    append(&scene.open(), described(Kind::Spent, 1));
    let old = backup(&scene);
    let record = scene.open();
    for number in 2..40 {
        append(&record, described(Kind::Spent, number));
    }
    wait(record.close()).unwrap();
    drop(record);
    let kept = scene.read().iter().rev().find_map(Checkpoint::of).unwrap();
    // Everything is set back, and the issuer goes on to say something else.
    fs::remove_dir_all(scene.folder()).unwrap();
    fs::create_dir(scene.folder()).unwrap();
    for (path, bytes) in old {
        fs::write(path, bytes).unwrap();
    }
    let record = scene.open();
    for number in 100..160 {
        append(&record, described(Kind::Spent, number));
    }
    wait(record.close()).unwrap();
    let folder = Source::Folder(scene.folder());
    let report = verify(std::slice::from_ref(&folder), &trusted(), &[]).unwrap();
    assert!(report.is_good(), "nothing in it shows that: {:?}", report.faults);
    let report = verify(&[folder], &trusted(), &[kept]).unwrap();
    assert_eq!(report.faults[0].flaw, Flaw::Replaced);
}

#[test]
fn a_checkpoint_beside_the_record_that_is_none_or_forged_stops_the_start() {
    let scene = Scene::new().filled(3);
    let path = scene.folder().join("checkpoint.json");
    let good = fs::read(&path).unwrap();
    fs::write(&path, b"{}").unwrap();
    assert!(matches!(scene.refusal(), RecordError::NoCheckpoint { .. }));
    let mut forged = Checkpoint::from_json(&good).unwrap();
    forged.n -= 1;
    fs::write(&path, forged.to_json().to_string()).unwrap();
    assert!(matches!(scene.refusal(), RecordError::Forged { key: 1 }));
    let report = verify(&[Source::Folder(scene.folder())], &trusted(), &[]).unwrap();
    assert_eq!(report.faults[0].flaw, Flaw::BadSignature { key: 1 });
    // Without it the record opens, and says that nothing witnesses its end.
    fs::remove_file(&path).unwrap();
    assert!(!scene.try_open().unwrap().1.witnessed);
    assert!(scene.try_open().unwrap().1.witnessed);
}

#[test]
fn a_retired_key_counts_only_for_what_a_trusted_one_signed_for_since() {
    let scene = Scene::new();
    let record = scene.open();
    append(&record, described(Kind::Spent, 1));
    wait(record.change_key(Box::new(key((2, 2)))).unwrap()).unwrap();
    append(&record, described(Kind::Spent, 2));
    wait(record.close()).unwrap();
    let folder = [Source::Folder(scene.folder())];
    let (first_retired, both_retired) =
        (ring(&[(2, 2)], &[(1, 1)]), ring(&[(3, 3)], &[(1, 1), (2, 2)]));
    assert!(verify(&folder, &first_retired, &[]).unwrap().is_good());
    let report = verify(&folder, &both_retired, &[]).unwrap();
    assert_eq!(report.faults[0].flaw, Flaw::RetiredKey { key: 2 });
    // What was kept elsewhere vouches for it, for nobody could have put it there since.
    let kept = read(&scene.reader()).iter().rev().find_map(Checkpoint::of).unwrap();
    assert!(verify(&folder, &both_retired, &[kept]).unwrap().is_good());
}

//! Sets are swapped under decisions, and a bad edit keeps the one before.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use farebox::policy::{Decision, InForce, PolicySet, Reload, Zone};

use crate::folder::{asked, folder, set, write};

#[test]
fn a_decision_is_of_one_set_however_often_sets_are_swapped() {
    let numbered =
        |n: u64| set(&format!("allow if action(\"act\"), ttl({n}), approval(\"g{n}\", 1);"));
    let force = InForce::new(numbered(1));
    let (stop, decisions) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let asked = asked("{}");
                while !stop.load(Ordering::Relaxed) {
                    let set = force.get();
                    let Decision::Allowed { terms, .. } = set.decide(&asked.question()) else {
                        panic!("denied");
                    };
                    let ttl = terms.ttl_seconds.unwrap();
                    assert_eq!(terms.approvals[0].0.as_str(), format!("g{ttl}"));
                    decisions.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for n in 1..=1_000 {
            let before = force.swap(numbered(n));
            assert!(before.rulings() == 1);
        }
        while decisions.load(Ordering::Relaxed) < 100 {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_bad_edit_keeps_the_set_before_and_says_what_is_bad() {
    let files = folder(&[("a.datalog", "allow if action(\"act\");")]);
    let (set, _) = PolicySet::load(files.path(), &Zone::utc()).unwrap();
    let force = InForce::new(set);
    let first = force.get().hash();
    write(files.path(), "a.datalog", "allow if acton(\"act\");");
    let errors = force.reload(files.path(), &Zone::utc()).unwrap_err();
    assert!(errors.to_string().contains("did you mean action?"), "{errors}");
    assert_eq!(force.get().hash(), first);
    write(files.path(), "a.datalog", "// the same\nallow if action(\"act\");");
    assert!(matches!(force.reload(files.path(), &Zone::utc()), Ok(Reload::Same)));
    write(files.path(), "a.datalog", "deny if action(\"act\");");
    let Ok(Reload::Swapped { before, now, .. }) = force.reload(files.path(), &Zone::utc()) else {
        panic!("not swapped");
    };
    assert_eq!(before.hash(), first);
    assert_eq!(force.get().hash(), now.hash());
}

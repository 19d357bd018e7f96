//! Rows taken by key decide as the whole table does: shown against the same rows stated as facts, which are loaded whole.

use std::fmt::Write as _;

use crate::folder::{asked, load};

/// A small generator of its own, so that a failure can be made again.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn name(&mut self) -> String {
        format!("n{}", self.below(6))
    }
}

const BODIES: [&str; 10] = [
    "text(\"/x\", $x), t($x, $y), u($y, $z), ttl(5), context(\"c\", $z)",
    "text(\"/x\", $x), t($x, $x)",
    "t(\"n1\", $y), u($y, $y)",
    "text(\"/x\", $x), f($x, $y), t($y, \"n2\")",
    "text(\"/x\", $x), u($x, $y), t($y, $z), u($z, $x)",
    "context($_k, $x), t($x, $y), $y != $x",
    "f($a, $b), t($b, $c), u($c, $a)",
    "text(\"/x\", $x), linked($x, \"n3\")",
    "text_one_of(\"/o\", $x), t($x, $_y), vary(\"/o\")",
    "attribute(\"role\", $r), u($r, $y), linked($y, $z), context(\"c\", $z), budget(\"b\", $z, 1, 5, 60)",
];

#[test]
fn rows_taken_by_key_decide_as_the_whole_table_does() {
    let mut decided = [0_u32; 2];
    for seed in 1..=250 {
        let mut draw = Draw(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let (mut csv, mut facts) = ([String::new(), String::new()], String::new());
        for (at, table) in ["t", "u"].into_iter().enumerate() {
            csv[at].push_str("k,v\n");
            for _ in 0..draw.below(12) {
                let (k, v) = (draw.name(), draw.name());
                writeln!(csv[at], "{k},{v}").unwrap();
                writeln!(facts, "{table}({k:?}, {v:?});").unwrap();
            }
            // So that neither is without a fact.
            writeln!(csv[at], "z,z").unwrap();
            writeln!(facts, "{table}(\"z\", \"z\");").unwrap();
        }
        let mut policy = "linked($x, $y) <- f($x, $_z), t($x, $y);\nlinked($x, $z) <- linked($x, $y), u($y, $z);\n".to_owned();
        for _ in 0..=draw.below(4) {
            writeln!(policy, "f({:?}, {:?});", draw.name(), draw.name()).unwrap();
        }
        for _ in 0..=draw.below(3) {
            let body = BODIES[usize::try_from(draw.below(10)).unwrap()];
            let deny = draw.below(4) == 0
                && !body.contains("ttl")
                && !body.contains("vary")
                && !body.contains("budget");
            writeln!(policy, "{} if {body};", if deny { "deny" } else { "allow" }).unwrap();
        }
        let (keyed, _) =
            load(&[("a.datalog", &policy), ("data/t.csv", &csv[0]), ("data/u.csv", &csv[1])]);
        let (whole, _) = load(&[("a.datalog", &format!("{facts}{policy}"))]);
        for _ in 0..12 {
            let bounds = match draw.below(2) {
                0 => String::new(),
                _ => format!(
                    r#","bounds":{{"/o":{{"one_of":[{:?},{:?}]}}}}"#,
                    draw.name(),
                    draw.name()
                ),
            };
            let question = format!(
                r#"{{"params":{{"x":{:?}}},"context":{{"c":{:?}}},"attributes":{{"role":{:?}}}{bounds}}}"#,
                draw.name(),
                draw.name(),
                draw.name()
            );
            let asked = asked(&question);
            let (a, b) = (keyed.decide(&asked.question()), whole.decide(&asked.question()));
            let shape = |decision: &farebox::policy::Decision| match decision {
                farebox::policy::Decision::Allowed { terms, .. } => {
                    ("allow", terms.lines().join("; "))
                }
                other => (other.word(), String::new()),
            };
            assert_eq!(shape(&a), shape(&b), "seed {seed}\n{policy}\n{facts}\n{question}");
            decided[usize::from(a.word() == "allow")] += 1;
        }
    }
    // Both answers are common, or the comparison would show little.
    assert!(decided.iter().all(|count| *count > 300), "{decided:?}");
}

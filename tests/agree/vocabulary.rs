//! Checks as a person types them, in the vocabulary, at its edge, and outside of it.

use super::chance::Chance;

const VARIABLES: [&str; 10] =
    ["v", "x", "t", "time", "read", "query", "amount", "int", "0", "farebox"];
const INTS: [&str; 10] = ["-1", "0", "1", "4", "5", "6", "3999", "4000", "4001", "-0"];
const TEXTS: [&str; 10] = ["", "a", "ac", "acme", "globex", "read", "query", "src/", "/to", "ü"];
/// Around the time of the request, 2027-01-15T08:00:00Z, in more than one zone.
const DATES: [&str; 7] = [
    "2027-01-15T08:00:00Z",
    "2027-01-15T08:00:01Z",
    "2027-01-15T07:59:59Z",
    "2027-01-15T09:00:00+01:00",
    "2027-01-15T08:30:00+00:30",
    "2026-12-31T23:59:59Z",
    "2027-01-15T08:00:00.5Z",
];

/// A check of the vocabulary.
pub(crate) fn inside(chance: &mut Chance, keys: &[String; 3]) -> String {
    let x = chance.pick(&VARIABLES);
    let space = chance.pick(&["", " ", "  "]);
    match chance.below(12) {
        0..=3 => {
            let at =
                chance.pick(&["/amount", "/amount", "/amount", "/list/0", "/nested/amount", "/to"]);
            let first = int(chance, x);
            let second = second(chance, |chance| int(chance, x));
            format!("check if int({space}\"{at}\", ${x}), {first}{second}")
        }
        4..=6 => {
            let at = chance.pick(&["/to", "/to", "/note", "/note", "/list/1", "/amount"]);
            let first = text(chance, x);
            let second = second(chance, |chance| text(chance, x));
            format!("check if text(\"{at}\",{space}${x}), {first}{second}")
        }
        7 => format!("check if text(\"/to\", \"{}\")", chance.pick(&TEXTS)),
        8 => {
            let first = date(chance, x);
            let second = second(chance, |chance| date(chance, x));
            format!("check if time(${x}),{space}{first}{second}")
        }
        9 => format!("check if proved(hex:{})", chance.choose(keys)),
        10 => format!("check if output_max(\"rows\", {})", chance.pick(&INTS)),
        _ => format!("check if output_one_of(\"class\", {})", set(chance)),
    }
}

fn second(chance: &mut Chance, more: impl FnOnce(&mut Chance) -> String) -> String {
    if chance.once_in(4) { format!(", {}", more(chance)) } else { String::new() }
}

fn int(chance: &mut Chance, x: &str) -> String {
    format!("${x} {} {}", chance.pick(&["<", "<=", ">", ">="]), chance.pick(&INTS))
}

fn date(chance: &mut Chance, x: &str) -> String {
    format!("${x} {} {}", chance.pick(&["<", "<="]), chance.pick(&DATES))
}

fn text(chance: &mut Chance, x: &str) -> String {
    match chance.below(3) {
        0 => format!("${x} === \"{}\"", chance.pick(&TEXTS)),
        1 => format!("${x}.starts_with(\"{}\")", chance.pick(&TEXTS)),
        _ => format!("{}.contains(${x})", set(chance)),
    }
}

fn set(chance: &mut Chance) -> String {
    let members: Vec<_> = (0..1 + chance.below(4)).map(|_| chance.pick(&TEXTS)).collect();
    let quoted: Vec<_> = members.iter().map(|text| format!("\"{text}\"")).collect();
    format!("{{{}}}", quoted.join(", "))
}

/// A check of the vocabulary's shape, with values that it may not hold. What of it is read, both
/// decide alike.
pub(crate) fn edge(chance: &mut Chance) -> String {
    let long = "x".repeat(513);
    let odd = [
        "check if int(\"/amount\", $v), $v < -9223372036854775808",
        "check if int(\"/amount\", $v), $v <= -9223372036854775808",
        "check if int(\"/amount\", $v), $v >= -9223372036854775808",
        "check if int(\"/amount\", $v), $v > 9223372036854775807",
        "check if int(\"/amount\", $v), $v >= 9223372036854775807",
        "check if int(\"/amount\", $v), $v < 9223372036854775807",
        "check if int(\"amount\", $v), $v < 5",
        "check if int(\"/a~2\", $v), $v < 5",
        "check if int(\"\", $v), $v < 5",
        "check if time($t), $t < 9999-12-31T23:59:59Z",
        "check if time($t), $t <= 9999-12-31T23:59:59Z",
        "check if time($t), $t < 1970-01-01T00:00:00Z",
        "check if time($t), $t <= 1970-01-01T00:00:00Z",
        "check if text(\"/to\", $v), {,}.contains($v)",
        "check if text(\"/to\", $v), $v.starts_with(\"\")",
        "check if text(\"/to\", \"two\\nlines\")",
        "check if text(\"/to\", \"\u{202e}\")",
        "check if proved(hex:00)",
        "check if proved(hex:0000000000000000000000000000000000000000000000000000000000000000)",
        "check if proved(hex:0100000000000000000000000000000000000000000000000000000000000080)",
        "check if output_max(\"\", 1)",
        "check if output_max(\"two words\", 1)",
        "check if output_max(\"rows\", -9223372036854775808)",
        "check if output_one_of(\"class\", {,})",
    ];
    match chance.below(10) {
        0 => format!("check if text(\"/to\", \"{long}\")"),
        1 => format!("check if int(\"/{}\", $v), $v < 5", "x".repeat(256)),
        2 => {
            let members: Vec<_> = (0..33).map(|i| format!("\"{i}\"")).collect();
            format!("check if text(\"/to\", $v), {{{}}}.contains($v)", members.join(", "))
        }
        _ => chance.pick(&odd).to_owned(),
    }
}

/// What the vocabulary does not have: whatever stands beside it, the token is none.
pub(crate) const OUTSIDE: [&str; 78] = [
    // Operands the other way round.
    "check if int(\"/amount\", $v), 4000 >= $v",
    "check if int(\"/amount\", $v), 0 < $v",
    "check if text(\"/to\", $v), \"acme\" === $v",
    "check if text(\"/to\", $v), \"acme\".starts_with($v)",
    "check if text(\"/to\", $v), $v.contains(\"acme\")",
    "check if time($t), 2030-01-01T00:00:00Z > $t",
    // Operators that are none of the vocabulary's.
    "check if int(\"/amount\", $v), $v === 5",
    "check if int(\"/amount\", $v), $v == 5",
    "check if int(\"/amount\", $v), $v != 5",
    "check if int(\"/amount\", $v), $v !== 5",
    "check if text(\"/to\", $v), $v == \"acme\"",
    "check if text(\"/to\", $v), $v !== \"acme\"",
    "check if text(\"/to\", $v), $v.ends_with(\"acme\")",
    "check if text(\"/to\", $v), $v.matches(\".*\")",
    "check if text(\"/to\", $v), $v.matches(\"(\")",
    "check if text(\"/to\", $v), !$v.matches(\"(\")",
    "check if text(\"/to\", $v), $v.length() < 100",
    "check if text(\"/to\", $v), $v.type() === \"string\"",
    "check if text(\"/to\", $v), $v + \"x\" === \"acmex\"",
    "check if text(\"/to\", $v), !($v === \"x\")",
    "check if int(\"/amount\", $v), $v + 1 < 5000",
    "check if int(\"/amount\", $v), ($v) < 5000",
    "check if int(\"/amount\", $v), $v < (5000)",
    "check if int(\"/amount\", $v), $v < 2500 + 2500",
    "check if int(\"/amount\", $v), !($v > 5000)",
    "check if int(\"/amount\", $v), $v < 5000 || $v > 0",
    "check if int(\"/amount\", $v), $v < 5000 && $v > -5000",
    "check if int(\"/amount\", $v), {5, 4000}.contains($v)",
    "check if int(\"/amount\", $v), [5, 4000].contains($v)",
    "check if text(\"/to\", $v), [\"acme\"].contains($v)",
    "check if text(\"/to\", $v), {\"acme\": 1}.contains($v)",
    "check if text(\"/to\", $v), {\"acme\"}.any($x -> $x === $v)",
    "check if text(\"/to\", $v), {\"acme\"}.union({\"b\"}).contains($v)",
    "check if text(\"/to\", $v), {hex:00, hex:01}.contains($v)",
    "check if text(\"/to\", $v), {\"acme\"}.contains(\"acme\")",
    "check if text(\"/to\", $v), $v.extern::f()",
    // A type that the place does not have.
    "check if int(\"/amount\", $v), $v < \"5000\"",
    "check if int(\"/amount\", $v), $v < 2030-01-01T00:00:00Z",
    "check if int(\"/amount\", $v), $v.starts_with(\"5\")",
    "check if text(\"/to\", $v), $v < \"b\"",
    "check if text(\"/to\", $v), $v <= 5",
    "check if time($t), $t < 5",
    "check if time($t), $t >= 2020-01-01T00:00:00Z",
    "check if time($t), $t > 2020-01-01T00:00:00Z",
    "check if output_max(\"rows\", $m), $m < 5",
    "check if output_max(\"rows\", \"10\")",
    "check if output_max(\"rows\", 10, 11)",
    "check if output_one_of(\"class\", \"a\")",
    "check if output_one_of(\"class\", {1})",
    "check if proved(\"00\")",
    "check if proved($k)",
    // Predicates that stand where they do not belong.
    "check if int(\"/amount\", 5)",
    "check if int(\"/amount\", $v)",
    "check if int($p, $v), $v < 5000",
    "check if text($v, $v), $v === \"acme\"",
    "check if text(\"/to\", $v), $v < $v",
    "check if int(\"/amount\", $v), $v < 5, $v < 6, $v < 7",
    "check if grant($g)",
    "check if once(hex:00)",
    "check if fresh(hex:00)",
    "check if request(\"a\", \"b\", \"c\", hex:00)",
    "check if change_approved(\"CHG-17\")",
    "check if int(\"/amount\", null)",
    "check if text(\"/to\", true)",
    "check if true",
    "check if 1 < 2",
    // Other kinds of check, and joins.
    "check if text(\"/to\", \"acme\") or text(\"/to\", \"globex\")",
    "check if text(\"/to\", \"acme\"), text(\"/note\", \"x\")",
    "check if int(\"/amount\", $v), int(\"/list/0\", $v), $v < 5000",
    "check all int(\"/amount\", $v), $v < 5000",
    "reject if text(\"/to\", \"initech\")",
    // Scopes.
    "check if text(\"/to\", \"acme\") trusting authority",
    "check if text(\"/to\", \"acme\") trusting previous",
    "check if int(\"/amount\", $v), $v < 5000 trusting authority, previous",
    "check if ok(\"a\") trusting \
     ed25519/acdd6d5b53bfee478bf689f8e012fe7988bf755e3d7c5152947abc149bc20189",
    // Facts and rules.
    "text(\"/to\", \"acme\")",
    "int(\"/amount\", 5)",
    "ok($v) <- text(\"/to\", $v)",
];

//! What the reader takes, what it refuses, and that it agrees with another reader on the rest.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::limits::{PARAMS_BYTES_MAX, PARAMS_DEPTH_MAX, PARAMS_LEAVES_MAX};

use super::canon::canonical;
use super::json::{Json, Kind};

fn kind(text: &str) -> Kind {
    Json::parse(text.as_bytes()).unwrap_err().kind()
}

/// The refusal in its own words.
fn refusal(text: &str) -> String {
    Json::parse(text.as_bytes()).unwrap_err().to_string()
}

fn text(json: &str) -> String {
    match Json::parse(json.as_bytes()).unwrap() {
        Json::Text(text) => text.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_says_where() {
    let table = [
        (r#"{"items":[{"price":1,"price":2}]}"#, "duplicate key at /items/0/price, byte 21"),
        (r#"{"a":1,"b":{"a":2},"\u0061":3}"#, "duplicate key at /a, byte 19"),
        (r#"{"b":0,"a":0,"a":0,"b":0,"a":0}"#, "duplicate key at /a, byte 13"),
        (r#"{"":1, "":2}"#, "duplicate key at /, byte 7"),
        (r#"{"a/b":[1,2,tru]}"#, "unexpected character at /a~1b/2, byte 12"),
        ("[1 2]", "unexpected character at byte 3"),
        (r#"{"a":}"#, "unexpected character at /a, byte 5"),
        (r#"{"a":1,}"#, "unexpected character at byte 7"),
        ("[1,]", "unexpected character at /1, byte 3"),
        (r#"{"a\u0001":nul"#, "unexpected character at /a\\u{1}, byte 11"),
        ("", "unexpected end at byte 0"),
        (" \n", "unexpected end at byte 2"),
        ("[", "unexpected end at /0, byte 1"),
        (r#""ab"#, "unexpected end at byte 3"),
        (r#"{"a":"b\"#, "unexpected end at /a, byte 8"),
        (r#"{"a":01}"#, "malformed number at /a, byte 5"),
        ("{} {}", "text after the end of the value at byte 3"),
        ("nullx", "text after the end of the value at byte 4"),
        ("\u{feff}{}", "byte order mark at byte 0"),
        ("\"a\tb\"", "unescaped control character at byte 2"),
        (r#"["\x"]"#, "unknown escape at /0, byte 2"),
        (r#"["\ud800"]"#, "lone surrogate at /0, byte 2"),
        (r#"{"n":9007199254740993}"#, "number out of range at /n, byte 5"),
        (r#"{"n":0.1000000000000000055}"#, "number that a double does not keep at /n, byte 5"),
    ];
    for (text, want) in table {
        assert_eq!(refusal(text), want, "{text}");
    }
    let bytes = Json::parse(b"[\"\xff\"]").unwrap_err();
    assert_eq!(bytes.to_string(), "invalid utf-8 at byte 2");
}

#[test]
fn a_refusal_shortens_names_and_shows_no_value() {
    let text = format!(r#"{{"{}":{{"pin":"4711","pin":"4712"}}}}"#, "k".repeat(5000));
    let shown = refusal(&text);
    assert!(shown.starts_with(&format!("duplicate key at /{}…/pin, byte", "k".repeat(40))));
    assert!(!shown.contains("471"));
}

#[test]
fn surrogates_come_in_pairs() {
    assert_eq!(text(r#""\ud83d\ude00\uD83D\uDE00""#), "😀😀");
    assert_eq!(text(r#""\ue000\ud7ff""#), "\u{e000}\u{d7ff}");
    for lone in [
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\u0041""#,
    ] {
        assert_eq!(kind(lone), Kind::LoneSurrogate, "{lone}");
    }
}

#[test]
fn escapes_have_four_digits_and_no_sign() {
    for bad in
        [r#""\u00g0""#, r#""\u+123""#, r#""\u12""#, r#""\u""#, r#""\U0041""#, r#""\ud83d\u+e00""#]
    {
        assert_eq!(kind(bad), Kind::BadEscape, "{bad}");
    }
    assert_eq!(text(r#""\u00e9\"\\\/\b\f\n\r\t\u0000""#), "é\"\\/\u{8}\u{c}\n\r\t\0");
}

#[test]
fn what_other_readers_let_pass_is_refused() {
    for text in [
        "{a:1}",
        "{'a':1}",
        "[1]]",
        "[1,,2]",
        "[,1]",
        "{,}",
        "// c\n1",
        "/**/1",
        "NaN",
        "Infinity",
        "-Infinity",
        "True",
        "undefined",
        "0x10",
        "1;",
        "\u{a0}1",
        "\u{c}1",
        "\0",
        "1\0",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[1}",
        "{\"a\":1]",
        "{1:2}",
        "{\"a\"}",
    ] {
        assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
    }
}

#[test]
fn a_document_ends_at_its_limits() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(nested(PARAMS_DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(kind(&nested(PARAMS_DEPTH_MAX + 1)), Kind::TooDeep);
    assert_eq!(kind(&r#"{"a":"#.repeat(PARAMS_DEPTH_MAX + 1)), Kind::TooDeep);

    let values = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
    assert!(Json::parse(values(PARAMS_LEAVES_MAX).as_bytes()).is_ok());
    assert_eq!(kind(&values(PARAMS_LEAVES_MAX + 1)), Kind::TooManyValues);

    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert!(Json::parse(long(PARAMS_BYTES_MAX).as_bytes()).is_ok());
    assert_eq!(kind(&long(PARAMS_BYTES_MAX + 1)), Kind::TooLong);
}

#[test]
fn brothers_do_not_count_as_depth() {
    let brothers = "[[[]]],".repeat(100);
    assert!(Json::parse(format!("[{brothers}0]").as_bytes()).is_ok());
}

/// Xorshift: random enough for tests, and the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap() % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn json(&mut self, depth: usize) -> String {
        let (before, after) = (self.space(), self.space());
        let kinds = if depth == 0 { 4 } else { 7 };
        let value = match self.below(kinds) {
            0 => self.pick(&["null", "true", "false"]).to_owned(),
            1 | 2 => self.number(),
            3 => self.string(),
            4 => format!("[{}]", self.entries(|random| random.json(depth - 1))),
            _ => format!("{{{}}}", self.entries(|random| random.member(depth - 1))),
        };
        format!("{before}{value}{after}")
    }

    fn member(&mut self, depth: usize) -> String {
        let (before, after) = (self.space(), self.space());
        format!("{before}{}{after}:{}", self.string(), self.json(depth))
    }

    fn entries(&mut self, entry: impl Fn(&mut Self) -> String) -> String {
        let count = self.below(6);
        (0..count).map(|_| entry(self)).collect::<Vec<_>>().join(",")
    }

    fn space(&mut self) -> &'static str {
        self.pick(&["", "", "", "", " ", "\n", "\t\r "])
    }

    fn string(&mut self) -> String {
        let parts = [
            "a",
            "b",
            "key",
            "ü",
            "€",
            "😀",
            "\u{e000}",
            "\u{ffff}",
            "\u{7f}",
            "\\n",
            "\\\"",
            "\\\\",
            "\\/",
            "\\u0061",
            "\\u001f",
            "\\u20AC",
            "\\ud83d\\ude00",
            "\\uE000",
            "/",
            "~",
            "0",
        ];
        let count = self.below(4);
        let text: String = (0..count).map(|_| self.pick(&parts)).collect();
        format!("\"{text}\"")
    }

    fn number(&mut self) -> String {
        let mut text = self.pick(&["", "-"]).to_owned();
        let size = self.below(20);
        text += &(self.below(10_usize.pow(9)) % 10_usize.pow(u32::try_from(size % 9).unwrap() + 1))
            .to_string();
        if self.below(2) == 0 {
            text += &format!(".{}", self.below(1_000_000));
        }
        if self.below(3) == 0 {
            text += self.pick(&["e", "E", "e+", "e-", "E-"]);
            text += &self.below(12).to_string();
        }
        text
    }
}

/// Whether both readers saw the same value.
fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Text(a), Value::String(b)) => **a == **b,
        (Json::Int(a), Value::Number(b)) => same_number(&a.to_string(), b),
        (Json::Decimal(a), Value::Number(b)) => same_number(a, b),
        (Json::List(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|member| {
                    b.get(member.name()).is_some_and(|value| same(member.value(), value))
                })
        }
        _ => false,
    }
}

/// Up to the last bit: without its `float_roundtrip`, `serde_json` may miss by one.
fn same_number(ours: &str, theirs: &serde_json::Number) -> bool {
    let ours: f64 = ours.parse().unwrap();
    // A zero has a sign there and none here.
    let bits = |double: f64| if double == 0.0 { 0 } else { double.to_bits() };
    bits(ours).abs_diff(bits(theirs.as_f64().unwrap())) <= 1
}

/// Reads the bytes with both readers. Ours may refuse more, for the reasons listed here alone.
fn compare(bytes: &[u8]) -> Option<Json> {
    let theirs = serde_json::from_slice::<Value>(bytes);
    let shown = String::from_utf8_lossy(bytes);
    match (Json::parse(bytes), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(same(&ours, &theirs), "{shown}");
            Some(ours)
        }
        (Ok(_), Err(error)) => panic!("refused by serde_json alone: {error}: {shown}"),
        (Err(error), Ok(_)) => {
            let ours_alone = [
                Kind::DuplicateKey,
                Kind::NumberOutOfRange,
                Kind::NumberNotKept,
                Kind::TooDeep,
                Kind::TooManyValues,
            ];
            assert!(ours_alone.contains(&error.kind()), "{error}: {shown}");
            None
        }
        (Err(_), Err(_)) => None,
    }
}

#[test]
fn another_reader_sees_the_same_values() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let taken = (0..20_000).filter(|_| compare(random.json(4).as_bytes()).is_some()).count();
    assert!(taken > 5_000, "only {taken} documents were taken");
}

#[test]
fn a_canonical_text_is_its_own_canonical_text() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    for _ in 0..10_000 {
        let document = random.json(4);
        let Ok(json) = Json::parse(document.as_bytes()) else { continue };
        let printed = canonical(&json);
        let again = Json::parse(&printed).unwrap();
        assert!(again == json, "{document}");
        assert_eq!(canonical(&again), printed, "{document}");
    }
}

#[test]
fn damaged_documents_are_judged_alike_and_never_panic() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let splinters: [&[u8]; 16] = [
        b"\"", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\\u", b"\\ud800", b"e", b"-", b"0",
        b"\xf0", b"\x80", b"\x1f",
    ];
    for _ in 0..20_000 {
        let mut bytes = random.json(3).into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() + 1);
            match random.below(3) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, splinters[random.below(16)].iter().copied())),
                _ => drop(bytes.splice(at..bytes.len().min(at + 2), None)),
            }
        }
        compare(&bytes);
    }
}

/// A text of a given size.
type Shape<'a> = &'a dyn Fn(usize) -> String;

/// What a text costs to read, and a good one to print, in a single run.
#[expect(clippy::disallowed_methods, reason = "measures what a text costs, and moves no clock")]
fn cost(text: &str) -> Duration {
    let start = Instant::now();
    let printed = Json::parse(text.as_bytes()).map(|json| canonical(&json));
    let took = start.elapsed();
    drop(printed);
    took
}

/// Whether one text costs less than so many times what the other does. The fastest runs are
/// compared, and on a busy machine it takes some until a fast one was seen.
fn costs_less(text: &str, times: u32, other: &str) -> bool {
    let (mut least, mut least_other) = (Duration::MAX, Duration::MAX);
    (0..100).any(|run| {
        least = least.min(cost(text));
        least_other = least_other.min(cost(other));
        run >= 4 && least < least_other * times
    })
}

#[test]
fn four_times_the_text_costs_less_than_ten_times_as_much() {
    // A cost that grows with the square would be sixteen times as much. The sizes are such that a
    // run is over before a busy machine turns to something else.
    let size = PARAMS_BYTES_MAX / 256;
    let keys = PARAMS_LEAVES_MAX / 8 - 1;
    let members = |count: usize, name: &dyn Fn(usize) -> String| {
        let members: Vec<_> = (0..count).map(|at| format!("\"{}\":0", name(at))).collect();
        format!("{{{}}}", members.join(","))
    };
    let shapes: [(&str, usize, Shape<'_>); 13] = [
        ("digits", size, &|n| "9".repeat(n)),
        ("zeros", size, &|n| format!("1{}1", "0".repeat(n))),
        ("fraction", size, &|n| format!("0.{}1", "0".repeat(n))),
        ("balanced zeros", size, &|n| format!("0.{}1e{n}", "0".repeat(n))),
        ("exponent", size, &|n| format!("1e{}", "9".repeat(n))),
        ("exponent zeros", size, &|n| format!("1e{}1", "0".repeat(n))),
        ("escapes", size / 6, &|n| format!("\"{}\"", "\\u0061".repeat(n))),
        ("short escapes", size / 2, &|n| format!("\"{}\"", "\\n".repeat(n))),
        ("pairs", size / 12, &|n| format!("\"{}\"", "\\ud83d\\ude00".repeat(n))),
        ("keys", keys, &|n| members(n, &|at| (at * 7919 % n).to_string())),
        ("long keys", keys / 8, &|n| members(n, &|at| format!("{}{at:05}", "k".repeat(200)))),
        ("duplicate keys", keys, &|n| members(n, &|at| (at / 2 + n / 2).to_string())),
        ("space", size, &|n| format!("{}1", " ".repeat(n))),
    ];
    for (name, size, shape) in shapes {
        assert!(costs_less(&shape(4 * size), 10, &shape(size)), "{name}");
    }
}

#[test]
fn endless_nesting_costs_no_more_than_looking_at_its_bytes() {
    for open in ["[", r#"{"a":"#] {
        let endless = open.repeat(PARAMS_BYTES_MAX / open.len());
        assert_eq!(kind(&endless), Kind::TooDeep);
        let plain = format!("\"{}\"", "x".repeat(endless.len() - 2));
        assert!(costs_less(&endless, 1, &plain));
    }
}

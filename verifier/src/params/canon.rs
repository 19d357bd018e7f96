//! The one text of a value: RFC 8785 (JCS).
//!
//! Numbers are kept as they are printed and members in the order in which they are printed, so
//! what is left to do here is to escape strings. Recursion is as deep as the value nests, and
//! [`Params`](super::Params) holds no value that nests deeper than the limit.

use super::json::{Json, Member, Object};

/// The canonical text of a value.
#[must_use]
pub fn canonical(json: &Json) -> Vec<u8> {
    canonical_without(json, &[])
}

/// The canonical text of a value as if these members were not there.
///
/// They are told by where they stand in memory: two members can be equal, and following a path
/// through the walk would compare names again that finding them has compared.
pub(super) fn canonical_without(json: &Json, omitted: &[&Member]) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), omitted };
    writer.value(json);
    writer.out
}

struct Writer<'a> {
    out: Vec<u8>,
    omitted: &'a [&'a Member],
}

impl Writer<'_> {
    fn value(&mut self, json: &Json) {
        match json {
            Json::Null => self.plain("null"),
            Json::Bool(true) => self.plain("true"),
            Json::Bool(false) => self.plain("false"),
            Json::Int(value) => self.plain(&value.to_string()),
            Json::Decimal(text) => self.plain(text),
            Json::Text(text) => self.string(text),
            Json::List(list) => self.list(list),
            Json::Object(object) => self.object(object),
        }
    }

    fn list(&mut self, list: &[Json]) {
        let mut before = b'[';
        for value in list {
            self.out.push(before);
            self.value(value);
            before = b',';
        }
        self.close(before, b']');
    }

    fn object(&mut self, object: &Object) {
        let mut before = b'{';
        for member in object {
            if self.omits(member) {
                continue;
            }
            self.out.push(before);
            self.string(member.name());
            self.out.push(b':');
            self.value(member.value());
            before = b',';
        }
        self.close(before, b'}');
    }

    /// Closes a bracket, after opening it if nothing stands in it.
    fn close(&mut self, before: u8, close: u8) {
        if before != b',' {
            self.out.push(before);
        }
        self.out.push(close);
    }

    fn omits(&self, member: &Member) -> bool {
        self.omitted.iter().any(|omitted| std::ptr::eq(*omitted, member))
    }

    fn string(&mut self, text: &str) {
        self.out.push(b'"');
        // What needs no escape is copied in runs, each with the byte that ended it.
        for run in text.as_bytes().split_inclusive(|byte| needs_escape(*byte)) {
            match run.split_last() {
                Some((last, plain)) if needs_escape(*last) => {
                    self.out.extend_from_slice(plain);
                    self.escape(*last);
                }
                _ => self.out.extend_from_slice(run),
            }
        }
        self.out.push(b'"');
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'"' => self.plain("\\\""),
            b'\\' => self.plain("\\\\"),
            0x08 => self.plain("\\b"),
            b'\t' => self.plain("\\t"),
            b'\n' => self.plain("\\n"),
            0x0C => self.plain("\\f"),
            b'\r' => self.plain("\\r"),
            other => self.plain(&format!("\\u{other:04x}")),
        }
    }

    fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

fn needs_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> String {
        String::from_utf8(canonical(&Json::parse(text.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn the_sample_of_the_rfc_is_printed_as_the_rfc_prints_it() {
        // RFC 8785, 3.2.2, but for its first number, whose value the printing changes.
        let sample = r#"{
            "numbers": [1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#
        .replace("1E30, ", "");
        let want = "{\"literals\":[null,true,false],\"numbers\":[4.5,0.002,1e-27],\
                    \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(print(&sample), want);
    }

    #[test]
    fn members_are_sorted_as_the_rfc_sorts_them() {
        // RFC 8785, 3.2.3.
        let sample = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return",
            "\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
            "\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let want = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
                    \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
                    \"😀\":\"Emoji: Grinning Face\",\
                    \"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}";
        assert_eq!(print(sample), want);
    }

    #[test]
    fn only_what_json_must_escape_is_escaped() {
        let table = [
            (r#""\b\t\n\f\r\"\\\/""#, r#""\b\t\n\f\r\"\\/""#),
            (r#""\u0000\u001F\u007f\u0080\u2028""#, "\"\\u0000\\u001f\u{7f}\u{80}\u{2028}\""),
            (r#""\u0008\u0009\u000a\u000c\u000d""#, r#""\b\t\n\f\r""#),
            (r#""a\nb\nc""#, r#""a\nb\nc""#),
            (r#""""#, r#""""#),
        ];
        for (text, want) in table {
            assert_eq!(print(text), want);
        }
    }

    #[test]
    fn what_is_empty_stays_empty() {
        assert_eq!(print(" [ ] "), "[]");
        assert_eq!(print(" { } "), "{}");
        assert_eq!(print("[[],{},[{}]]"), "[[],{},[{}]]");
    }
}

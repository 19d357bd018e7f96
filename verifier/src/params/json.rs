//! A JSON value that has one canonical form.
//!
//! The members of an object are kept in the order in which RFC 8785 prints them, by UTF-16 code
//! units: printing is then a walk, and finding a member a binary search.

use std::cmp::Ordering;
use std::fmt;

use super::pointer::Pointer;

pub use super::json_error::{JsonError, Kind};

/// The largest integer, 2^53−1: beyond it a double takes neighbours for the same number.
pub const INT_MAX: i64 = (1 << 53) - 1;

/// A JSON value without anything that readers take differently.
///
/// `Int` and `Decimal` are built by [`Json::parse`] and [`Json::int`] only, so that no number
/// outside of the canonical form gets in.
#[derive(Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a fraction, within ±[`INT_MAX`].
    #[non_exhaustive]
    Int(i64),
    /// Any other number, as RFC 8785 prints it.
    #[non_exhaustive]
    Decimal(Box<str>),
    /// A string.
    Text(Box<str>),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

/// The members of a JSON object, each name once, by the UTF-16 code units of their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<Member>,
}

/// A name and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    name: Box<str>,
    value: Json,
}

/// A name that stands twice among members that were to make one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name stands twice")]
pub struct DuplicateName(Box<str>);

/// What a pointer leads to, by the way it hangs in the document.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    Root(&'a Json),
    Member(&'a Member),
    Element(&'a Json),
}

impl Json {
    /// An integer, unless it is beyond ±[`INT_MAX`].
    #[must_use]
    pub fn int(value: i64) -> Option<Self> {
        in_range(value).then_some(Self::Int(value))
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// A string.
    #[must_use]
    pub fn text(value: impl Into<Box<str>>) -> Self {
        Self::Text(value.into())
    }

    /// The value that the pointer leads to.
    #[must_use]
    pub fn at(&self, pointer: &Pointer) -> Option<&Self> {
        self.find(pointer).map(Found::value)
    }

    pub(super) fn find(&self, pointer: &Pointer) -> Option<Found<'_>> {
        pointer.tokens().try_fold(Found::Root(self), |found, token| found.value().child(&token))
    }

    fn child(&self, token: &str) -> Option<Found<'_>> {
        match self {
            Self::Object(object) => object.member(token).map(Found::Member),
            Self::List(list) => list.get(index(token)?).map(Found::Element),
            _ => None,
        }
    }
}

impl Object {
    /// An object of these members, in whatever order they come.
    ///
    /// # Errors
    /// The name that stands twice.
    pub fn new<N: Into<Box<str>>>(
        members: impl IntoIterator<Item = (N, Json)>,
    ) -> Result<Self, DuplicateName> {
        Self::sorted(members.into_iter().map(|(name, value)| Member::new(name, value)).collect())
    }

    /// Duplicates are found as neighbours after the sort: looking through all earlier names for
    /// each new one would let a body of many names cost their number squared.
    pub(super) fn sorted(members: Vec<Member>) -> Result<Self, DuplicateName> {
        let object = Self::distinct(members);
        let twice = object.members.windows(2).find_map(|pair| match pair {
            [a, b] if a.name == b.name => Some(a.name.clone()),
            _ => None,
        });
        match twice {
            Some(name) => Err(DuplicateName(name)),
            None => Ok(object),
        }
    }

    /// An object of members whose names are known to differ.
    pub(super) fn distinct(mut members: Vec<Member>) -> Self {
        members.sort_unstable_by(|a, b| utf16_order(&a.name, &b.name));
        Self { members }
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.member(name).map(Member::value)
    }

    /// The members in canonical order.
    pub fn iter(&self) -> std::slice::Iter<'_, Member> {
        self.members.iter()
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn member(&self, name: &str) -> Option<&Member> {
        let at = self.members.binary_search_by(|member| utf16_order(&member.name, name)).ok()?;
        self.members.get(at)
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = &'a Member;
    type IntoIter = std::slice::Iter<'a, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Member {
    pub(super) fn new(name: impl Into<Box<str>>, value: Json) -> Self {
        Self { name: name.into(), value }
    }

    /// The name, unescaped.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Json {
        &self.value
    }
}

impl DuplicateName {
    /// Which name it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl<'a> Found<'a> {
    pub(super) fn value(self) -> &'a Json {
        match self {
            Self::Root(value) | Self::Element(value) => value,
            Self::Member(member) => member.value(),
        }
    }
}

/// Values can be secrets, so only the kind is shown.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool(redacted)",
            Self::Int(_) => "Int(redacted)",
            Self::Decimal(_) => "Decimal(redacted)",
            Self::Text(_) => "Text(redacted)",
            Self::List(_) => "List(redacted)",
            Self::Object(_) => "Object(redacted)",
        })
    }
}

/// Names can be secrets where an object is a table, so only their number is shown.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} redacted)", self.len())
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Member(redacted)")
    }
}

/// Whether an integer is one that a double keeps.
pub(super) fn in_range(value: i64) -> bool {
    (-INT_MAX..=INT_MAX).contains(&value)
}

/// The order of UTF-16 code units, without writing any.
///
/// UTF-8 bytes are in the order of code points, and that of UTF-16 differs in one thing: letters
/// beyond U+FFFF are written as surrogates and so come before U+E000 to U+FFFF, whose first byte
/// in UTF-8 is EE or EF. No text has a byte above F4, so there is room to move those two.
fn utf16_order(a: &str, b: &str) -> Ordering {
    let rank = |byte: u8| if matches!(byte, 0xEE | 0xEF) { byte | 0x10 } else { byte };
    a.bytes().map(rank).cmp(b.bytes().map(rank))
}

/// The index that a token names in a list: RFC 6901 has no sign and no leading zero, so that each
/// element has one pointer.
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn at<'a>(json: &'a Json, pointer: &str) -> Option<&'a Json> {
        json.at(&Pointer::parse(pointer).unwrap())
    }

    #[test]
    fn names_are_ordered_as_utf_16_orders_them() {
        let names = [
            "",
            "\0",
            "a",
            "aa",
            "b",
            "\u{7f}",
            "\u{80}",
            "\u{7ff}",
            "\u{800}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{fb33}",
            "\u{ffff}",
            "\u{10000}",
            "\u{1f600}",
            "\u{10ffff}",
        ];
        for a in names {
            for b in names {
                for (a, b) in [(a.to_owned(), b.to_owned()), (format!("x{a}1"), format!("x{b}0"))] {
                    let want = a.encode_utf16().cmp(b.encode_utf16());
                    assert_eq!(utf16_order(&a, &b), want, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn every_member_is_found_by_its_name() {
        let names = ["\u{1f600}", "\u{fb33}", "b", "", "a", "\u{e000}x", "\u{10000}"];
        let object = Object::new(names.map(|name| (name, Json::text(name)))).unwrap();
        for name in names {
            assert!(object.get(name) == Some(&Json::text(name)), "{name:?}");
        }
        assert!(object.get("c").is_none());
    }

    #[test]
    fn a_name_that_stands_twice_makes_no_object() {
        let twice = Object::new([("a", Json::Null), ("b", Json::Null), ("a", Json::Bool(true))]);
        assert_eq!(twice.unwrap_err().name(), "a");
    }

    #[test]
    fn a_pointer_leads_through_objects_and_lists() {
        let json = parse(r#"{"a":{"b/c":[10,{"~":null}]},"":1,"0":2}"#);
        assert!(at(&json, "") == Some(&json));
        assert!(at(&json, "/") == Json::int(1).as_ref());
        assert!(at(&json, "/0") == Json::int(2).as_ref());
        assert!(at(&json, "/a/b~1c/0") == Json::int(10).as_ref());
        assert!(at(&json, "/a/b~1c/1/~0") == Some(&Json::Null));
        for nowhere in ["/b", "/a/b~1c/2", "/a/b~1c/-", "/0/0", "/a/"] {
            assert!(at(&json, nowhere).is_none(), "{nowhere}");
        }
    }

    #[test]
    fn an_element_has_one_pointer() {
        let json = parse("[[1,2]]");
        for nowhere in ["/00", "/+0", "/-0", "/0/01", "/0/ 1", "/", "/18446744073709551616"] {
            assert!(at(&json, nowhere).is_none(), "{nowhere}");
        }
    }

    #[test]
    fn no_integer_is_built_beyond_the_range() {
        assert!(Json::int(INT_MAX).is_some() && Json::int(-INT_MAX).is_some());
        assert!(Json::int(INT_MAX + 1).is_none() && Json::int(i64::MIN).is_none());
    }

    #[test]
    fn debug_shows_no_value() {
        let json = parse(r#"{"pin":[4711,"secret",0.5,true]}"#);
        let Json::Object(object) = &json else { panic!("an object was parsed") };
        let shown = format!("{json:?} {object:?} {:?}", object.iter().collect::<Vec<_>>());
        for secret in ["pin", "4711", "secret", "0.5", "true"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

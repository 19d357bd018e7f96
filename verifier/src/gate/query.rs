//! A query, read so that nobody could read it otherwise: `application/x-www-form-urlencoded`, strictly.

use super::problem::Malformed;
use crate::params::json::{Json, Object};

/// The object of a query's members, all of them texts.
pub(super) fn read(query: &str) -> Result<Json, Malformed> {
    // `a&&b` is `a&b` to every reader of forms.
    let members = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name)?, Json::text(decode(value)?)))
    });
    let members = members.collect::<Result<Vec<_>, Malformed>>()?;
    // The first, the last, or a list of both: readers differ on what a name means that stands twice.
    Ok(Json::Object(Object::new(members).or(Err(Malformed::RepeatedKey))?))
}

fn decode(text: &str) -> Result<String, Malformed> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                high << 4 | low
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).or(Err(Malformed::Query))
}

fn digit(byte: Option<u8>) -> Result<u8, Malformed> {
    match byte {
        Some(byte @ b'0'..=b'9') => Ok(byte - b'0'),
        Some(byte @ b'a'..=b'f') => Ok(byte - b'a' + 10),
        Some(byte @ b'A'..=b'F') => Ok(byte - b'A' + 10),
        _ => Err(Malformed::Query),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_an_object_of_texts() {
        let table = [
            ("", "{}"),
            ("a=1&b=x", r#"{"a":"1","b":"x"}"#),
            ("a", r#"{"a":""}"#),
            ("a==b", r#"{"a":"=b"}"#),
            ("&&a=1&", r#"{"a":"1"}"#),
            ("a=1+2%2B3", r#"{"a":"1 2+3"}"#),
            ("%61=%C3%BC", r#"{"a":"ü"}"#),
            ("=v", r#"{"":"v"}"#),
        ];
        for (query, want) in table {
            let got = read(query).unwrap();
            assert!(got == Json::parse(want.as_bytes()).unwrap(), "{query}");
        }
    }

    #[test]
    fn what_two_readers_could_take_differently_is_refused() {
        let table = [
            ("a=1&a=1", Malformed::RepeatedKey),
            ("a=1&%61=2", Malformed::RepeatedKey),
            ("a&a", Malformed::RepeatedKey),
            ("a=%", Malformed::Query),
            ("a=%4", Malformed::Query),
            ("a=%zz", Malformed::Query),
            ("a=%ff", Malformed::Query),
            ("%ed%a0%80=1", Malformed::Query),
        ];
        for (query, want) in table {
            assert_eq!(read(query).err(), Some(want), "{query}");
        }
    }
}

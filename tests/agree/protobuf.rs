//! Protobuf as whoever forges a token may write it: any field anywhere, in any order, in any length.

use super::chance::Chance;

/// A field as it stands: its number, its wire type, and what it holds.
#[derive(Clone)]
struct Field {
    number: u64,
    kind: u64,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The message with one thing changed, here or in a message within it; and what was changed.
pub(crate) fn changed(chance: &mut Chance, message: &[u8]) -> (Vec<u8>, &'static str) {
    let Some(mut fields) = read(message).filter(|fields| !fields.is_empty()) else {
        return bent(chance, message);
    };
    let at = chance.below(fields.len());
    if let Value::Bytes(inner) = &fields[at].value
        && !chance.once_in(4)
    {
        let (inner, how) = changed(chance, inner);
        fields[at].value = Value::Bytes(inner);
        return (write(&fields), how);
    }
    let how = rearrange(chance, &mut fields, at);
    if how == "length" {
        return (write_oddly(&fields, at), how);
    }
    (write(&fields), how)
}

fn rearrange(chance: &mut Chance, fields: &mut Vec<Field>, at: usize) -> &'static str {
    let other = chance.below(fields.len());
    match chance.below(9) {
        0 => {
            fields.insert(at, fields[at].clone());
            "field doubled"
        }
        1 => {
            fields.swap(at, other);
            "fields swapped"
        }
        2 => {
            fields.remove(at);
            "field removed"
        }
        3 => {
            let field = Field { number: 15, kind: 0, value: Value::Number(1) };
            let to = chance.below(fields.len() + 1);
            fields.insert(to, field);
            "unknown field"
        }
        4 => {
            fields[at].number = 1 + u64::try_from(chance.below(10)).unwrap();
            "field renumbered"
        }
        5 => {
            let value = fields[other].value.clone();
            fields[at] = Field { kind: fields[other].kind, value, ..fields[at] };
            "value moved"
        }
        6 => "length",
        _ => {
            if let Value::Number(number) = &mut fields[at].value {
                let delta = *chance.choose(&[1, u64::MAX, 2, 1 << 32, 1 << 63]);
                *number = number.wrapping_add(delta);
                return "number";
            }
            fields[at].value = Value::Bytes(Vec::new());
            "emptied"
        }
    }
}

/// Bytes with a bit, a byte or a length changed.
pub(crate) fn bent(chance: &mut Chance, bytes: &[u8]) -> (Vec<u8>, &'static str) {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return (vec![chance.byte()], "byte inserted");
    }
    let at = chance.below(bytes.len());
    let how = match chance.below(6) {
        0 => {
            bytes.insert(at, chance.byte());
            "byte inserted"
        }
        1 => {
            bytes.remove(at);
            "byte removed"
        }
        2 => {
            bytes.truncate(at);
            "truncated"
        }
        3 => {
            bytes[at] = chance.byte();
            "byte"
        }
        _ => {
            bytes[at] ^= 1 << chance.below(8);
            "bit"
        }
    };
    (bytes, how)
}

fn read(mut rest: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut rest)?),
            2 => {
                let count = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(count)?;
                rest = after;
                Value::Bytes(bytes.to_vec())
            }
            _ => return None,
        };
        fields.push(Field { number: tag >> 3, kind: tag & 7, value });
    }
    Some(fields)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write(fields: &[Field]) -> Vec<u8> {
    write_oddly(fields, usize::MAX)
}

/// Writes the fields, the one at `odd` with a number that could be shorter.
fn write_oddly(fields: &[Field], odd: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        push(&mut bytes, field.number << 3 | field.kind, false);
        match &field.value {
            Value::Number(number) => push(&mut bytes, *number, at == odd),
            Value::Bytes(inner) => {
                push(&mut bytes, u64::try_from(inner.len()).unwrap(), at == odd);
                bytes.extend_from_slice(inner);
            }
        }
    }
    bytes
}

fn push(bytes: &mut Vec<u8>, mut number: u64, odd: bool) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    let last = u8::try_from(number).unwrap();
    if odd { bytes.extend([last | 0x80, 0]) } else { bytes.push(last) }
}

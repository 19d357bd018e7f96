//! A token's symbol table: strings stand once, and everything else refers to them by number.

use super::flaw::Flaw;

/// The strings that every biscuit knows, by their number.
const DEFAULT: [&str; 28] = [
    "read",
    "write",
    "resource",
    "operation",
    "right",
    "time",
    "role",
    "owner",
    "tenant",
    "namespace",
    "user",
    "team",
    "service",
    "admin",
    "email",
    "group",
    "member",
    "ip_address",
    "client",
    "client_ip",
    "domain",
    "path",
    "version",
    "cluster",
    "node",
    "hostname",
    "nonce",
    "query",
];
/// The number of the first string that a token brings itself.
const OWN: u64 = 1024;

/// Places of the table by hash: a power of two, over twice the symbols that a token may have.
const SLOTS: usize = 1024;
/// No symbol.
const EMPTY: u16 = u16::MAX;

/// The strings of a token so far.
///
/// Every string is looked up once for each place where it stands, so the table has a hash. Strings
/// chosen to collide make it a list, which is what it would be without one.
#[derive(Clone)]
pub(crate) struct Symbols<'a> {
    own: Vec<&'a str>,
    slots: [u16; SLOTS],
}

impl Default for Symbols<'_> {
    fn default() -> Self {
        Symbols { own: Vec::with_capacity(48), slots: [EMPTY; SLOTS] }
    }
}

impl<'a> Symbols<'a> {
    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }

    /// The strings from the `from`th on.
    pub(crate) fn since(&self, from: usize) -> &[&'a str] {
        self.own.get(from..).unwrap_or_default()
    }

    /// Takes a string that a block brings. One that is known already is refused: two numbers for one
    /// string would let two readers differ on whether they are equal.
    pub(crate) fn bring(&mut self, symbol: &'a str) -> Result<(), Flaw> {
        if default(symbol).is_some() {
            return Err(Flaw::Symbols);
        }
        match self.find(symbol) {
            Place::Free(slot) if self.own.len() < SLOTS / 2 => {
                self.put(symbol, slot);
                Ok(())
            }
            _ => Err(Flaw::Symbols),
        }
    }

    /// The string with this number.
    pub(crate) fn resolve(&self, number: u64) -> Result<&'a str, Flaw> {
        let found = match number.checked_sub(OWN) {
            Some(own) => usize::try_from(own).ok().and_then(|own| self.own.get(own)),
            None => usize::try_from(number).ok().and_then(|number| DEFAULT.get(number)),
        };
        found.copied().ok_or(Flaw::Symbols)
    }

    /// The number of this string, which is added where it is new.
    pub(crate) fn intern(&mut self, symbol: &'a str) -> u64 {
        if let Some(number) = default(symbol) {
            return number;
        }
        OWN + match self.find(symbol) {
            Place::Taken(own) => u64::from(own),
            Place::Free(slot) => u64::from(self.put(symbol, slot)),
            Place::None => {
                // Never by way of a token, which has fewer symbols than the table has places.
                self.own.push(symbol);
                self.own.len() as u64 - 1
            }
        }
    }

    fn find(&self, symbol: &str) -> Place {
        let begin = hash(symbol);
        for step in 0..SLOTS {
            let slot = (begin + step) % SLOTS;
            match self.slots.get(slot) {
                Some(&EMPTY) => return Place::Free(slot),
                Some(own) if self.own.get(usize::from(*own)) == Some(&symbol) => {
                    return Place::Taken(*own);
                }
                _ => {}
            }
        }
        Place::None
    }

    fn put(&mut self, symbol: &'a str, slot: usize) -> u16 {
        let own = u16::try_from(self.own.len()).unwrap_or(EMPTY);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = own;
        }
        self.own.push(symbol);
        own
    }
}

enum Place {
    Taken(u16),
    Free(usize),
    None,
}

/// Mixes the length and four bytes of either end, where names differ.
fn hash(symbol: &str) -> usize {
    let bytes = symbol.as_bytes();
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u32::from_le_bytes(*first) ^ u32::from_le_bytes(*last).rotate_left(13)
        }
        _ => bytes.iter().fold(0, |ends, byte| ends << 8 | u32::from(*byte)),
    };
    let mixed = u64::from(ends) << 16 ^ bytes.len() as u64;
    // Multiplying spreads what differs to the top, of which ten bits are a place.
    const { assert!(SLOTS == 1 << 10) };
    usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54).unwrap_or_default()
}

/// The number of a string that every biscuit knows.
fn default(symbol: &str) -> Option<u64> {
    let number = match symbol {
        "read" => 0,
        "write" => 1,
        "resource" => 2,
        "operation" => 3,
        "right" => 4,
        "time" => 5,
        "role" => 6,
        "owner" => 7,
        "tenant" => 8,
        "namespace" => 9,
        "user" => 10,
        "team" => 11,
        "service" => 12,
        "admin" => 13,
        "email" => 14,
        "group" => 15,
        "member" => 16,
        "ip_address" => 17,
        "client" => 18,
        "client_ip" => 19,
        "domain" => 20,
        "path" => 21,
        "version" => 22,
        "cluster" => 23,
        "node" => 24,
        "hostname" => 25,
        "nonce" => 26,
        "query" => 27,
        _ => return None,
    };
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_looking_up_a_default_agree() {
        for (number, symbol) in DEFAULT.iter().enumerate() {
            assert_eq!(default(symbol), Some(number as u64));
        }
    }

    #[test]
    fn a_string_has_one_number_however_many_collide() {
        // Same length and same ends, so all in one place of the table.
        let texts: Vec<String> = (0..200).map(|i| format!("abcdef{i:03}wxyz")).collect();
        let mut symbols = Symbols::default();
        for round in 0..2 {
            for (i, text) in texts.iter().enumerate() {
                assert_eq!(symbols.intern(text), OWN + i as u64, "round {round}");
            }
        }
        assert_eq!(symbols.resolve(OWN + 7), Ok(texts[7].as_str()));
    }

    #[test]
    fn a_string_that_is_known_is_not_brought_again() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.bring("grant"), Ok(()));
        assert_eq!(symbols.bring("grant"), Err(Flaw::Symbols));
        assert_eq!(symbols.bring("query"), Err(Flaw::Symbols));
    }
}

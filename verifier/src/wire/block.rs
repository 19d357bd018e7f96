//! A block's content, read and written.
//!
//! The reader is the shape check: it has a place for what the layout can say and for nothing else,
//! so rules, scopes, joins, patterns and calls are refused while they are read.

use super::datalog::{Block, Check, Comparison, Operator, Predicate, Term, Terms};
use super::envelope::{number_u32, read_key, write_key};
use super::flaw::Flaw;
use super::protobuf::{Fields, Value, Writer};
use super::symbols::Symbols;
use crate::key::PublicKey;
use crate::limits;

/// How much a block may hold, by whose it is.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) symbols_max: usize,
    pub(crate) facts_max: usize,
    pub(crate) checks_max: usize,
    pub(crate) keys_max: usize,
}

/// A block while it is read: scopes refer to keys that stand behind them.
struct Reading<'a, 's> {
    symbols: &'s mut Symbols<'a>,
    block: Block<'a>,
    /// The check, and the number of the key that it trusts.
    trusting: Vec<(usize, u64)>,
    keys: Vec<PublicKey>,
    /// Of all sets so far.
    members: usize,
}

/// Reads a block, whose symbols join `symbols`.
pub(crate) fn read_block<'a>(
    message: &'a [u8],
    symbols: &mut Symbols<'a>,
    room: Room,
) -> Result<Block<'a>, Flaw> {
    let mut fields = Fields::of(message);
    let known = symbols.len();
    let block = Block {
        facts: Vec::with_capacity(room.facts_max.min(16)),
        checks: Vec::with_capacity(room.checks_max.min(4)),
        ..Block::default()
    };
    let (trusting, keys) = (Vec::new(), Vec::new());
    let mut reading = Reading { symbols, block, trusting, keys, members: 0 };
    while let Some((field, value)) = fields.next()? {
        reading.field(field, value)?;
        let brought = reading.symbols.len() - known;
        if brought > room.symbols_max {
            return Err(Flaw::Symbols);
        }
        if reading.block.facts.len() > room.facts_max {
            return Err(Flaw::Facts);
        }
        if reading.block.checks.len() > room.checks_max {
            return Err(Flaw::Check);
        }
        if reading.keys.len() > room.keys_max {
            return Err(Flaw::Scope);
        }
    }
    reading.done()
}

impl<'a> Reading<'a, '_> {
    fn field(&mut self, field: u64, value: Value<'a>) -> Result<(), Flaw> {
        match field {
            1 => self.symbols.bring(value.text()?)?,
            2 if self.block.context.is_none() => self.block.context = Some(value.text()?),
            3 if self.block.version == 0 => self.block.version = value.number()?,
            4 => self.fact(value.bytes()?)?,
            5 => return Err(Flaw::Rules),
            6 => self.check(value.bytes()?)?,
            7 => return Err(Flaw::Scope),
            8 => self.keys.push(read_key(value.bytes()?)?),
            _ => return Err(Flaw::Protobuf),
        }
        Ok(())
    }

    fn done(mut self) -> Result<Block<'a>, Flaw> {
        for (check, key) in self.trusting {
            let key = usize::try_from(key).ok().and_then(|key| self.keys.get(key));
            let check = self.block.checks.get_mut(check).ok_or(Flaw::Scope)?;
            check.trusting = Some(*key.ok_or(Flaw::Scope)?);
        }
        // Other libraries refuse a key that stands twice, or is none, even where no check trusts it.
        let mut trusted = Vec::new();
        for key in self.block.checks.iter().filter_map(|check| check.trusting) {
            if !trusted.contains(&key) {
                trusted.push(key);
            }
        }
        if trusted == self.keys { Ok(self.block) } else { Err(Flaw::Scope) }
    }

    fn fact(&mut self, message: &'a [u8]) -> Result<(), Flaw> {
        let mut fields = Fields::of(message);
        let predicate = self.predicate(fields.required(1)?.bytes()?)?;
        fields.end()?;
        self.block.facts.push(predicate);
        Ok(())
    }

    fn predicate(&mut self, message: &'a [u8]) -> Result<Predicate<'a>, Flaw> {
        let mut fields = Fields::of(message);
        let name = self.symbols.resolve(fields.required(1)?.number()?)?;
        let mut terms = Terms::default();
        while let Some((field, value)) = fields.next()? {
            if field != 2 || !terms.push(self.term(value.bytes()?)?) {
                return Err(Flaw::Value);
            }
        }
        Ok(Predicate { name, terms })
    }

    fn term(&mut self, message: &'a [u8]) -> Result<Term<'a>, Flaw> {
        let mut fields = Fields::of(message);
        let Some((field, value)) = fields.next()? else { return Err(Flaw::Value) };
        fields.end()?;
        Ok(match field {
            1 => Term::Variable(self.symbols.resolve(number_u32(value)?.into())?),
            2 => Term::Int(value.number()?.cast_signed()),
            3 => Term::Text(self.symbols.resolve(value.number()?)?),
            4 => Term::Date(value.number()?),
            5 => Term::Bytes(value.bytes()?),
            7 => Term::Set(self.set(value.bytes()?)?),
            // Booleans, null, arrays and maps: the layout has no use for them.
            _ => return Err(Flaw::Value),
        })
    }

    fn set(&mut self, message: &'a [u8]) -> Result<Vec<&'a str>, Flaw> {
        let mut fields = Fields::of(message);
        let mut members = Vec::new();
        while let Some((field, value)) = fields.next()? {
            let mut member = Fields::of(value.bytes()?);
            self.members += 1;
            if field != 1 || self.members > limits::SET_MEMBERS_MAX {
                return Err(Flaw::Value);
            }
            members.push(self.symbols.resolve(member.required(3)?.number()?)?);
            member.end()?;
        }
        // On the wire they stand by their numbers, which depend on what came before.
        members.sort_unstable();
        Ok(members)
    }

    /// A check is one query, `check if`; the kinds that other layouts have are said by a field.
    fn check(&mut self, message: &'a [u8]) -> Result<(), Flaw> {
        let mut fields = Fields::of(message);
        let query = fields.required(1).or(Err(Flaw::Check))?.bytes()?;
        fields.end().or(Err(Flaw::Check))?;
        let mut fields = Fields::of(query);
        let head = self.predicate(fields.required(1)?.bytes()?)?;
        if head.name != "query" || !head.terms.as_slice().is_empty() {
            return Err(Flaw::Check);
        }
        let body = fields.required(2).or(Err(Flaw::Check))?.bytes()?;
        let mut check =
            Check { predicate: self.predicate(body)?, comparisons: Vec::new(), trusting: None };
        let mut scope = None;
        while let Some((field, value)) = fields.next()? {
            match field {
                3 if check.comparisons.len() < 2 => {
                    check.comparisons.push(self.comparison(value.bytes()?)?);
                }
                4 if scope.is_none() => scope = Some(trusted(value.bytes()?)?),
                // A second predicate is a join, and a join is where a small token burns a big CPU.
                _ => return Err(Flaw::Check),
            }
        }
        self.trusting.extend(scope.map(|key| (self.block.checks.len(), key)));
        self.block.checks.push(check);
        Ok(())
    }

    fn comparison(&mut self, message: &'a [u8]) -> Result<Comparison<'a>, Flaw> {
        let mut fields = Fields::of(message);
        let mut operation = || fields.required(1).or(Err(Flaw::Check))?.bytes();
        let (left, right, operator) = (operation()?, operation()?, operation()?);
        fields.end().or(Err(Flaw::Check))?;
        let operator = only(operator, 3)?;
        let number = usize::try_from(only(operator.bytes()?, 1)?.number()?).or(Err(Flaw::Check))?;
        Ok(Comparison {
            left: self.term(only(left, 1)?.bytes()?)?,
            operator: *Operator::BY_NUMBER.get(number).ok_or(Flaw::Check)?,
            right: self.term(only(right, 1)?.bytes()?)?,
        })
    }
}

/// The value of a message whose one field is `field`.
fn only(message: &[u8], field: u64) -> Result<Value<'_>, Flaw> {
    let mut fields = Fields::of(message);
    let value = fields.required(field).or(Err(Flaw::Check))?;
    fields.end().or(Err(Flaw::Check))?;
    Ok(value)
}

/// The number of the key that a scope trusts; the scopes that are no key widen what a check sees.
fn trusted(message: &[u8]) -> Result<u64, Flaw> {
    only(message, 2).and_then(Value::number).or(Err(Flaw::Scope))
}

/// Writes a block, whose symbols join `symbols`.
pub(crate) fn write_block<'a>(block: &Block<'a>, symbols: &mut Symbols<'a>) -> Vec<u8> {
    let known = symbols.len();
    let mut keys: Vec<PublicKey> = Vec::new();
    let mut body = Writer::with_capacity(1024);
    for fact in &block.facts {
        body.message(4, |w| w.message(1, |w| write_predicate(w, fact, symbols)));
    }
    for check in &block.checks {
        body.message(6, |w| w.message(1, |w| write_query(w, check, symbols, &mut keys)));
    }
    for key in &keys {
        body.message(8, |w| write_key(w, key));
    }
    let mut message = Writer::with_capacity(2048);
    for symbol in symbols.since(known) {
        message.bytes(1, symbol.as_bytes());
    }
    if let Some(context) = block.context {
        message.bytes(2, context.as_bytes());
    }
    message.number(3, block.version);
    message.append(&body);
    message.done()
}

fn write_query<'a>(
    w: &mut Writer,
    check: &Check<'a>,
    symbols: &mut Symbols<'a>,
    keys: &mut Vec<PublicKey>,
) {
    let head = Predicate { name: "query", terms: Terms::default() };
    w.message(1, |w| write_predicate(w, &head, symbols));
    w.message(2, |w| write_predicate(w, &check.predicate, symbols));
    for comparison in &check.comparisons {
        w.message(3, |w| {
            w.message(1, |w| w.message(1, |w| write_term(w, &comparison.left, symbols)));
            w.message(1, |w| w.message(1, |w| write_term(w, &comparison.right, symbols)));
            w.message(1, |w| w.message(3, |w| w.number(1, comparison.operator as u64)));
        });
    }
    if let Some(key) = check.trusting {
        let number = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        });
        w.message(4, |w| w.number(2, number as u64));
    }
}

fn write_predicate<'a>(w: &mut Writer, predicate: &Predicate<'a>, symbols: &mut Symbols<'a>) {
    w.number(1, symbols.intern(predicate.name));
    for term in predicate.terms.as_slice() {
        w.message(2, |w| write_term(w, term, symbols));
    }
}

fn write_term<'a>(w: &mut Writer, term: &Term<'a>, symbols: &mut Symbols<'a>) {
    match term {
        Term::Variable(name) => w.number(1, symbols.intern(name)),
        Term::Int(value) => w.number(2, value.cast_unsigned()),
        Term::Text(text) => w.number(3, symbols.intern(text)),
        Term::Date(seconds) => w.number(4, *seconds),
        Term::Bytes(bytes) => w.bytes(5, bytes),
        Term::Set(members) => {
            // The engine orders a set by the numbers of its members, once all have one.
            let mut numbers: Vec<u64> = members.iter().map(|m| symbols.intern(m)).collect();
            numbers.sort_unstable();
            w.message(7, |w| numbers.iter().for_each(|n| w.message(1, |w| w.number(3, *n))));
        }
    }
}

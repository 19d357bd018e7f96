//! The layout a second time, by biscuit-auth's own builders: what farebox writes is held against it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use biscuit_auth::builder::{
    Binary, BiscuitBuilder, BlockBuilder, Check, CheckKind, Expression, Fact, Op, Predicate, Rule,
    Scope, Term,
};
use biscuit_auth::{Biscuit, KeyPair, PublicKey};
use farebox_verifier::{Caveat, Grant, Seat, UnixSeconds, Uses};

use super::fixture::{ISSUER, Key};

/// A builder with all that the layout says of this grant.
pub(super) fn builder(grant: &Grant) -> BiscuitBuilder {
    let builder = empty();
    let builder = facts(grant).into_iter().fold(builder, |b, fact| b.fact(fact).unwrap());
    checks(grant).into_iter().fold(builder, |b, check| b.check(check).unwrap())
}

/// A builder with the layout's name and nothing else.
pub(super) fn empty() -> BiscuitBuilder {
    BiscuitBuilder::new().root_key_id(1).context("farebox/1".to_owned())
}

/// The token that issuer 1 signs, with this next key.
pub(super) fn build(builder: BiscuitBuilder, next: &KeyPair) -> Biscuit {
    let symbols = biscuit_auth::datalog::SymbolTable::new();
    builder.build_with_key_pair(&ISSUER.biscuit(), symbols, next).unwrap()
}

/// The same as text, with a next key of no meaning.
pub(super) fn built(builder: BiscuitBuilder) -> String {
    encode(&build(builder, &Key(0x10).biscuit()))
}

pub(super) fn encode(token: &Biscuit) -> String {
    URL_SAFE_NO_PAD.encode(token.to_vec().unwrap())
}

/// Reads a token of issuer 1, signatures and all.
pub(super) fn read(token: &str) -> Biscuit {
    Biscuit::from_base64(token, ISSUER.biscuit().public()).unwrap()
}

/// The token with this block of a holder.
pub(super) fn append(token: &str, block: BlockBuilder, next: Key) -> String {
    encode(&read(token).append_with_keypair(&next.biscuit(), block).unwrap())
}

/// The token with this block of a holder, in Datalog as one types it.
pub(super) fn typed(token: &str, code: &str, next: Key) -> String {
    append(token, BlockBuilder::new().code(code).unwrap(), next)
}

/// The token with this block of a third party.
pub(super) fn append_third(token: &str, code: &str, by: Key, next: Key) -> String {
    let token = read(token);
    let block = BlockBuilder::new().code(code).unwrap();
    let request = token.third_party_request().unwrap();
    let block = request.create_block(&by.biscuit().private(), block).unwrap();
    let key = by.biscuit().public();
    encode(&token.append_third_party_with_keypair(key, block, next.biscuit()).unwrap())
}

pub(super) fn facts(grant: &Grant) -> Vec<Fact> {
    let mut facts = vec![
        fact("grant", [bytes(grant.id.as_bytes())]),
        fact("action", [string(grant.action.as_str())]),
        fact("resource", [string(grant.resource.as_str())]),
        fact("params", [bytes(grant.params.as_bytes())]),
        fact("audience", [string(grant.audience.as_str())]),
        fact("window", [date(grant.window.not_before()), date(grant.window.end())]),
        fact("agent", [string(grant.agent.as_str())]),
        fact("policy", [bytes(grant.policy.as_bytes())]),
    ];
    if !grant.varies.is_empty() {
        facts.push(fact("varies", [set(grant.varies.iter().map(|at| at.as_str()))]));
    }
    facts.extend(grant.approval.map(|approval| fact("approval", [bytes(approval.as_bytes())])));
    if let Some(stores) = &grant.stores {
        facts.push(fact("stores", [Term::Integer(stores.needed().into())]));
        facts.extend(stores.seats().iter().map(seat));
    }
    if let Some((workflow, step)) = &grant.workflow {
        facts.push(fact("workflow", [string(workflow.as_str()), string(step.as_str())]));
    }
    facts.extend(grant.purpose.as_ref().map(|p| fact("purpose", [string(p.as_str())])));
    facts.extend(grant.holder.map(|key| fact("holder", [bytes(key.as_bytes())])));
    facts
}

fn seat(seat: &Seat) -> Fact {
    let terms = [
        string(seat.store.as_str()),
        string(seat.shard.as_str()),
        bytes(seat.generation.as_bytes()),
        Term::Integer(i64::try_from(seat.sequence).unwrap()),
    ];
    fact("store", terms)
}

/// The token's ties to its own facts, and its caveats.
pub(super) fn checks(grant: &Grant) -> Vec<Check> {
    let window = vec![
        comparison(variable("t"), date(grant.window.not_before()), Binary::GreaterOrEqual),
        comparison(variable("t"), date(grant.window.end()), Binary::LessThan),
    ];
    let request = [
        string(grant.audience.as_str()),
        string(grant.action.as_str()),
        string(grant.resource.as_str()),
        bytes(grant.params.as_bytes()),
    ];
    let uses = if grant.uses == Uses::Once { "once" } else { "fresh" };
    let mut checks = vec![
        check("time", [variable("t")], window),
        literal("request", request),
        literal(uses, [bytes(grant.id.as_bytes())]),
    ];
    checks.extend(grant.holder.map(|key| literal("proved", [bytes(key.as_bytes())])));
    checks.extend(grant.caveats.iter().map(caveat));
    checks
}

/// A caveat as the layout writes it.
pub(super) fn caveat(caveat: &Caveat) -> Check {
    let int = |at: &str, operator, bound| {
        let terms = [string(at), variable("v")];
        check("int", terms, vec![comparison(variable("v"), Term::Integer(bound), operator)])
    };
    let text = |at: &str, left, right, operator| {
        let terms = [string(at), variable("v")];
        check("text", terms, vec![comparison(left, right, operator)])
    };
    match caveat {
        Caveat::Before(end) => {
            let before = comparison(variable("t"), date(*end), Binary::LessThan);
            check("time", [variable("t")], vec![before])
        }
        Caveat::IntAtMost(at, max) => int(at.as_str(), Binary::LessOrEqual, *max),
        Caveat::IntAtLeast(at, min) => int(at.as_str(), Binary::GreaterOrEqual, *min),
        Caveat::TextIs(at, value) => literal("text", [string(at.as_str()), string(value.as_str())]),
        Caveat::TextOneOf(at, among) => {
            text(at.as_str(), set(among.iter()), variable("v"), Binary::Contains)
        }
        Caveat::TextPrefix(at, prefix) => {
            text(at.as_str(), variable("v"), string(prefix.as_str()), Binary::Prefix)
        }
        Caveat::Proved(key) => literal("proved", [bytes(key.as_bytes())]),
        Caveat::Signed(name, value, key) => {
            let mut check = literal(name.as_str(), [string(value.as_str())]);
            let algorithm = biscuit_auth::Algorithm::Ed25519;
            let key = PublicKey::from_bytes(key.as_bytes(), algorithm).unwrap();
            check.queries[0].scopes.push(Scope::PublicKey(key));
            check
        }
        Caveat::OutputMax(name, max) => {
            literal("output_max", [string(name.as_str()), Term::Integer(*max)])
        }
        Caveat::OutputOneOf(name, among) => {
            literal("output_one_of", [string(name.as_str()), set(among.iter())])
        }
        _ => panic!("a caveat that the vectors do not know"),
    }
}

pub(super) fn fact<const N: usize>(name: &str, terms: [Term; N]) -> Fact {
    Fact::new(name.to_owned(), terms)
}

pub(super) fn literal<const N: usize>(name: &str, terms: [Term; N]) -> Check {
    check(name, terms, Vec::new())
}

fn check<const N: usize>(name: &str, terms: [Term; N], comparisons: Vec<Expression>) -> Check {
    let head = Predicate::new("query".to_owned(), Vec::new());
    let body = Predicate::new(name.to_owned(), terms);
    let query = Rule::new(head, vec![body], comparisons, Vec::new());
    Check { queries: vec![query], kind: CheckKind::One }
}

fn comparison(left: Term, right: Term, operator: Binary) -> Expression {
    Expression { ops: vec![Op::Value(left), Op::Value(right), Op::Binary(operator)] }
}

fn variable(name: &str) -> Term {
    Term::Variable(name.to_owned())
}

pub(super) fn string(text: &str) -> Term {
    Term::Str(text.to_owned())
}

pub(super) fn bytes(bytes: &[u8]) -> Term {
    Term::Bytes(bytes.to_vec())
}

fn date(at: UnixSeconds) -> Term {
    Term::Date(at.0)
}

fn set<'a>(members: impl Iterator<Item = &'a str>) -> Term {
    Term::Set(members.map(string).collect::<BTreeSet<_>>())
}

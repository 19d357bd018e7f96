//! Layout `farebox/1`: what each block of a token says, as types and back.

use crate::caveat::{self, Caveat, CaveatText, StatementName};
use crate::clock::UnixSeconds;
use crate::crypto;
use crate::grant::{
    ApprovalDigest, Generation, Grant, GrantId, Mark, PolicyHash, Seat, Seats, Shard, Uses, Window,
};
use crate::key::PublicKey;
use crate::limits;
use crate::name::{Action, Agent, Audience, Purpose, Resource, Step, StoreName, Workflow};
use crate::params::ParamsDigest;
use crate::params::pointer::Pointer;
use crate::wire::block::{self, Room};
use crate::wire::datalog::{Block, Check, Comparison, Operator, Predicate, Term};
use crate::wire::envelope::Envelope;
use crate::wire::flaw::Flaw;
use crate::wire::symbols::Symbols;

/// The layout's name, in the context of the authority block.
pub(crate) const LAYOUT: &str = "farebox/1";

/// The version of Datalog without scopes, with them, and of third parties' blocks.
const PLAIN: u64 = 3;
const SCOPED: u64 = 4;
const THIRD_PARTY: u64 = 5;

const AUTHORITY_ROOM: Room = Room {
    symbols_max: limits::AUTHORITY_SYMBOLS_MAX,
    facts_max: limits::FACTS_MAX,
    checks_max: limits::AUTHORITY_CHECKS_MAX,
    keys_max: limits::CAVEATS_MAX,
};
const HOLDER_ROOM: Room = Room {
    symbols_max: limits::LATER_SYMBOLS_MAX,
    facts_max: 0,
    checks_max: limits::LATER_CHECKS_MAX,
    keys_max: 0,
};
const THIRD_PARTY_ROOM: Room = Room { symbols_max: 2, facts_max: 1, checks_max: 0, keys_max: 0 };

/// What a token says, block by block; nothing of it is trusted before the signatures are.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) key_id: Option<u32>,
    pub(crate) grant: Grant,
    /// What third parties say.
    pub(crate) statements: Vec<(StatementName, CaveatText, PublicKey)>,
    /// What holders added.
    pub(crate) narrowing: Vec<Caveat>,
}

/// Reads a token's blocks.
pub(crate) fn read<'a>(
    envelope: &Envelope<'a>,
    symbols: &mut Symbols<'a>,
) -> Result<Content, Flaw> {
    if envelope.authority.third_party.is_some() {
        return Err(Flaw::ThirdParty);
    }
    let third_parties = envelope.later.iter().filter(|b| b.third_party.is_some()).count();
    if third_parties > limits::THIRD_PARTY_BLOCKS_MAX
        || envelope.later.len() - third_parties > limits::HOLDER_BLOCKS_MAX
    {
        return Err(Flaw::Blocks);
    }
    let grant = read_authority(envelope.authority.block, symbols)?;
    let (mut statements, mut narrowing) = (Vec::new(), Vec::new());
    for signed in &envelope.later {
        match signed.third_party {
            Some((key, _)) => statements.push(read_third_party(signed.block, key, &grant)?),
            None => read_holder(signed.block, symbols, &mut narrowing)?,
        }
    }
    Ok(Content { key_id: envelope.key_id, grant, statements, narrowing })
}

fn read_authority<'a>(message: &'a [u8], symbols: &mut Symbols<'a>) -> Result<Grant, Flaw> {
    let block = block::read_block(message, symbols, AUTHORITY_ROOM)?;
    if block.context != Some(LAYOUT) {
        return Err(Flaw::Layout);
    }
    if block.version != PLAIN && block.version != SCOPED {
        return Err(Flaw::Version);
    }
    let grant = read_grant(&block)?;
    check_varying(&grant)?;
    // What the reader overlooked, a fact in another order or a check that says otherwise than the
    // facts, the writer would have said otherwise.
    if authority(&grant) == block { Ok(grant) } else { Err(Flaw::NotCanonical) }
}

fn read_grant(block: &Block<'_>) -> Result<Grant, Flaw> {
    let mut facts = Facts(&block.facts);
    let grant = Grant {
        id: GrantId::from_bytes(facts.bytes("grant")?),
        action: Action::parse(facts.text("action")?).or(Err(Flaw::Value))?,
        resource: Resource::parse(facts.text("resource")?).or(Err(Flaw::Value))?,
        params: ParamsDigest::from_bytes(facts.bytes("params")?),
        audience: Audience::parse(facts.text("audience")?).or(Err(Flaw::Value))?,
        window: facts.window()?,
        agent: Agent::parse(facts.text("agent")?).or(Err(Flaw::Value))?,
        policy: PolicyHash::from_bytes(facts.bytes("policy")?),
        varies: facts.varies()?,
        approval: facts.optional_bytes("approval")?.map(ApprovalDigest::from_bytes),
        stores: facts.stores()?,
        workflow: facts.workflow()?,
        purpose: facts.purpose()?,
        holder: facts.holder()?,
        uses: match block.checks.get(2) {
            Some(check) if check.predicate.name == "fresh" => Uses::Fresh,
            _ => Uses::Once,
        },
        caveats: Vec::new(),
    };
    facts.end()?;
    let own = ties(&grant).len();
    let caveats = read_caveats(block.checks.get(own..).ok_or(Flaw::Check)?)?;
    if caveats.len() > limits::CAVEATS_MAX {
        return Err(Flaw::Check);
    }
    Ok(Grant { caveats, ..grant })
}

fn read_caveats(checks: &[Check<'_>]) -> Result<Vec<Caveat>, Flaw> {
    let mut caveats = Vec::with_capacity(checks.len());
    checks.iter().try_for_each(|check| Caveat::read(check, &mut caveats))?;
    Ok(caveats)
}

/// Each member that varies is held by a caveat, or it could be anything.
pub(crate) fn check_varying(grant: &Grant) -> Result<(), Flaw> {
    let held = |at: &Pointer| grant.caveats.iter().any(|caveat| caveat.holds_place(at));
    let ordered = grant.varies.is_sorted_by(|a, b| a < b);
    let apart = |at: &Pointer| grant.varies.iter().all(|other| other == at || !other.contains(at));
    if ordered && grant.varies.iter().all(|at| held(at) && apart(at)) {
        Ok(())
    } else {
        Err(Flaw::Facts)
    }
}

fn read_third_party(
    message: &[u8],
    key: PublicKey,
    grant: &Grant,
) -> Result<(StatementName, CaveatText, PublicKey), Flaw> {
    let block = block::read_block(message, &mut Symbols::default(), THIRD_PARTY_ROOM)?;
    if block.context.is_some() || block.version != THIRD_PARTY {
        return Err(Flaw::Version);
    }
    let [fact] = block.facts.as_slice() else { return Err(Flaw::ThirdParty) };
    let (name, value) = caveat::read_statement(fact).or(Err(Flaw::ThirdParty))?;
    let asked = |c: &Caveat| matches!(c, Caveat::Signed(n, _, k) if *n == name && *k == key);
    // Nobody's word but of those whom the authority names. Of which value, a caveat decides.
    if grant.caveats.iter().any(asked) { Ok((name, value, key)) } else { Err(Flaw::ThirdParty) }
}

fn read_holder<'a>(
    message: &'a [u8],
    symbols: &mut Symbols<'a>,
    narrowing: &mut Vec<Caveat>,
) -> Result<(), Flaw> {
    let block = block::read_block(message, symbols, HOLDER_ROOM)?;
    if block.context.is_some() {
        return Err(Flaw::Layout);
    }
    if !(PLAIN..=THIRD_PARTY).contains(&block.version) {
        return Err(Flaw::Version);
    }
    let caveats = read_caveats(&block.checks)?;
    if caveats.is_empty() || !caveats.iter().all(Caveat::may_be_appended) {
        return Err(Flaw::Check);
    }
    narrowing.extend(caveats);
    Ok(())
}

/// The authority block's bytes.
pub(crate) fn write_authority<'a>(grant: &'a Grant, symbols: &mut Symbols<'a>) -> Vec<u8> {
    block::write_block(&authority(grant), symbols)
}

/// What a store keeps of a grant's content: a hash of all that the authority block says but where it
/// is registered, for that is known only after the store has kept this.
#[must_use]
pub fn mark(grant: &Grant) -> Mark {
    let bare = Grant { stores: None, ..grant.clone() };
    let block = write_authority(&bare, &mut Symbols::default());
    let [a, b, c, d, e, f, ..] = crypto::sha256(&[b"farebox-mark/1\0", &block]);
    Mark::from_bytes([a, b, c, d, e, f])
}

/// The one block that says this grant.
fn authority(grant: &Grant) -> Block<'_> {
    let mut checks = ties(grant);
    checks.extend(grant.caveats.iter().map(Caveat::write));
    let scoped = checks.iter().any(|check| check.trusting.is_some());
    let version = if scoped { SCOPED } else { PLAIN };
    Block { context: Some(LAYOUT), version, facts: facts(grant), checks }
}

/// A holder's block.
pub(crate) fn write_holder<'a>(caveats: &'a [Caveat], symbols: &mut Symbols<'a>) -> Vec<u8> {
    let checks = caveats.iter().map(Caveat::write).collect();
    let block = Block { context: None, version: PLAIN, facts: Vec::new(), checks };
    block::write_block(&block, symbols)
}

/// A third party's block.
pub(crate) fn write_third_party(name: &StatementName, value: &CaveatText) -> Vec<u8> {
    let fact = Predicate::new(name.as_str(), [Term::Text(value.as_str())]);
    let block = Block { version: THIRD_PARTY, facts: vec![fact], ..Block::default() };
    block::write_block(&block, &mut Symbols::default())
}

/// The checks that tie a token to its own facts: any biscuit verifier that forgets one still refuses.
fn ties(grant: &Grant) -> Vec<Check<'_>> {
    let time = |operator, at: UnixSeconds| Comparison {
        left: Term::Variable("t"),
        operator,
        right: Term::Date(at.0),
    };
    let window = Check {
        predicate: Predicate::new("time", [Term::Variable("t")]),
        comparisons: vec![
            time(Operator::GreaterOrEqual, grant.window.not_before()),
            time(Operator::LessThan, grant.window.end()),
        ],
        trusting: None,
    };
    let request = [
        Term::Text(grant.audience.as_str()),
        Term::Text(grant.action.as_str()),
        Term::Text(grant.resource.as_str()),
        Term::Bytes(grant.params.as_bytes()),
    ];
    let uses = match grant.uses {
        Uses::Once => "once",
        Uses::Fresh => "fresh",
    };
    let mut checks = Vec::with_capacity(4 + grant.caveats.len());
    checks.push(window);
    checks.push(Check::literal("request", request));
    checks.push(Check::literal(uses, [Term::Bytes(grant.id.as_bytes())]));
    if let Some(holder) = &grant.holder {
        checks.push(Check::literal("proved", [Term::Bytes(holder.as_bytes())]));
    }
    checks
}

fn facts(grant: &Grant) -> Vec<Predicate<'_>> {
    let fact = Predicate::new;
    let mut facts = Vec::with_capacity(16);
    facts.push(fact("grant", [Term::Bytes(grant.id.as_bytes())]));
    facts.push(fact("action", [Term::Text(grant.action.as_str())]));
    facts.push(fact("resource", [Term::Text(grant.resource.as_str())]));
    facts.push(fact("params", [Term::Bytes(grant.params.as_bytes())]));
    facts.push(fact("audience", [Term::Text(grant.audience.as_str())]));
    let (from, end) = (grant.window.not_before(), grant.window.end());
    facts.push(Predicate::new("window", [Term::Date(from.0), Term::Date(end.0)]));
    facts.push(fact("agent", [Term::Text(grant.agent.as_str())]));
    facts.push(fact("policy", [Term::Bytes(grant.policy.as_bytes())]));
    if !grant.varies.is_empty() {
        let members = grant.varies.iter().map(Pointer::as_str).collect();
        facts.push(fact("varies", [Term::Set(members)]));
    }
    if let Some(approval) = &grant.approval {
        facts.push(fact("approval", [Term::Bytes(approval.as_bytes())]));
    }
    if let Some(stores) = &grant.stores {
        facts.push(fact("stores", [Term::Int(stores.needed().into())]));
        facts.extend(stores.seats().iter().map(seat));
    }
    if let Some((workflow, step)) = &grant.workflow {
        let terms = [Term::Text(workflow.as_str()), Term::Text(step.as_str())];
        facts.push(Predicate::new("workflow", terms));
    }
    if let Some(purpose) = &grant.purpose {
        facts.push(fact("purpose", [Term::Text(purpose.as_str())]));
    }
    if let Some(holder) = &grant.holder {
        facts.push(fact("holder", [Term::Bytes(holder.as_bytes())]));
    }
    facts
}

fn seat(seat: &Seat) -> Predicate<'_> {
    let terms = [
        Term::Text(seat.store.as_str()),
        Term::Text(seat.shard.as_str()),
        Term::Bytes(seat.generation.as_bytes()),
        Term::Int(seat.sequence.cast_signed()),
    ];
    Predicate::new("store", terms)
}

/// The facts of an authority block, taken in the order in which the layout has them.
struct Facts<'b, 'a>(&'b [Predicate<'a>]);

impl<'b, 'a> Facts<'b, 'a> {
    fn take(&mut self, name: &str) -> Option<&'b [Term<'a>]> {
        let (first, rest) = self.0.split_first()?;
        (first.name == name).then(|| {
            self.0 = rest;
            first.terms.as_slice()
        })
    }

    fn end(&self) -> Result<(), Flaw> {
        if self.0.is_empty() { Ok(()) } else { Err(Flaw::Facts) }
    }

    fn text(&mut self, name: &str) -> Result<&'a str, Flaw> {
        if let Some([Term::Text(text)]) = self.take(name) { Ok(text) } else { Err(Flaw::Facts) }
    }

    fn bytes<const N: usize>(&mut self, name: &str) -> Result<[u8; N], Flaw> {
        self.optional_bytes(name)?.ok_or(Flaw::Facts)
    }

    fn optional_bytes<const N: usize>(&mut self, name: &str) -> Result<Option<[u8; N]>, Flaw> {
        match self.take(name) {
            None => Ok(None),
            Some([Term::Bytes(bytes)]) => (*bytes).try_into().map(Some).or(Err(Flaw::Value)),
            Some(_) => Err(Flaw::Facts),
        }
    }

    fn window(&mut self) -> Result<Window, Flaw> {
        let Some([Term::Date(from), Term::Date(end)]) = self.take("window") else {
            return Err(Flaw::Facts);
        };
        Window::between(UnixSeconds(*from), UnixSeconds(*end)).or(Err(Flaw::Value))
    }

    fn varies(&mut self) -> Result<Vec<Pointer>, Flaw> {
        let members = match self.take("varies") {
            None => return Ok(Vec::new()),
            Some([Term::Set(members)]) if !members.is_empty() => members,
            Some(_) => return Err(Flaw::Facts),
        };
        let parsed: Result<Vec<_>, _> = members.iter().map(|m| Pointer::parse(m)).collect();
        let mut pointers = parsed.or(Err(Flaw::Value))?;
        pointers.sort_unstable();
        if pointers.len() > limits::BOUNDS_MAX { Err(Flaw::Value) } else { Ok(pointers) }
    }

    fn stores(&mut self) -> Result<Option<Seats>, Flaw> {
        let needed = match self.take("stores") {
            None => return Ok(None),
            Some([Term::Int(needed)]) => u8::try_from(*needed).or(Err(Flaw::Value))?,
            Some(_) => return Err(Flaw::Facts),
        };
        let mut seats = Vec::new();
        while let Some(terms) = self.take("store") {
            seats.push(read_seat(terms)?);
        }
        Seats::new(needed, seats).map(Some).or(Err(Flaw::Value))
    }

    fn workflow(&mut self) -> Result<Option<(Workflow, Step)>, Flaw> {
        match self.take("workflow") {
            None => Ok(None),
            Some([Term::Text(workflow), Term::Text(step)]) => {
                let workflow = Workflow::parse(workflow).or(Err(Flaw::Value))?;
                Ok(Some((workflow, Step::parse(step).or(Err(Flaw::Value))?)))
            }
            Some(_) => Err(Flaw::Facts),
        }
    }

    fn purpose(&mut self) -> Result<Option<Purpose>, Flaw> {
        match self.take("purpose") {
            None => Ok(None),
            Some([Term::Text(purpose)]) => Purpose::parse(purpose).map(Some).or(Err(Flaw::Value)),
            Some(_) => Err(Flaw::Facts),
        }
    }

    fn holder(&mut self) -> Result<Option<PublicKey>, Flaw> {
        let key = self.optional_bytes("holder")?.map(PublicKey::from_bytes);
        key.transpose().or(Err(Flaw::SmallOrder))
    }
}

fn read_seat(terms: &[Term<'_>]) -> Result<Seat, Flaw> {
    let [Term::Text(store), Term::Text(shard), Term::Bytes(generation), Term::Int(sequence)] =
        terms
    else {
        return Err(Flaw::Facts);
    };
    Ok(Seat {
        store: StoreName::parse(store).or(Err(Flaw::Value))?,
        shard: Shard::parse(shard).ok_or(Flaw::Value)?,
        generation: Generation::from_bytes((*generation).try_into().or(Err(Flaw::Value))?),
        sequence: u64::try_from(*sequence).or(Err(Flaw::Value))?,
    })
}

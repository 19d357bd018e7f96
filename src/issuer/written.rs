//! A grant as the record keeps it, so that a lost answer can be given again: every part of it but its secret,
//! of which there is none.
//!
//! What is read back is used to sign, so it is believed only from the issuer's own record, whose chain was
//! checked when it was opened.

use farebox_verifier::keys::{self, KeyFormat};
use farebox_verifier::{
    Action, Agent, ApprovalDigest, Audience, Caveat, CaveatText, Generation, Grant, GrantId, OneOf,
    OutputName, ParamsDigest, Pointer, PolicyHash, PublicKey, Purpose, Resource, Seat, Seats,
    Shard, StatementName, Step, StoreName, UnixSeconds, Uses, Window, Workflow,
};
use serde_json::{Map, Value, json};

/// Writes a grant down.
pub(super) fn write(grant: &Grant) -> Map<String, Value> {
    let mut written = Map::new();
    let mut put = |name: &str, value: Value| {
        written.insert(name.to_owned(), value);
    };
    put("id", json!(grant.id.to_string()));
    put("action", json!(grant.action.as_str()));
    put("resource", json!(grant.resource.as_str()));
    put("audience", json!(grant.audience.as_str()));
    put("agent", json!(grant.agent.as_str()));
    put("policy", json!(grant.policy.to_string()));
    put("params_sha256", json!(grant.params.to_string()));
    put("window", json!([grant.window.not_before().0, grant.window.end().0]));
    put("varies", json!(grant.varies.iter().map(Pointer::as_str).collect::<Vec<_>>()));
    put("approval", json!(grant.approval.map(|digest| digest.to_string())));
    put("purpose", json!(grant.purpose.as_ref().map(Purpose::as_str)));
    put("holder", json!(grant.holder.map(|key| key.to_string())));
    put("reuse", json!(grant.uses == Uses::Fresh));
    let workflow = grant.workflow.as_ref().map(|(id, step)| [id.as_str(), step.as_str()]);
    put("workflow", json!(workflow));
    put("stores", grant.stores.as_ref().map_or(Value::Null, write_seats));
    put("caveats", grant.caveats.iter().map(write_caveat).collect());
    written
}

fn write_seats(seats: &Seats) -> Value {
    let each = seats.seats().iter().map(|seat| {
        let (store, generation) = (seat.store.as_str(), seat.generation.to_string());
        json!([store, seat.shard.as_str(), generation, seat.sequence])
    });
    json!({ "needed": seats.needed(), "seats": each.collect::<Vec<_>>() })
}

fn write_caveat(caveat: &Caveat) -> Value {
    match caveat {
        Caveat::Before(end) => json!(["before", end.0]),
        Caveat::IntAtMost(at, max) => json!(["int_at_most", at.as_str(), max]),
        Caveat::IntAtLeast(at, min) => json!(["int_at_least", at.as_str(), min]),
        Caveat::TextIs(at, text) => json!(["text_is", at.as_str(), text.as_str()]),
        Caveat::TextOneOf(at, set) => json!(["text_one_of", at.as_str(), texts(set)]),
        Caveat::TextPrefix(at, text) => json!(["text_prefix", at.as_str(), text.as_str()]),
        Caveat::Proved(key) => json!(["proved", key.to_string()]),
        Caveat::Signed(name, value, key) => {
            json!(["signed", name.as_str(), value.as_str(), key.to_string()])
        }
        Caveat::OutputMax(name, max) => json!(["output_max", name.as_str(), max]),
        Caveat::OutputOneOf(name, set) => json!(["output_one_of", name.as_str(), texts(set)]),
        // A kind that is not known here is not read back: the answer is then not given again.
        _ => json!(["unknown"]),
    }
}

fn texts(set: &OneOf) -> Vec<&str> {
    set.iter().collect()
}

/// Reads a grant that was written; `None` where it is not one.
pub(super) fn read(written: &Value) -> Option<Grant> {
    let text = |name: &str| written.get(name)?.as_str();
    let seconds = |at: usize| written.get("window")?.get(at)?.as_u64().map(UnixSeconds);
    let varies = written.get("varies")?.as_array()?.iter();
    let workflow = match written.get("workflow")? {
        Value::Null => None,
        both => Some((
            Workflow::parse(both.get(0)?.as_str()?).ok()?,
            Step::parse(both.get(1)?.as_str()?).ok()?,
        )),
    };
    let caveats = written.get("caveats")?.as_array()?.iter();
    Some(Grant {
        id: GrantId::from_hex(text("id")?)?,
        action: Action::parse(text("action")?).ok()?,
        resource: Resource::parse(text("resource")?).ok()?,
        params: ParamsDigest::from_hex(text("params_sha256")?)?,
        audience: Audience::parse(text("audience")?).ok()?,
        window: Window::between(seconds(0)?, seconds(1)?).ok()?,
        agent: Agent::parse(text("agent")?).ok()?,
        policy: PolicyHash::from_hex(text("policy")?)?,
        varies: varies.map(|at| Pointer::parse(at.as_str()?).ok()).collect::<Option<_>>()?,
        approval: optional(written.get("approval")?, ApprovalDigest::from_hex)?,
        stores: read_seats(written.get("stores")?)?,
        workflow,
        purpose: optional(written.get("purpose")?, |text| Purpose::parse(text).ok())?,
        holder: optional(written.get("holder")?, public_key)?,
        uses: if written.get("reuse")?.as_bool()? { Uses::Fresh } else { Uses::Once },
        caveats: caveats.map(read_caveat).collect::<Option<_>>()?,
    })
}

/// What may be missing: the outer `None` says that it cannot be read.
fn optional<T>(value: &Value, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        value => read(value.as_str()?).map(Some),
    }
}

fn public_key(text: &str) -> Option<PublicKey> {
    keys::parse(text, KeyFormat::Hex).ok()
}

fn read_seats(value: &Value) -> Option<Option<Seats>> {
    if value.is_null() {
        return Some(None);
    }
    let seat = |seat: &Value| {
        Some(Seat {
            store: StoreName::parse(seat.get(0)?.as_str()?).ok()?,
            shard: Shard::parse(seat.get(1)?.as_str()?)?,
            generation: Generation::from_hex(seat.get(2)?.as_str()?)?,
            sequence: seat.get(3)?.as_u64()?,
        })
    };
    let seats = value.get("seats")?.as_array()?.iter().map(seat).collect::<Option<Vec<_>>>()?;
    let needed = u8::try_from(value.get("needed")?.as_u64()?).ok()?;
    Seats::new(needed, seats).ok().map(Some)
}

fn read_caveat(value: &Value) -> Option<Caveat> {
    let text = |at: usize| value.get(at)?.as_str();
    let pointer = || Pointer::parse(text(1)?).ok();
    let word = |at: usize| CaveatText::parse(text(at)?).ok();
    let output = || OutputName::parse(text(1)?).ok();
    let int = || value.get(2)?.as_i64();
    let set = || {
        let texts =
            value.get(2)?.as_array()?.iter().map(|text| CaveatText::parse(text.as_str()?).ok());
        OneOf::new(texts.collect::<Option<Vec<_>>>()?).ok()
    };
    Some(match text(0)? {
        "before" => Caveat::Before(UnixSeconds(value.get(1)?.as_u64()?)),
        "int_at_most" => Caveat::IntAtMost(pointer()?, int()?),
        "int_at_least" => Caveat::IntAtLeast(pointer()?, int()?),
        "text_is" => Caveat::TextIs(pointer()?, word(2)?),
        "text_one_of" => Caveat::TextOneOf(pointer()?, set()?),
        "text_prefix" => Caveat::TextPrefix(pointer()?, word(2)?),
        "proved" => Caveat::Proved(public_key(text(1)?)?),
        "signed" => {
            let name = StatementName::parse(text(1)?).ok()?;
            Caveat::Signed(name, word(2)?, public_key(text(3)?)?)
        }
        "output_max" => Caveat::OutputMax(output()?, int()?),
        "output_one_of" => Caveat::OutputOneOf(output()?, set()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        let text = |text: &str| CaveatText::parse(text).unwrap();
        let set = || OneOf::new(vec![text("acme"), text("globex")]).unwrap();
        let key = public_key("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let seat = |name: &str, sequence| Seat {
            store: StoreName::parse(name).unwrap(),
            shard: Shard::only(),
            generation: Generation::from_bytes([3; 16]),
            sequence,
        };
        Grant {
            id: GrantId::from_bytes([7; 16]),
            action: Action::parse("payments.transfer").unwrap(),
            resource: Resource::parse("account/42").unwrap(),
            params: Params::empty().digest(),
            audience: Audience::parse("payments-api").unwrap(),
            window: Window::minted(UnixSeconds(1_800_000_000), 60).unwrap(),
            agent: Agent::parse("key:ci").unwrap(),
            policy: PolicyHash::from_bytes([9; 32]),
            varies: vec![pointer("/amount"), pointer("/to")],
            approval: Some(ApprovalDigest::from_bytes([4; 32])),
            stores: Some(
                Seats::new(2, vec![seat("r1", 17), seat("r2", 4), seat("r3", 9)]).unwrap(),
            ),
            workflow: Some((Workflow::parse("run-81").unwrap(), Step::parse("3").unwrap())),
            purpose: Some(Purpose::parse("invoice inv-7").unwrap()),
            holder: key,
            uses: Uses::Once,
            caveats: vec![
                Caveat::Before(UnixSeconds(1_800_000_030)),
                Caveat::IntAtMost(pointer("/amount"), 4000),
                Caveat::IntAtLeast(pointer("/amount"), -4),
                Caveat::TextIs(pointer("/to"), text("acme")),
                Caveat::TextOneOf(pointer("/to"), set()),
                Caveat::TextPrefix(pointer("/to"), text("ac")),
                Caveat::Proved(key.unwrap()),
                Caveat::Signed(StatementName::parse("change").unwrap(), text("c-1"), key.unwrap()),
                Caveat::OutputMax(OutputName::parse("rows").unwrap(), 10),
                Caveat::OutputOneOf(OutputName::parse("class").unwrap(), set()),
            ],
        }
    }

    use farebox_verifier::Params;

    #[test]
    fn what_was_written_is_read_as_the_same_grant() {
        let grant = grant();
        let text = Value::Object(write(&grant)).to_string();
        assert_eq!(read(&serde_json::from_str(&text).unwrap()), Some(grant));
    }

    #[test]
    fn a_grant_without_what_may_be_missing_is_read_too() {
        let grant = Grant {
            varies: Vec::new(),
            approval: None,
            stores: None,
            workflow: None,
            purpose: None,
            holder: None,
            uses: Uses::Fresh,
            caveats: Vec::new(),
            ..grant()
        };
        assert_eq!(read(&Value::Object(write(&grant))), Some(grant));
    }

    #[test]
    fn what_lacks_a_part_is_no_grant() {
        let whole = write(&grant());
        for name in whole.keys() {
            let mut part = whole.clone();
            part.remove(name);
            assert_eq!(read(&Value::Object(part)), None, "{name}");
        }
    }
}

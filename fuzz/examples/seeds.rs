//! Writes the token seeds anew, from the folder `fuzz`: `cargo run --example seeds`.
//!
//! One token of each shape, as bytes and as text. The signatures are zeros: the reader looks at none.

use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farebox_verifier::token::{self, Statement, TokenText};
use farebox_verifier::{
    Action, Agent, ApprovalDigest, Audience, Caveat, CaveatText, Generation, Grant, GrantId, OneOf,
    OutputName, Params, Pointer, PolicyHash, PublicKey, Purpose, Resource, Seat, Seats, Shard,
    StatementName, Step, StoreName, UnixSeconds, Uses, Window, Workflow,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let (plain, full) = (plain()?, full()?);
    let at_most = Caveat::IntAtMost(Pointer::parse("/amount")?, 4000);
    let minted = mint(&plain)?;
    let narrowed = token::narrow(&minted, &caveats()?)?;
    let asking = Grant { caveats: vec![signed()?], ..plain.clone() };
    write("plain", &minted)?;
    write("fresh", &mint(&Grant { uses: Uses::Fresh, ..plain })?)?;
    write("full", &mint(&full)?)?;
    write("narrowed", &narrowed)?;
    write("narrowed-twice", &token::narrow(&narrowed, &[at_most])?)?;
    write("stated", &stated(&mint(&asking)?)?)
}

fn write(name: &str, token: &TokenText) -> Result<()> {
    let folder = Path::new("seeds/token_reader");
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{name}.txt")), token.expose())?;
    fs::write(folder.join(format!("{name}.bin")), URL_SAFE_NO_PAD.decode(token.expose())?)?;
    Ok(())
}

fn mint(grant: &Grant) -> Result<TokenText> {
    Ok(token::mint(grant, 7, &[5; 32], |_| [0; 64])?)
}

fn plain() -> Result<Grant> {
    let params = Params::parse(br#"{"amount":4000,"to":"acme"}"#)?;
    Ok(Grant {
        id: GrantId::from_bytes([1; 16]),
        action: Action::parse("payments.transfer")?,
        resource: Resource::parse("account/42")?,
        params: params.digest(),
        audience: Audience::parse("payments-api")?,
        window: Window::minted(UnixSeconds(1_800_000_000), 60)?,
        agent: Agent::parse("spiffe://acme/agents/billing")?,
        policy: PolicyHash::NONE,
        varies: Vec::new(),
        approval: None,
        stores: None,
        workflow: None,
        purpose: None,
        holder: None,
        uses: Uses::Once,
        caveats: Vec::new(),
    })
}

/// A grant with every fact and every caveat that there is.
fn full() -> Result<Grant> {
    let mut caveats = caveats()?;
    caveats.push(signed()?);
    let seat = Seat {
        store: StoreName::parse("r1")?,
        shard: Shard::parse("00").ok_or("no shard")?,
        generation: Generation::from_bytes([2; 16]),
        sequence: 17,
    };
    Ok(Grant {
        varies: vec![Pointer::parse("/amount")?, Pointer::parse("/to")?],
        approval: Some(ApprovalDigest::from_bytes([3; 32])),
        stores: Some(Seats::new(1, vec![seat])?),
        workflow: Some((Workflow::parse("run-81")?, Step::parse("3")?)),
        purpose: Some(Purpose::parse("invoice inv-7")?),
        holder: Some(key()?),
        caveats,
        ..plain()?
    })
}

fn caveats() -> Result<Vec<Caveat>> {
    let text = CaveatText::parse("acme")?;
    let set = OneOf::new([text.clone(), CaveatText::parse("query")?])?;
    let (amount, to) = (Pointer::parse("/amount")?, Pointer::parse("/to")?);
    Ok(vec![
        Caveat::Before(UnixSeconds(1_800_000_050)),
        Caveat::IntAtMost(amount.clone(), 4000),
        Caveat::IntAtLeast(amount, -1),
        Caveat::TextOneOf(to.clone(), set.clone()),
        Caveat::TextPrefix(to, text),
        Caveat::Proved(key()?),
        Caveat::OutputMax(OutputName::parse("rows")?, 10),
        Caveat::OutputOneOf(OutputName::parse("class")?, set),
    ])
}

fn key() -> Result<PublicKey> {
    Ok(PublicKey::from_bytes([9; 32])?)
}

fn signed() -> Result<Caveat> {
    let name = StatementName::parse("change_approved")?;
    Ok(Caveat::Signed(name, CaveatText::parse("CHG-17")?, key()?))
}

fn stated(token: &TokenText) -> Result<TokenText> {
    let (name, value) = (StatementName::parse("change_approved")?, CaveatText::parse("CHG-17")?);
    let statement = Statement { name, value, key: key()?, signature: [0; 64] };
    Ok(token::append_statement(token, &statement)?)
}

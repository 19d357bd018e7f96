//! Caveats from flags and from bounds.

use clap::Args;
use farebox_verifier::{
    Caveat, CaveatText, KeyRing, OneOf, OutputName, Pointer, PublicKey, StatementName, ThirdParty,
    UnixSeconds,
};

use crate::cli::argument::{self, ValueError};
use crate::cli::failure::Failure;

/// The caveats that both an issuer and a holder can put on a token. Each flag may be given several times.
#[derive(Args)]
pub(super) struct CaveatArgs {
    /// Only before this time: 2026-11-21T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = argument::date, help_heading = "Caveats")]
    before: Option<UnixSeconds>,
    /// The integer there is at most this: /amount=4000
    #[arg(long, value_name = "POINTER=INT", value_parser = at_most, help_heading = "Caveats")]
    max: Vec<Caveat>,
    /// The integer there is at least this: /amount=1
    #[arg(long, value_name = "POINTER=INT", value_parser = at_least, help_heading = "Caveats")]
    min: Vec<Caveat>,
    /// The text there is this: /to=acme
    #[arg(long, value_name = "POINTER=TEXT", value_parser = text_is, help_heading = "Caveats")]
    is: Vec<Caveat>,
    /// The text there is one of these: /to=acme,globex
    #[arg(long, value_name = "POINTER=TEXT,…", value_parser = one_of, help_heading = "Caveats")]
    one_of: Vec<Caveat>,
    /// The text there starts so, byte for byte: /path=src/
    #[arg(long, value_name = "POINTER=TEXT", value_parser = prefix, help_heading = "Caveats")]
    prefix: Vec<Caveat>,
    /// Whoever presents the token proves that they hold this public key
    #[arg(long, value_name = "HEXKEY", value_parser = argument::key, help_heading = "Caveats")]
    proved: Vec<PublicKey>,
    /// The API's result measures at most this: rows=100
    #[arg(long, value_name = "NAME=INT", value_parser = output_max, help_heading = "Caveats")]
    output_max: Vec<Caveat>,
    /// The API's result shows nothing but these: class=public,internal
    #[arg(long, value_name = "NAME=TEXT,…", value_parser = output_one_of, help_heading = "Caveats")]
    output_one_of: Vec<Caveat>,
}

impl CaveatArgs {
    /// All of them, in the order of the flags above.
    pub(super) fn caveats(&self) -> Vec<Caveat> {
        let mut caveats: Vec<Caveat> = self.before.map(Caveat::Before).into_iter().collect();
        for given in [&self.max, &self.min, &self.is, &self.one_of, &self.prefix] {
            caveats.extend_from_slice(given);
        }
        caveats.extend(self.proved.iter().copied().map(Caveat::Proved));
        caveats.extend(self.output_max.iter().chain(&self.output_one_of).cloned());
        caveats
    }
}

/// A statement that a third party must make: `change_approved=CHG-17@change-mgmt`.
#[derive(Clone)]
pub(super) struct Demand {
    name: StatementName,
    value: CaveatText,
    signer: ThirdParty,
}

impl Demand {
    pub(super) fn parse(text: &str) -> Result<Demand, ValueError> {
        let form = || ValueError::Form { form: "NAME=VALUE@THIRD-PARTY" };
        let (name, rest) = text.split_once('=').ok_or_else(form)?;
        let (value, signer) = rest.rsplit_once('@').ok_or_else(form)?;
        Ok(Demand {
            name: StatementName::parse(name)?,
            value: CaveatText::parse(value)?,
            signer: ThirdParty::parse(signer)?,
        })
    }

    /// The caveat, with the key that the third party has in this ring.
    pub(super) fn caveat(&self, ring: &KeyRing) -> Result<Caveat, Failure> {
        let Some(key) = ring.third_party(&self.signer) else {
            let known: Vec<&str> = ring.third_parties().map(|(name, _)| name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::NoSuchThirdParty { name: self.signer.clone(), known });
        };
        Ok(Caveat::Signed(self.name.clone(), self.value.clone(), *key))
    }
}

fn at_most(text: &str) -> Result<Caveat, ValueError> {
    let (at, max) = split(text, "POINTER=INT")?;
    Ok(Caveat::IntAtMost(Pointer::parse(at)?, int(max)?))
}

fn at_least(text: &str) -> Result<Caveat, ValueError> {
    let (at, min) = split(text, "POINTER=INT")?;
    Ok(Caveat::IntAtLeast(Pointer::parse(at)?, int(min)?))
}

fn text_is(text: &str) -> Result<Caveat, ValueError> {
    let (at, value) = split(text, "POINTER=TEXT")?;
    Ok(Caveat::TextIs(Pointer::parse(at)?, CaveatText::parse(value)?))
}

fn one_of(text: &str) -> Result<Caveat, ValueError> {
    let (at, members) = split(text, "POINTER=TEXT,TEXT")?;
    Ok(Caveat::TextOneOf(Pointer::parse(at)?, set(members)?))
}

fn prefix(text: &str) -> Result<Caveat, ValueError> {
    let (at, prefix) = split(text, "POINTER=TEXT")?;
    Ok(Caveat::TextPrefix(Pointer::parse(at)?, CaveatText::parse(prefix)?))
}

fn output_max(text: &str) -> Result<Caveat, ValueError> {
    let (name, max) = split(text, "NAME=INT")?;
    Ok(Caveat::OutputMax(OutputName::parse(name)?, int(max)?))
}

fn output_one_of(text: &str) -> Result<Caveat, ValueError> {
    let (name, members) = split(text, "NAME=TEXT,TEXT")?;
    Ok(Caveat::OutputOneOf(OutputName::parse(name)?, set(members)?))
}

/// At the first `=`: a member whose name holds one is reached by bounds in JSON.
fn split<'a>(text: &'a str, form: &'static str) -> Result<(&'a str, &'a str), ValueError> {
    text.split_once('=').ok_or(ValueError::Form { form })
}

fn int(text: &str) -> Result<i64, ValueError> {
    text.parse().or(Err(ValueError::Form { form: "an integer" }))
}

fn set(members: &str) -> Result<OneOf, ValueError> {
    let texts: Result<Vec<_>, _> = members.split(',').map(CaveatText::parse).collect();
    Ok(OneOf::new(texts?)?)
}

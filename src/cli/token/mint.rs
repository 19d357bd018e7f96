//! Minting by hand: for trying things out, and for an API whose store is its own memory.

use std::path::PathBuf;

use clap::Args;
use farebox_verifier::params::json::Json;
use farebox_verifier::{
    Agent, Bounds, Caveat, Clock as _, Grant, GrantId, KeyRing, Pointer, PolicyHash, Purpose, Step,
    SystemClock, UnixSeconds, Uses, Window, Workflow, limits,
};
use serde_json::json;

use super::caveats::{CaveatArgs, Demand};
use crate::cli::answer::Answer;
use crate::cli::argument::{self, Given, KeySource, PassphraseArgs, RequestArgs, Source, Stdin};
use crate::cli::failure::Failure;
use crate::signer::Signer;

const NOTE: &str = "this token is registered in no store, so only an API with a memory or a local store \
                    can spend it";

#[derive(Args)]
pub(crate) struct Mint {
    /// The issuer's private key
    #[arg(long, value_name = "FILE", env = "FAREBOX_KEY")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The key's number; left out, the name of its file
    #[arg(long, value_name = "N")]
    key_id: Option<u32>,
    #[command(flatten)]
    request: RequestArgs,
    /// Who asks: spiffe://acme/agents/billing
    #[arg(long, value_name = "ID", value_parser = Agent::parse)]
    agent: Agent,
    /// Members that may vary, as JSON, @FILE or -: {"/amount":{"max":4000},"/to":{"one_of":["acme"]}}
    #[arg(long, value_name = "JSON", conflicts_with = "params_sha256")]
    bounds: Option<Source>,
    /// How long it is good for
    #[arg(long, value_name = "SECONDS", default_value_t = limits::TTL_SECONDS_DEFAULT,
          value_parser = clap::value_parser!(u64).range(1..=limits::TTL_SECONDS_MAX))]
    ttl: u64,
    /// The workflow that it is a step of
    #[arg(long, value_name = "ID", value_parser = Workflow::parse, requires = "step")]
    workflow: Option<Workflow>,
    /// The step
    #[arg(long, value_name = "S", value_parser = Step::parse, requires = "workflow")]
    step: Option<Step>,
    /// What it is for, in words
    #[arg(long, value_name = "TEXT", value_parser = Purpose::parse)]
    purpose: Option<Purpose>,
    /// The public key whose holder alone may use it
    #[arg(long, value_name = "HEXKEY|FILE")]
    holder: Option<KeySource>,
    /// The grant's id, to mint the same grant again
    #[arg(long, value_name = "HEX", value_parser = argument::grant)]
    grant: Option<GrantId>,
    /// The time of minting; left out, now
    #[arg(long, value_name = "DATE", value_parser = argument::date)]
    at: Option<UnixSeconds>,
    #[command(flatten)]
    caveats: CaveatArgs,
    /// A third party states this: change_approved=CHG-17@change-mgmt
    #[arg(long, value_name = "NAME=VALUE@THIRD-PARTY", value_parser = Demand::parse,
          requires = "keys", help_heading = "Caveats")]
    signed: Vec<Demand>,
    /// The folder in which third parties' keys are
    #[arg(long, value_name = "DIR", env = "FAREBOX_KEYS")]
    keys: Option<PathBuf>,
}

impl Mint {
    pub(super) fn run(&self, stdin: &mut Stdin) -> Result<Answer, Failure> {
        let key_id = self.key_id()?;
        let grant = self.grant(stdin)?;
        let signer = Signer::new(key_id, self.passphrase.private_key(&self.key)?);
        let token = signer.mint(&grant)?;
        let json = json!({
            "grant": grant.id.to_string(),
            "token": token.expose(),
            "expires_at": grant.window.end().to_string(),
            "registered": false,
            "note": NOTE,
        });
        Ok(Answer::done(vec![token.expose().to_owned()], json).with_note(NOTE))
    }

    fn key_id(&self) -> Result<u32, Failure> {
        let stem = || self.key.file_stem()?.to_str()?.parse().ok();
        self.key_id.or_else(stem).ok_or_else(|| Failure::NoKeyId { path: self.key.clone() })
    }

    fn grant(&self, stdin: &mut Stdin) -> Result<Grant, Failure> {
        let given = self.request.params.read(stdin)?;
        let bounds = self.bounds(&given, stdin)?;
        let varies = bounds.iter().flat_map(Bounds::pointers).cloned().collect::<Vec<Pointer>>();
        Ok(Grant {
            id: self.grant.map_or_else(GrantId::fresh, Ok)?,
            action: self.request.action.clone(),
            resource: self.request.resource.clone(),
            params: given.digest(),
            audience: self.request.audience.clone(),
            window: Window::minted(self.at.unwrap_or_else(|| SystemClock.now()), self.ttl)?,
            agent: self.agent.clone(),
            policy: PolicyHash::NONE,
            varies,
            approval: None,
            stores: None,
            workflow: self.workflow.clone().zip(self.step.clone()),
            purpose: self.purpose.clone(),
            holder: self.holder.as_ref().map(KeySource::read).transpose()?,
            uses: Uses::Once,
            caveats: self.caveats(bounds.as_ref())?,
        })
    }

    fn bounds(&self, given: &Given, stdin: &mut Stdin) -> Result<Option<Bounds>, Failure> {
        let Some(source) = &self.bounds else { return Ok(None) };
        let json = Json::parse(&source.read(stdin)?).map_err(Failure::BoundsJson)?;
        let bounds = Bounds::from_json(&json)?;
        if let Given::Params(params) = given {
            bounds.stand_apart_from(params)?;
        }
        Ok(Some(bounds))
    }

    fn caveats(&self, bounds: Option<&Bounds>) -> Result<Vec<Caveat>, Failure> {
        let mut caveats = bounds.map(Caveat::of_bounds).transpose()?.unwrap_or_default();
        caveats.extend(self.caveats.caveats());
        if let (Some(keys), false) = (&self.keys, self.signed.is_empty()) {
            let ring = KeyRing::load(keys)?;
            for demand in &self.signed {
                caveats.push(demand.caveat(&ring)?);
            }
        }
        Ok(caveats)
    }
}

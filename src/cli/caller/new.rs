//! A new caller.

use clap::Args;
use farebox_verifier::keys::{self, KeyFormat};
use farebox_verifier::{Audience, Clock as _, PublicKey, SystemClock, UnixSeconds};

use super::{Data, fresh, span};
use crate::callers::{Attribute, CallerName, Rights, Role, Tenant, attribute};
use crate::cli::answer::Answer;
use crate::cli::argument::ValueError;
use crate::cli::failure::Failure;
use crate::store::desk::{Group, Owner};

#[derive(Args)]
pub(crate) struct New {
    #[command(flatten)]
    data: Data,
    /// Its name: policies and the record know it as key:NAME
    #[arg(value_name = "NAME", value_parser = CallerName::parse)]
    name: CallerName,
    /// What it may do: mint, spend, revoke, approve, read, admin; several with the flag again, or with commas
    #[arg(long = "role", value_name = "ROLE", value_parser = Role::parse, value_delimiter = ',', required = true)]
    roles: Vec<Role>,
    /// An audience that it may spend for, with the role spend; several with the flag again
    #[arg(long, value_name = "AUDIENCE", value_parser = Audience::parse)]
    spends_for: Vec<Audience>,
    /// The person behind it: callers of one owner are one approver
    #[arg(long, value_name = "NAME", value_parser = Owner::parse)]
    owner: Option<Owner>,
    /// A group of approvers that it belongs to; several with the flag again
    #[arg(long = "group", value_name = "NAME", value_parser = Group::parse)]
    groups: Vec<Group>,
    /// Whose workflows it sees
    #[arg(long, value_name = "NAME", value_parser = Tenant::parse)]
    tenant: Option<Tenant>,
    /// What policies are told about it; several with the flag again
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = read_attribute)]
    attributes: Vec<Attribute>,
    /// The public key, in hexadecimal, that it signs decisions with: then none counts that is not
    #[arg(long, value_name = "HEXKEY", value_parser = read_key)]
    decision_key: Option<PublicKey>,
    /// When its key ends: a date, or a span from now such as 90d; left out, never
    #[arg(long, value_name = "DATE|SPAN", value_parser = span::end)]
    expires: Option<UnixSeconds>,
}

fn read_key(text: &str) -> Result<PublicKey, ValueError> {
    keys::parse(text, KeyFormat::Hex)
        .or(Err(ValueError::Form { form: "a public key in hexadecimal" }))
}

fn read_attribute(text: &str) -> Result<Attribute, ValueError> {
    let form = "NAME=VALUE, a word and a text of up to 512 bytes";
    let (name, value) = text.split_once('=').ok_or(ValueError::Form { form })?;
    attribute(name, value).or(Err(ValueError::Form { form }))
}

impl New {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let spends = self.roles.contains(&Role::Spend);
        if spends == self.spends_for.is_empty() {
            return Err(Failure::SpendsFor);
        }
        let now = SystemClock.now();
        if self.expires.is_some_and(|end| end <= now) {
            return Err(Failure::EndPast);
        }
        let rights = Rights {
            roles: self.roles.iter().copied().collect(),
            spends_for: self.spends_for.clone(),
            tenant: self.tenant.clone(),
            owner: self.owner.clone(),
            groups: self.groups.clone(),
            attributes: self.attributes.clone(),
            decision_key: self.decision_key,
        };
        let (account, secret) = self.data.folder().add(&self.name, rights, self.expires, now)?;
        Ok(fresh(&account, &secret))
    }
}

//! The function library, brought to the servers by whoever may load it.

use clap::Args;
use farebox_verifier::redis::{Link, Waits};
use serde_json::json;

use super::Servers;
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::store::redis::library;

#[derive(Args)]
pub(in crate::cli) struct Load {
    #[command(flatten)]
    servers: Servers,
}

impl Load {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let addresses = self.servers.addresses()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::Runtime)?;
        let (mut lines, mut stores) = (Vec::new(), Vec::new());
        for address in addresses {
            let store = address.name().clone();
            let link = Link::new(address, Waits { call: super::PATIENCE, ..Waits::default() });
            let there = runtime.block_on(library::ensure(&link));
            there.map_err(|source| Failure::Library { store: store.clone(), source })?;
            lines.push(format!("{store}: {} ({})", library::NAME, library::fingerprint()));
            stores.push(store.as_str().to_owned());
        }
        let json = json!({
            "library": library::NAME,
            "fingerprint": library::fingerprint(),
            "stores": stores,
        });
        Ok(Answer::done(lines, json))
    }
}

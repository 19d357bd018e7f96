//! Rotation: another key now, and the end of the earlier ones after a while.

use clap::Args;
use farebox_verifier::{Clock as _, SystemClock, UnixSeconds};

use super::{Data, fresh, span};
use crate::callers::{CallerName, FIRST_KEY_FILE};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    data: Data,
    /// Whose key
    #[arg(value_name = "NAME", value_parser = CallerName::parse)]
    name: CallerName,
    /// How long the earlier keys are still taken; 0s where one leaked
    #[arg(long, value_name = "SPAN", default_value = "1d", value_parser = span::seconds)]
    overlap: u64,
    /// When the new key ends: a date, or a span from now such as 90d; left out, never
    #[arg(long, value_name = "DATE|SPAN", value_parser = span::end)]
    expires: Option<UnixSeconds>,
}

impl Rotate {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let now = SystemClock.now();
        if self.expires.is_some_and(|end| end <= now) {
            return Err(Failure::EndPast);
        }
        let folder = self.data.folder();
        let (account, secret) = folder.rotate(&self.name, self.overlap, self.expires, now)?;
        let mut answer = fresh(&account, &secret);
        let end = now.plus(self.overlap);
        if let Some(members) = answer.json.as_object_mut() {
            members.insert("earlier_keys_end_at".to_owned(), end.to_string().into());
        }
        answer =
            answer.with_note(format!("earlier keys of {} end at {end} at the latest", self.name));
        let first = self.data.data.join(FIRST_KEY_FILE);
        if self.name.as_str() == "admin" && first.exists() {
            let path = first.display();
            answer =
                answer.with_note(format!("{path} still has the earlier key: replace or delete it"));
        }
        Ok(answer)
    }
}

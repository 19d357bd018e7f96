//! From an entry of the record to what it says for the feed.

use farebox_verifier::feed::Word;
use farebox_verifier::{PolicyHash, Selector, UnixSeconds};
use serde_json::Value;

use crate::record::{Entry, Kind};

/// What is said, when, and of which grants.
pub(super) type Said = (Word, UnixSeconds, Selector);

/// What an entry says, in order.
pub(super) fn words(entry: &Entry, now: UnixSeconds) -> Vec<Said> {
    let at = entry.at.unwrap_or(now);
    let said = |word| move |selector| (word, at, selector);
    match entry.kind {
        Kind::Revocation => {
            let blocked = detail(entry, "block") == Some(&Value::Bool(true));
            let mut words: Vec<Said> = selector(entry).map(said(Word::Revoked)).collect();
            words.extend(selector(entry).filter(|_| blocked).map(said(Word::Blocked)));
            words
        }
        // Journals come later, and would put a block up again that was lifted since.
        Kind::Blocked | Kind::Unblocked if entry.life.is_some() => Vec::new(),
        Kind::Blocked => selector(entry).map(said(Word::Blocked)).collect(),
        Kind::Unblocked => selector(entry).map(said(Word::Lifted)).collect(),
        Kind::PolicyChanged => {
            let old = detail(entry, "replaced").and_then(Value::as_str);
            let old = old.and_then(PolicyHash::from_hex).map(Selector::Policy);
            old.into_iter().map(said(Word::Revoked)).collect()
        }
        // Whoever has a retired key can say that a token is as young as it likes: only a block ends that.
        Kind::KeyChanged => {
            let retired = keys(entry, "retired");
            let retired = retired
                .flat_map(|key| [(Word::Revoked, at, key.clone()), (Word::Blocked, at, key)]);
            retired.chain(keys(entry, "trusted").map(said(Word::Lifted))).collect()
        }
        _ => Vec::new(),
    }
}

/// The policies that an entry says are in force.
pub(super) fn policy(entry: &Entry) -> Option<String> {
    let policy = entry.policy.as_deref().filter(|_| entry.kind == Kind::PolicyChanged);
    policy.map(str::to_owned)
}

fn detail<'a>(entry: &'a Entry, name: &str) -> Option<&'a Value> {
    entry.detail.as_ref()?.get(name)
}

fn selector(entry: &Entry) -> std::option::IntoIter<Selector> {
    let text = |name| detail(entry, name).and_then(Value::as_str);
    let selector = || Selector::parse(text("by")?, text("value")?);
    selector().into_iter()
}

fn keys(entry: &Entry, name: &str) -> impl Iterator<Item = Selector> {
    let list = detail(entry, name).and_then(Value::as_array).cloned().unwrap_or_default();
    let ids = list.into_iter().filter_map(|id| u32::try_from(id.as_u64()?).ok());
    ids.map(Selector::Key)
}

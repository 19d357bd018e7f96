//! Searching a record: which entries, in which order, some at a time.
//!
//! An entry has one spelling, so a line that holds `"agent":"key:ci"` nowhere is not of that agent, and is never
//! parsed. What is left is read in full. A search looks through so many bytes and no more, then answers with what
//! it has and where to go on: no question keeps a thread for long, however rare what it asks for.

use std::collections::VecDeque;

use farebox_verifier::{Action, Agent, Audience, GrantId, PolicyHash, UnixSeconds, Workflow};

use super::error::ReadError;
use super::folder;
use super::kind::Kind;
use super::line::Recorded;
use super::read::Reader;
use crate::limits;

/// In which order entries are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    #[default]
    OldestFirst,
    /// The last one first.
    NewestFirst,
}

/// What is looked for: whatever is set must be so.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What entries are about.
    pub kind: Option<Kind>,
    /// Of which grant.
    pub grant: Option<GrantId>,
    /// Of which agent.
    pub agent: Option<Agent>,
    /// Of which workflow.
    pub workflow: Option<Workflow>,
    /// For which API.
    pub audience: Option<Audience>,
    /// Of which action.
    pub action: Option<Action>,
    /// Of which set of policies.
    pub policy: Option<PolicyHash>,
    /// Done by whom.
    pub by: Option<Box<str>>,
    /// Of which tenant.
    pub tenant: Option<Box<str>>,
    /// The first second in which it may have happened.
    pub from: Option<UnixSeconds>,
    /// The first second in which it may not any more.
    pub to: Option<UnixSeconds>,
    /// Goes on behind this entry: in front of it where the newest come first.
    pub after: Option<u64>,
    /// In which order.
    pub order: Order,
    /// How many at most.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The entries.
    pub items: Vec<Recorded>,
    /// Where to go on; nothing where the record was seen to its end.
    pub next: Option<u64>,
}

/// A query, and the texts that every line must hold that it takes.
struct Wanted<'a> {
    query: &'a Query,
    texts: Vec<String>,
}

impl Reader {
    /// The entries that a query takes. Blocks for a second at most.
    ///
    /// # Errors
    /// [`ReadError`] where a file cannot be read, or what stands there cannot be believed.
    pub fn search(&self, query: &Query) -> Result<Page, ReadError> {
        let wanted = Wanted::of(query);
        let limit = query.limit.clamp(1, limits::RECORD_LIST_MAX);
        match query.order {
            Order::OldestFirst => self.search_on(&wanted, limit),
            Order::NewestFirst => self.search_back(&wanted, limit),
        }
    }

    fn search_on(&self, wanted: &Wanted<'_>, limit: usize) -> Result<Page, ReadError> {
        let mut lines = self.lines(wanted.query.after.unwrap_or(0))?;
        let mut looked_at = 0_u64;
        let (mut items, mut last, mut flaw) = (Vec::new(), None, None);
        loop {
            let more = lines.next(|n, line| {
                last = Some(n);
                looked_at = looked_at.saturating_add(length(line));
                match wanted.take(line) {
                    Ok(found) => items.extend(found),
                    Err(source) => flaw = Some(source),
                }
            })?;
            if let Some(source) = flaw {
                let path = folder::segment_path(self.folder(), lines.segment());
                return Err(ReadError::Line { path, source });
            }
            if items.len() > limit {
                // There is at least one more.
                items.truncate(limit);
                let next = items.last().map(|recorded: &Recorded| recorded.n);
                return Ok(Page { items, next });
            }
            if !more {
                return Ok(Page { items, next: None });
            }
            if looked_at >= limits::RECORD_LOOKED_AT_BYTES_MAX {
                return Ok(Page { items, next: last });
            }
        }
    }

    fn search_back(&self, wanted: &Wanted<'_>, limit: usize) -> Result<Page, ReadError> {
        let segments = self.segments()?;
        let before = wanted.query.after.unwrap_or(u64::MAX);
        let newest = self.segment_of(&segments, before.saturating_sub(1))?;
        let mut items = Vec::new();
        let segments = segments.iter().rev().copied().filter(|segment| *segment <= newest);
        let mut looked_at = 0_u64;
        for segment in segments {
            if looked_at >= limits::RECORD_LOOKED_AT_BYTES_MAX {
                return Ok(Page { items, next: self.first(segment.saturating_add(1))? });
            }
            let (found, bytes) = self.last_of(segment, before, limit + 1 - items.len(), wanted)?;
            looked_at = looked_at.saturating_add(bytes);
            items.extend(found);
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(|recorded: &Recorded| recorded.n);
                return Ok(Page { items, next });
            }
        }
        Ok(Page { items, next: None })
    }

    /// The last entries of one file that are taken, the last one first; and how much was looked through.
    fn last_of(
        &self,
        segment: u32,
        before: u64,
        count: usize,
        wanted: &Wanted<'_>,
    ) -> Result<(Vec<Recorded>, u64), ReadError> {
        let mut lines = self.lines_in(segment, 0);
        let mut looked_at = 0_u64;
        let (mut found, mut flaw, mut over) = (VecDeque::new(), None, false);
        while !over && lines.segment() == segment {
            let more = lines.next(|n, line| {
                over |= n >= before;
                looked_at = looked_at.saturating_add(length(line));
                // A frame of the next file may be the one that shows that this one is over.
                match wanted.take(line) {
                    Ok(Some(recorded)) if n < before => found.push_back((n, recorded)),
                    Ok(_) => {}
                    Err(source) => flaw = Some(source),
                }
            })?;
            if let Some(source) = flaw {
                let path = folder::segment_path(self.folder(), segment);
                return Err(ReadError::Line { path, source });
            }
            if lines.segment() != segment {
                let first = self.first(lines.segment())?.unwrap_or(u64::MAX);
                found.retain(|(n, _)| *n < first);
            }
            while found.len() > count {
                found.pop_front();
            }
            if !more {
                break;
            }
        }
        Ok((found.into_iter().rev().map(|(_, recorded)| recorded).collect(), looked_at))
    }
}

fn length(line: &[u8]) -> u64 {
    u64::try_from(line.len()).unwrap_or(u64::MAX)
}

impl Wanted<'_> {
    fn of(query: &Query) -> Wanted<'_> {
        let texts = [
            ("kind", query.kind.map(|kind| kind.word().to_owned())),
            ("grant", query.grant.map(|grant| grant.to_string())),
            ("agent", query.agent.as_ref().map(|agent| agent.as_str().to_owned())),
            ("workflow", query.workflow.as_ref().map(|workflow| workflow.as_str().to_owned())),
            ("audience", query.audience.as_ref().map(|audience| audience.as_str().to_owned())),
            ("action", query.action.as_ref().map(|action| action.as_str().to_owned())),
            ("policy", query.policy.map(|policy| policy.to_string())),
            ("by", query.by.as_ref().map(|by| by.to_string())),
        ];
        let texts = texts.into_iter().filter_map(|(member, text)| {
            let text = serde_json::to_string(&text?).ok()?;
            Some(format!(r#""{member}":{text}"#))
        });
        Wanted { query, texts: texts.collect() }
    }

    /// The entry of a line, if it is wanted.
    fn take(&self, bytes: &[u8]) -> Result<Option<Recorded>, super::LineError> {
        let line = std::str::from_utf8(bytes).or(Err(super::LineError::Malformed))?;
        if !self.texts.iter().all(|text| line.contains(text)) {
            return Ok(None);
        }
        let recorded = Recorded::read(bytes)?;
        Ok(self.takes(&recorded).then_some(recorded))
    }

    /// The texts may stand in a detail too: only the members themselves tell.
    fn takes(&self, recorded: &Recorded) -> bool {
        let (query, entry) = (self.query, &recorded.entry);
        let is = |member: &Option<Box<str>>, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| member.as_deref() == Some(wanted))
        };
        let grant = query.grant.map(|grant| grant.to_string());
        let policy = query.policy.map(|policy| policy.to_string());
        query.kind.is_none_or(|kind| kind == entry.kind)
            && is(&entry.grant, grant.as_deref())
            && is(&entry.agent, query.agent.as_ref().map(Agent::as_str))
            && is(&entry.workflow, query.workflow.as_ref().map(Workflow::as_str))
            && is(&entry.audience, query.audience.as_ref().map(Audience::as_str))
            && is(&entry.action, query.action.as_ref().map(Action::as_str))
            && is(&entry.policy, policy.as_deref())
            && is(&entry.by, query.by.as_deref())
            && query.tenant.as_ref().is_none_or(|tenant| entry.is_of(tenant))
            && query.from.is_none_or(|from| entry.at >= Some(from))
            && query.to.is_none_or(|to| entry.at < Some(to))
    }
}

//! A scenario as it is played: what is asked, what is answered, and what must come of it. Whatever is not as it must be
//! fails the test, and what is seen is written down for the reader.

use std::collections::BTreeMap;
use std::time::Duration;

use farebox::callers::Role;
use serde_json::json;

use super::ask::{Ask, Minted};
use super::page;
use super::stage::{On, Party, Stage};
use super::wire::Reply;

/// Plays a scenario on a file and on Redis: both must come to the same.
pub(super) fn scenario(
    (row, title): (&str, &str),
    tables: &[(&str, &str)],
    act: impl Fn(&mut Play),
) {
    scenario_within((row, title), tables, farebox::limits::APPROVAL_SECONDS, act);
}

/// The same, where people have so many seconds.
pub(super) fn scenario_within(
    (row, title): (&str, &str),
    tables: &[(&str, &str)],
    approval_seconds: u64,
    act: impl Fn(&mut Play),
) {
    let [on_file, on_redis] = [On::File, On::Redis].map(|on| {
        let mut play = Play::new(Stage::new(on, tables, approval_seconds));
        act(&mut play);
        play.end()
    });
    assert_eq!(on_file, on_redis, "{row} on Redis");
    page::holds(row, title, &on_file);
}

/// What was seen: one line for each step, and what the record has of each grant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) steps: Vec<[String; 3]>,
    pub(super) trail: Vec<String>,
}

pub(super) struct Play {
    pub(super) stage: Stage,
    grants: Vec<String>,
    pub(super) seen: Seen,
    /// How often an action has run.
    pub(super) acted: u32,
}

impl Play {
    fn new(stage: Stage) -> Play {
        Play { stage, grants: Vec::new(), seen: Seen::default(), acted: 0 }
    }

    pub(super) fn agent(&self, name: &str, attributes: &[(&str, &str)]) -> Party {
        self.stage.party(name, Role::Mint, attributes)
    }

    pub(super) fn approver(&self, name: &str, group: &str) -> Party {
        self.stage.party(name, Role::Approve, &[("group", group), ("owner", name)])
    }

    fn saw(&mut self, who: &Party, what: String, came: String) {
        self.seen.steps.push([who.name.clone(), what, came]);
    }

    fn asked(&self, who: &Party, ask: &Ask) -> Reply {
        self.stage.asks(who, ("POST", "/v1/grants"), Some(&ask.body()))
    }

    /// A token is minted.
    pub(super) fn mints(&mut self, who: &Party, why: &str, ask: &Ask) -> Minted {
        let reply = self.asked(who, ask);
        assert_eq!(reply.status, 201, "{why}: {reply:?}");
        let minted = self.minted(&reply, ask);
        let rule = rule(&reply);
        self.saw(who, format!("{why}: {}", ask.told()), format!("issued, by {rule}"));
        minted
    }

    fn minted(&mut self, reply: &Reply, ask: &Ask) -> Minted {
        let (grant, token) = (reply.text("grant"), reply.text("token"));
        self.grants.push(grant.clone());
        Minted { grant, token, ask: ask.clone() }
    }

    /// None is, for this reason.
    pub(super) fn mints_nothing(&mut self, who: &Party, why: &str, ask: &Ask, code: &str) {
        let reply = self.asked(who, ask);
        assert_eq!(
            (reply.code().as_str(), reply.text("token").as_str()),
            (code, ""),
            "{why}: {reply:?}"
        );
        let by = match rule(&reply) {
            rule if rule.is_empty() => String::new(),
            rule => format!(", by {rule}"),
        };
        self.saw(who, format!("{why}: {}", ask.told()), format!("{} `{code}`{by}", reply.status));
    }

    /// So many ask for the same at once; gives how many were granted. The others are over a budget.
    pub(super) fn mints_at_once(
        &mut self,
        who: &Party,
        why: &str,
        ask: &Ask,
        count: usize,
    ) -> usize {
        let play = &*self;
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let each: Vec<_> = (0..count).map(|_| scope.spawn(|| play.asked(who, ask))).collect();
            each.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (granted, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|it| it.status == 201);
        for reply in refused {
            assert_eq!(reply.code(), "over-budget", "{reply:?}");
        }
        self.grants.extend(granted.iter().map(|reply| reply.text("grant")));
        let count = granted.len();
        self.saw(
            who,
            format!("{why}: {}", ask.told()),
            format!("{count} issued, the others `over-budget`"),
        );
        count
    }

    /// What staff find in the record: the grants, in its order.
    pub(super) fn finds(&mut self, why: &str, query: &str) -> Vec<String> {
        let staff = self.stage.staff();
        let path = format!("/v1/record?limit=1000&{query}");
        let reply = self.stage.asks(&staff, ("GET", &path), None);
        let items = reply.json["items"].as_array().unwrap();
        let numbers: Vec<u64> = items.iter().map(|item| item["n"].as_u64().unwrap()).collect();
        assert!(numbers.is_sorted() || numbers.iter().rev().is_sorted(), "{numbers:?}");
        let mut grants: Vec<String> =
            items.iter().filter_map(|item| item["grant"].as_str().map(str::to_owned)).collect();
        grants.dedup();
        self.saw(
            &staff,
            format!("finds {why}: `/v1/record?{query}`"),
            "every entry, in order".to_owned(),
        );
        grants
    }

    /// Anybody with the public keys proves the record.
    pub(super) fn verifies(&mut self) {
        self.stage.record_is_whole();
        let anybody = Party { name: "anybody".to_owned(), key: String::new() };
        let what = "`farebox record verify`, with public keys alone".to_owned();
        self.saw(&anybody, what, "complete and in order".to_owned());
    }

    /// How many results staff see withheld.
    pub(super) fn outputs_withheld(&mut self) -> usize {
        let staff = self.stage.staff();
        for _ in 0..200 {
            let path = "/v1/grants?state=output-refused";
            let reply = self.stage.asks(&staff, ("GET", path), None);
            let count = reply.json["items"].as_array().unwrap().len();
            if count == 2 {
                self.saw(&staff, format!("lists `{path}`"), format!("{count} grants"));
                return count;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        0
    }

    /// People are asked.
    pub(super) fn waits(&mut self, who: &Party, why: &str, ask: &Ask) -> String {
        let reply = self.asked(who, ask);
        assert_eq!((reply.status, reply.text("state")), (202, "pending".to_owned()), "{reply:?}");
        let needs = &reply.json["needs"][0];
        let needs = format!("{} of {}", needs["count"], needs["group"].as_str().unwrap());
        self.saw(who, format!("{why}: {}", ask.told()), format!("202 `pending`: {needs}"));
        reply.text("grant")
    }

    /// An approver decides; `came` is the state or the code that comes of it.
    pub(super) fn says(&mut self, who: &Party, decision: &str, grant: &str, came: &str) {
        let path = format!("/v1/approvals/{grant}/decisions");
        let body = json!({ "decision": decision, "reason": "looked at" });
        let reply = self.stage.asks(who, ("POST", &path), Some(&body));
        let found = if reply.code().is_empty() { reply.text("state") } else { reply.code() };
        assert_eq!(found, came, "{reply:?}");
        self.saw(who, format!("says {decision}"), format!("{} `{came}`", reply.status));
    }

    /// What was approved is collected, decided again and minted.
    pub(super) fn collects(&mut self, who: &Party, grant: &str, ask: &Ask) -> Minted {
        let reply = self.stage.asks(who, ("POST", &format!("/v1/grants/{grant}/token")), None);
        assert_eq!(reply.status, 201, "{reply:?}");
        let rule = rule(&reply);
        self.saw(who, "collects".to_owned(), format!("issued, by {rule}"));
        self.minted(&reply, ask)
    }

    pub(super) fn collects_nothing(&mut self, who: &Party, why: &str, grant: &str, came: &str) {
        let reply = self.stage.asks(who, ("POST", &format!("/v1/grants/{grant}/token")), None);
        let found = if reply.code().is_empty() { reply.text("state") } else { reply.code() };
        assert_eq!((found.as_str(), reply.text("token").as_str()), (came, ""), "{reply:?}");
        self.saw(who, format!("collects {why}"), format!("{} `{came}`", reply.status));
    }

    /// Staff, or an approver, take something back.
    pub(super) fn withdraws(&mut self, who: &Party, grant: &str) {
        let reply =
            self.stage.asks(who, ("POST", &format!("/v1/approvals/{grant}/withdraw")), None);
        assert_eq!(reply.text("state"), "withdrawn", "{reply:?}");
        self.saw(who, "withdraws".to_owned(), "`withdrawn`".to_owned());
    }

    pub(super) fn revokes(&mut self, by: &str, value: &str) {
        let staff = self.stage.staff();
        let body = json!({ "by": by, "value": value, "reason": "stopped" });
        let reply = self.stage.asks(&staff, ("POST", "/v1/revocations"), Some(&body));
        assert_eq!(reply.status, 200, "{reply:?}");
        self.saw(&staff, format!("revokes by {by}"), "200".to_owned());
    }

    /// Waits until the record has this of a grant.
    pub(super) fn comes_to(&mut self, minted: &Minted, state: &str) {
        for _ in 0..200 {
            let path = format!("/v1/grants/{}", minted.grant);
            if self.stage.asks(&self.stage.staff(), ("GET", &path), None).text("state") == state {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it never came to {state}");
    }

    /// Stops everything, and reads the record that is left: then nothing is on its way any more.
    fn end(mut self) -> Seen {
        self.stage.stop();
        self.stage.record_is_whole();
        let mut of: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
        for entry in self.stage.record() {
            let kind = entry["kind"].as_str().unwrap();
            let Some(rank) = KINDS.iter().position(|known| *known == kind) else { continue };
            let outcome = entry["outcome"].as_str().map(|outcome| format!(" {outcome}"));
            let said = (rank, format!("{kind}{}", outcome.unwrap_or_default()));
            let grant = entry["grant"].as_str().unwrap_or_default().to_owned();
            let line = of.entry(grant).or_default();
            if !line.contains(&said) {
                line.push(said);
            }
        }
        for grant in &self.grants {
            let mut line = of.remove(grant).unwrap_or_default();
            line.sort();
            let said: Vec<String> = line.into_iter().map(|(_, said)| said).collect();
            self.seen.trail.push(said.join(" · "));
        }
        self.seen
    }
}

/// What the record says of a grant, in the order in which it is shown.
const KINDS: [&str; 15] = [
    "requested",
    "escalated",
    "approved",
    "refused-approval",
    "collected",
    "issued",
    "registered",
    "spent",
    "replayed",
    "forged",
    "settled",
    "withdrawn",
    "cancelled",
    "revoked",
    "unknown",
];

/// The rule that decided, by its file and line.
fn rule(reply: &Reply) -> String {
    let rule = reply.text("rule");
    // What stands behind it is the comment of the statement, which the page shows whole.
    let rule = rule.split(' ').next().unwrap_or_default().to_owned();
    if rule.is_empty() { rule } else { format!("`{rule}`") }
}

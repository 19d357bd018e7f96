//! Random commands from a fixed seed: the file always comes to the desk that wrote it, what happened keeps
//! the promises, and a listing shows what a look at everything shows.

use std::collections::BTreeSet;

use super::judge::Judge;
use super::*;

/// xorshift64*: the same on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Less than `end`.
    pub(super) fn below(&mut self, end: u8) -> u8 {
        u8::try_from((self.next() >> 33) % u64::from(end)).unwrap()
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[usize::from(self.below(u8::try_from(among.len()).unwrap()))]
    }

    fn soon(&mut self, now: UnixSeconds) -> UnixSeconds {
        now.plus(u64::from(self.below(200)) * 30)
    }
}

const PEOPLE: [&str; 5] = ["ann", "bob", "cyd", "dan", "olivia"];
const GROUPS: [&str; 3] = ["finance", "audit", "sre"];
const AGENTS: [&str; 2] = ["spiffe://acme/agents/billing", "b"];

fn asks(random: &mut Random, now: UnixSeconds) -> Proposal {
    let mut needs =
        vec![Need { group: group(random.pick(&GROUPS[..2])), count: 1 + random.below(2) }];
    if random.below(2) == 0 {
        needs.push(Need { group: group("sre"), count: 1 });
    }
    Proposal {
        requester: caller(random.pick(&["key:orchestrator", "key:other"])),
        agent: agent(random.pick(&AGENTS)),
        workflow: (random.below(2) == 0).then(|| Workflow::parse("w").unwrap()),
        audience: audience(random.pick(&["erp", "crm"])),
        needs: Needs::new(needs).unwrap(),
        until: random.soon(now),
        ..proposal(random.below(12))
    }
}

fn selector(random: &mut Random) -> Selector {
    match random.below(6) {
        0 => Selector::Grant(grant(random.below(24))),
        1 => Selector::Agent(agent(random.pick(&AGENTS))),
        2 => Selector::Workflow(Workflow::parse("w").unwrap()),
        3 => Selector::Audience(audience(random.pick(&["erp", "crm"]))),
        4 => Selector::Key(17),
        _ => Selector::All,
    }
}

/// One command about requests.
fn people(office: &mut Office, random: &mut Random) {
    let now = office.desk.now();
    let one = grant(random.below(12));
    match random.below(20) {
        0..5 => office.tries(|desk| desk.propose(&asks(random, now))),
        5..13 => {
            let verdict = if random.below(12) == 0 { Verdict::Refuse } else { Verdict::Approve };
            let decision = says(random.pick(&PEOPLE), random.pick(&GROUPS), verdict);
            office.tries(|desk| desk.decide(one, decision));
        }
        13..16 => {
            let fresh = grant(12 + random.below(12));
            office.tries(|desk| desk.collect(one, fresh));
        }
        16..18 => {
            let (from, to) = (grant(12 + random.below(12)), grant(12 + random.below(12)));
            let known = office.desk.request(one).and_then(|request| request.collected);
            let from = known.filter(|_| random.below(2) == 0).unwrap_or(from);
            office.tries(|desk| desk.collect_again(one, from, to));
        }
        18 => {
            let by = caller(random.pick(&["key:orchestrator", "oidc:corp:ann", "oidc:corp:bob"]));
            office.tries(|desk| desk.withdraw(one, &by));
        }
        _ => {
            let selector = selector(random);
            if random.below(4) == 0 {
                office.tries(|desk| desk.cancel(&selector, &caller("sue"), &reason()));
            } else {
                office.tries(|desk| desk.expire());
            }
        }
    }
}

/// One command about stores and what is held for them.
fn stores(office: &mut Office, random: &mut Random) {
    let now = office.desk.now();
    let (name, life) = (store(random.pick(&["l1", "l2"])), life_id(random.below(4)));
    let soon = random.soon(now);
    match random.below(12) {
        0 => {
            let api = audience(random.pick(&["erp", "erp", "crm"]));
            let boot = generation(random.below(30));
            office.tries(|desk| desk.announce(&name, &api, boot));
        }
        1..3 => {
            let seated = Description { end: soon, ..description(random.below(12)) };
            office.tries(|desk| desk.next_seat(&name, &seated));
        }
        3 if random.below(8) == 0 => office.tries(|desk| desk.dismiss(&name)),
        3 | 4 => office.tries(|desk| desk.open_life(&life, &secret())),
        5 => office.tries(|desk| desk.extend_life(life.generation, soon)),
        6 => {
            let cursor = u64::from(random.below(200));
            office.tries(|desk| desk.advance(life.generation, cursor));
        }
        7 => {
            let ends = [LifeEnd::Over, LifeEnd::Drained, LifeEnd::Gap { from: 3 }];
            let end = ends[usize::from(random.below(3))];
            office.tries(|desk| desk.end_life(life.generation, end));
        }
        8 => office.tries(|desk| desk.drop_life(life.generation)),
        9 | 10 => {
            let n = random.below(12);
            let from = UnixSeconds(now.0 - now.0 % 600 + 600 * u64::from(random.below(2)));
            let held = Hold { from, to: from.plus(600), ..hold(n) };
            office.tries(|desk| desk.begin_hold(grant(n), held));
        }
        _ => {
            let n = random.below(12);
            let end = if random.below(2) == 0 { HoldEnd::Kept } else { HoldEnd::GivenBack };
            office.tries(|desk| desk.end_hold(grant(n), hold(n).id, end));
        }
    }
}

/// One command about keys and blocks.
fn words(office: &mut Office, random: &mut Random) {
    let key = KeyDigest([random.below(6); 32]);
    let (from, to) = (grant(random.below(12)), grant(random.below(12)));
    match random.below(8) {
        0..4 => {
            let claim = KeyClaim {
                key,
                caller: Scope::from_bytes([random.below(2); 8]),
                request: RequestHash([random.below(2); 32]),
                grant: to,
                until: random.soon(office.desk.now()),
            };
            office.tries(|desk| desk.claim_key(&claim));
        }
        4..6 => office.tries(|desk| desk.renew_key(&key, from, to)),
        6 => {
            let selector = selector(random);
            office.tries(|desk| desk.lift(&selector, &caller("sue")));
        }
        _ if random.below(8) == 0 => {
            let selector = selector(random);
            office.tries(|desk| desk.block(&selector, &caller("sue"), &reason()));
        }
        _ => office.tries(|desk| desk.lift(&Selector::All, &caller("sue"))),
    }
}

fn filter(random: &mut Random) -> RequestFilter {
    let mut wanted = |one_in: u8| random.below(one_in) == 0;
    let (a, b, c, d, e, f) = (wanted(3), wanted(3), wanted(3), wanted(3), wanted(3), wanted(2));
    RequestFilter {
        groups: a.then(|| group(random.pick(&GROUPS))).into_iter().collect(),
        requester: b.then(|| caller(random.pick(&["key:orchestrator", "key:other"]))),
        agent: c.then(|| agent(random.pick(&AGENTS))),
        workflow: d.then(|| Workflow::parse("w").unwrap()),
        audience: e.then(|| audience(random.pick(&["erp", "crm"]))),
        plan: None,
        action: None,
        state: f.then(|| RequestState::ALL[usize::from(random.below(7))]),
    }
}

/// What a look at every request shows.
fn taken(desk: &Desk, filter: &RequestFilter) -> Vec<u64> {
    let RequestFilter { groups, requester, agent, workflow, audience, action: _, state, plan: _ } =
        filter;
    let all = desk.queue.iter().filter(|request| {
        let it = &request.proposal;
        (groups.is_empty() || it.needs.each().iter().any(|need| groups.contains(&need.group)))
            && requester.as_ref().is_none_or(|wanted| it.requester == *wanted)
            && agent.as_ref().is_none_or(|wanted| it.agent == *wanted)
            && workflow.as_ref().is_none_or(|wanted| it.workflow == Some(wanted.clone()))
            && audience.as_ref().is_none_or(|wanted| it.audience == *wanted)
            && state.is_none_or(|wanted| request.state == wanted)
    });
    all.map(|request| request.order).collect()
}

#[test]
fn whatever_is_done_the_file_and_the_promises_hold() {
    let mut random = Random(0x6661_7265_6465_736b);
    let mut kinds = BTreeSet::new();
    for _ in 0..200 {
        let mut office = Office::open();
        let mut judge = Judge::default();
        let mut heard = 0;
        for step in 0..400 {
            match random.below(10) {
                0..5 => people(&mut office, &mut random),
                5..7 => stores(&mut office, &mut random),
                7..9 => words(&mut office, &mut random),
                _ if random.below(20) == 0 => office.passes(u64::from(random.below(255)) * 60),
                _ => office.passes(u64::from(random.below(90))),
            }
            for event in &office.events[heard..] {
                judge.hears(event);
                kinds.insert(format!("{:?}", event.what).split(' ').next().unwrap().to_owned());
            }
            heard = office.events.len();
            if step % 50 == 49 {
                let filter = filter(&mut random);
                let page = office.desk.requests(&filter, 0, 500);
                let shown: Vec<u64> = page.items.iter().map(|request| request.order).collect();
                assert_eq!(shown, taken(&office.desk, &filter), "{filter:?}");
            }
            if random.below(100) == 0 {
                office.rewrites();
            }
        }
    }
    // Every kind of event has happened, or this test holds less than it says.
    assert_eq!(kinds.len(), 21, "{kinds:?}");
}

//! The view, from events that no one store would show in a minute: gaps, namesakes, many lives, long times.

use farebox_verifier::{
    Action, Agent, Audience, Generation, PolicyHash, Resource, Shard, StoreName,
};

use super::*;
use crate::limits::REMEMBERED_SECONDS;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const POLICY: PolicyHash = PolicyHash::from_bytes([5; 32]);

fn life(byte: u8) -> LifeId {
    let generation = Generation::from_bytes([byte; 16]);
    LifeId { store: StoreName::parse("r1").unwrap(), shard: Shard::only(), generation }
}

fn grant(byte: u8) -> GrantId {
    GrantId::from_bytes([byte; 16])
}

fn description(grant: GrantId, agent: &str) -> Description {
    Description {
        grant,
        agent: Agent::parse(agent).unwrap(),
        workflow: None,
        audience: Audience::parse("payments-api").unwrap(),
        action: Action::parse("payments.transfer").unwrap(),
        resource: Resource::parse("account/42").unwrap(),
        policy: POLICY,
        key_id: 17,
        end: NOW.plus(60),
        after: Vec::new(),
    }
}

/// A view, and the number of the last event that it was shown.
struct Shown {
    view: View,
    events: u64,
}

fn shown() -> Shown {
    Shown { view: View::of(1), events: 0 }
}

impl Shown {
    fn show(&mut self, life: &LifeId, seconds: u64, what: What) {
        self.events += 1;
        self.view.apply(life, &Event { number: self.events, at: NOW.plus(seconds), what });
    }

    fn register(&mut self, life: &LifeId, sequence: u64, id: GrantId, agent: &str) {
        let grant = Box::new(description(id, agent));
        self.show(life, 0, What::Registered { sequence, grant });
    }

    /// Where each grant is found: life and number.
    fn list(&self, filter: &Filter, count_max: usize) -> Vec<(u8, u64)> {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.view.list(filter, cursor, count_max);
            let place = |row: Listed| (row.life.generation.as_bytes()[0], row.sequence);
            all.extend(page.items.into_iter().map(place));
            cursor = page.next;
            if cursor.is_none() {
                return all;
            }
        }
    }

    fn of(&self, agent: &str) -> Vec<(u8, u64)> {
        let selectors = vec![Selector::Agent(Agent::parse(agent).unwrap())];
        let filter = Filter { selectors, standing: None };
        let listed = self.list(&filter, 2);
        assert_eq!(self.view.count(&filter), u64::try_from(listed.len()).unwrap());
        listed
    }

    fn standing(&self, id: GrantId) -> Standing {
        self.view.read(id).unwrap().standing
    }
}

#[test]
fn lives_are_listed_one_after_the_other() {
    let mut shown = shown();
    let mut expected = Vec::new();
    for sequence in 1..=5 {
        for byte in [1, 2, 3] {
            let id = grant(byte * 10 + u8::try_from(sequence).unwrap());
            shown.register(&life(byte), sequence, id, "key:ci");
            expected.push((byte, sequence));
        }
    }
    expected.sort_unstable();
    for count_max in [1, 2, 4, 5, 15, 16] {
        assert_eq!(shown.list(&Filter::default(), count_max), expected, "{count_max}");
    }
    assert_eq!(shown.view.read(grant(24)).unwrap().life, life(2));
    assert_eq!(shown.view.at(&life(3), 5).unwrap().description.grant, grant(35));
    assert_eq!(shown.view.at(&life(3), 6), None);
    assert_eq!(shown.view.at(&life(4), 1), None);
}

#[test]
fn one_life_is_revoked_and_no_other() {
    let mut shown = shown();
    for byte in [1, 2] {
        for sequence in 1..=3 {
            let id = grant(byte * 10 + u8::try_from(sequence).unwrap());
            shown.register(&life(byte), sequence, id, "key:ci");
        }
    }
    shown.show(&life(1), 1, What::Spent { sequence: 1 });
    shown.show(&life(1), 2, What::RevokedAll { selector: Selector::All, upto: 2 });
    let standings = [11, 12, 13, 21, 22].map(|id| shown.standing(grant(id)));
    let issued = Standing::Issued;
    assert_eq!(standings, [Standing::Spent, Standing::Revoked, issued, issued, issued]);
}

#[test]
fn grants_whose_ids_begin_alike_are_told_apart() {
    let mut shown = shown();
    let alike = [1, 2, 3, 4].map(|last| {
        let mut bytes = [7; 16];
        bytes[15] = last;
        GrantId::from_bytes(bytes)
    });
    let register = |shown: &mut Shown, sequence, seconds, end| {
        let id = alike[usize::try_from(sequence).unwrap() - 1];
        let grant = Box::new(Description { end: NOW.plus(end), ..description(id, "key:ci") });
        shown.show(&life(1), seconds, What::Registered { sequence, grant });
    };
    for (sequence, end) in [(1, 60), (2, 600), (3, 5_000)] {
        register(&mut shown, sequence, 0, end);
    }
    shown.show(&life(1), 1, What::Spent { sequence: 2 });
    let standings = [0, 1, 2].map(|place: usize| shown.standing(alike[place]));
    assert_eq!(standings, [Standing::Issued, Standing::Spent, Standing::Issued]);
    let selectors = vec![Selector::Grant(alike[2])];
    assert_eq!(shown.list(&Filter { selectors, standing: None }, 9), [(1, 3)]);
    // One that comes after the first was forgotten takes its place, and keeps it when the second is.
    register(&mut shown, 4, 60 + REMEMBERED_SECONDS, 5_000);
    let found = |shown: &Shown| alike.map(|id| shown.view.read(id).map(|row| row.sequence));
    assert_eq!(found(&shown), [None, Some(2), Some(3), Some(4)]);
    shown.show(&life(1), 600 + REMEMBERED_SECONDS, What::BudgetsOpened);
    assert_eq!(found(&shown), [None, None, Some(3), Some(4)]);
}

#[test]
fn what_is_long_over_is_shown_no_more_and_leaves_nothing_behind() {
    let mut shown = shown();
    shown.register(&life(1), 1, grant(1), "key:short");
    let long = Box::new(Description { end: NOW.plus(600), ..description(grant(2), "key:long") });
    shown.show(&life(1), 0, What::Registered { sequence: 2, grant: long });
    let later = |shown: &mut Shown, seconds| shown.show(&life(1), seconds, What::BudgetsOpened);
    later(&mut shown, 60 + REMEMBERED_SECONDS - 1);
    assert_eq!(shown.of("key:short"), [(1, 1)]);
    later(&mut shown, 60 + REMEMBERED_SECONDS);
    assert_eq!((shown.of("key:short"), shown.of("key:long")), (vec![], vec![(1, 2)]));
    assert_eq!(shown.view.read(grant(1)), None);
    assert_eq!(shown.view.read(grant(2)).unwrap().sequence, 2);
    later(&mut shown, 600 + REMEMBERED_SECONDS);
    assert_eq!(shown.list(&Filter::default(), 9), []);
    let followed = &shown.view.lives[0];
    assert!(followed.places.is_empty() && followed.rows.is_empty());
    assert!(
        shown
            .view
            .names
            .matching(&Filter {
                selectors: vec![Selector::Audience(Audience::parse("payments-api").unwrap())],
                standing: None,
            })
            .is_none()
    );
}

#[test]
fn a_name_that_comes_back_is_the_name_that_it_was() {
    let mut shown = shown();
    for round in 0..3_u8 {
        let seconds = u64::from(round) * 5_000;
        for (offset, agent) in [(1, "key:a"), (2, "key:b")] {
            let sequence = u64::from(round) * 2 + offset;
            let id = grant(u8::try_from(sequence).unwrap());
            let end = NOW.plus(seconds + 60);
            let grant = Box::new(Description { end, ..description(id, agent) });
            shown.show(&life(1), seconds, What::Registered { sequence, grant });
        }
        let first = u64::from(round) * 2 + 1;
        assert_eq!(shown.of("key:a"), [(1, first)]);
        assert_eq!(shown.of("key:b"), [(1, first + 1)]);
        let agent = shown.view.at(&life(1), first).unwrap().description.agent;
        assert_eq!(agent.as_str(), "key:a");
    }
}

#[test]
fn a_gap_in_the_journal_hides_what_came_before_it() {
    let mut shown = shown();
    for sequence in 1..=3 {
        shown.register(&life(1), sequence, grant(u8::try_from(sequence).unwrap()), "key:old");
    }
    shown.register(&life(1), 9, grant(9), "key:new");
    shown.register(&life(1), 10, grant(10), "key:new");
    // What was said of numbers that nobody heard of is said of nobody.
    for sequence in [2, 5, 8, 11, 0] {
        shown.show(&life(1), 1, What::Spent { sequence });
    }
    shown.show(&life(1), 1, What::Revoked { sequence: 10, spent: false });
    assert_eq!(shown.list(&Filter::default(), 1), [(1, 9), (1, 10)]);
    assert_eq!((shown.of("key:old"), shown.of("key:new").len()), (vec![], 2));
    assert_eq!(shown.view.read(grant(2)), None);
    assert_eq!(shown.standing(grant(9)), Standing::Issued);
    assert_eq!(shown.standing(grant(10)), Standing::Revoked);
}

#[test]
fn numbers_beyond_four_billion_are_found_by_their_grants() {
    let mut shown = shown();
    let first = (1 << 32) - 2;
    for offset in 0..6_u8 {
        shown.register(&life(1), first + u64::from(offset), grant(offset), "key:ci");
    }
    for offset in 0..6_u8 {
        let found = shown.view.read(grant(offset)).unwrap();
        assert_eq!(found.sequence, first + u64::from(offset));
    }
    let listed: Vec<u64> = shown.of("key:ci").iter().map(|(_, sequence)| *sequence).collect();
    assert!(listed.iter().copied().eq(first..first + 6), "{listed:?}");
    let selectors = vec![Selector::Grant(grant(5))];
    assert_eq!(shown.list(&Filter { selectors, standing: None }, 1), [(1, first + 5)]);
}

#[test]
fn due_is_what_is_over_and_not_said_to_be() {
    let mut shown = shown();
    for sequence in 1..=4 {
        shown.register(&life(1), sequence, grant(u8::try_from(sequence).unwrap()), "key:ci");
    }
    shown.register(&life(2), 1, grant(20), "key:ci");
    shown.show(&life(1), 10, What::Spent { sequence: 2 });
    shown.show(&life(1), 10, What::Revoked { sequence: 3, spent: false });
    let due =
        |shown: &Shown, seconds, count_max| shown.view.due(&life(1), NOW.plus(seconds), count_max);
    assert_eq!(due(&shown, 59, 9), [] as [u64; 0]);
    assert_eq!(due(&shown, 60, 9), [1, 4]);
    assert_eq!(due(&shown, 60, 1), [1]);
    assert_eq!(due(&shown, 909, 9), [1, 4]);
    assert_eq!(due(&shown, 910, 9), [1, 2, 4]);
    shown.show(&life(1), 910, What::Expired { sequence: 1 });
    shown.show(&life(1), 910, What::Lapsed { sequence: 2 });
    assert_eq!(due(&shown, 910, 9), [4]);
    assert_eq!(shown.standing(grant(2)), Standing::Settled(Outcome::Unknown));
    let ends = shown.view.ends(&life(1), &[4, 7, 1]);
    assert_eq!(ends, [(4, NOW.plus(60)), (1, NOW.plus(60))]);
}

#[test]
fn a_listing_of_a_rare_name_goes_on_where_it_stopped_looking() {
    let mut shown = shown();
    let rows = u64::try_from(ROWS_MAX).unwrap() + 10;
    for sequence in 1..=rows {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&sequence.to_be_bytes());
        let agent = if sequence % (rows - 5) == 0 { "key:rare" } else { "key:common" };
        shown.register(&life(1), sequence, GrantId::from_bytes(bytes), agent);
    }
    let selectors = vec![Selector::Agent(Agent::parse("key:rare").unwrap())];
    let filter = Filter { selectors, standing: None };
    let first = shown.view.list(&filter, None, 5);
    assert_eq!((first.items.len(), first.next.is_some()), (0, true));
    let second = shown.view.list(&filter, first.next, 5);
    assert_eq!((second.items.len(), second.next), (1, None));
}

#[test]
fn a_grant_of_several_stores_is_one_and_stands_as_most_of_them_say() {
    let (mut shown, id) = (Shown { view: View::of(2), events: 0 }, grant(1));
    for byte in [1, 2, 3] {
        shown.register(&life(byte), 1, id, "key:ci");
    }
    assert_eq!(shown.of("key:ci"), [(1, 1)]);
    assert_eq!(shown.view.places(id), [1, 2, 3].map(|byte| (life(byte), 1)));
    shown.show(&life(2), 1, What::Spent { sequence: 1 });
    assert_eq!(shown.standing(id), Standing::Issued, "one vote is no majority");
    shown.show(&life(3), 1, What::Spent { sequence: 1 });
    assert_eq!(shown.standing(id), Standing::Spent);
    let outcome = Outcome::Succeeded;
    shown.show(&life(3), 2, What::Settled { sequence: 1, outcome });
    assert_eq!(shown.standing(id), Standing::Settled(outcome));
    let settled = Filter { selectors: vec![], standing: Some(Standing::Settled(outcome)) };
    assert_eq!(shown.list(&settled, 9), [(1, 1)]);
    assert_eq!(shown.view.count(&settled), 1);
}

#[test]
fn a_grant_that_was_registered_twice_has_both_numbers() {
    let (mut shown, id) = (shown(), grant(1));
    shown.register(&life(1), 1, id, "key:ci");
    shown.register(&life(1), 2, grant(2), "key:ci");
    shown.register(&life(1), 3, id, "key:ci");
    shown.register(&life(1), 4, id, "key:ci");
    assert_eq!(shown.view.places(id), [1, 3, 4].map(|number| (life(1), number)));
    assert_eq!(shown.view.read(id).unwrap().sequence, 1);
    // They are forgotten in their order, and one after the other.
    let (last, end) = (grant(9), NOW.plus(10_000));
    shown.show(&life(1), 60 + REMEMBERED_SECONDS, What::Closed);
    assert_eq!(shown.view.places(id), []);
    let late = Box::new(Description { end, ..description(last, "key:ci") });
    shown.show(&life(1), 2_000, What::Registered { sequence: 5, grant: late });
    assert_eq!(shown.view.places(last), [(life(1), 5)]);
}

/// Every filter that names one thing or none, in every standing.
fn filters() -> Vec<Filter> {
    use farebox_verifier::Outcome::{Failed, OutputRefused, Succeeded, Unknown, Void};
    let settled = [Succeeded, Failed, Void, OutputRefused, Unknown].map(Standing::Settled);
    let standings = [Standing::Issued, Standing::Spent, Standing::Revoked, Standing::Expired];
    let standings = standings.into_iter().chain(settled).map(Some).chain([None]);
    let named = ["agent:key:ci", "agent:key:b", "audience:payments-api", "key:17", "all:"];
    let named = named.map(|text| text.split_once(':').unwrap());
    let named = named.map(|(kind, value)| vec![Selector::parse(kind, value).unwrap()]);
    let two = [Selector::Key(17), Selector::parse("agent", "key:ci").unwrap()].to_vec();
    let named: Vec<_> = named.into_iter().chain([Vec::new(), two]).collect();
    let each =
        |standing| named.clone().into_iter().map(move |selectors| Filter { selectors, standing });
    standings.flat_map(each).collect()
}

#[test]
fn what_is_counted_is_what_is_listed_whatever_happened() {
    let mut shown = shown();
    let agree = |shown: &Shown| {
        for filter in filters() {
            let listed = u64::try_from(shown.list(&filter, 7).len()).unwrap();
            assert_eq!(shown.view.count(&filter), listed, "{filter:?}");
        }
    };
    for number in 1..=40 {
        let agent = if number % 3 == 0 { "key:b" } else { "key:ci" };
        shown.register(&life(1), number.into(), grant(number), agent);
        shown.register(&life(2), number.into(), grant(100 + number), agent);
    }
    agree(&shown);
    for sequence in 1..=20 {
        shown.show(&life(1), 1, What::Spent { sequence });
        let outcome = if sequence % 2 == 0 { Outcome::Failed } else { Outcome::Void };
        shown.show(&life(1), 2, What::Settled { sequence, outcome });
    }
    shown.show(&life(2), 2, What::Spent { sequence: 3 });
    shown.show(&life(2), 2, What::Revoked { sequence: 4, spent: false });
    let selector = Selector::parse("agent", "key:b").unwrap();
    shown.show(&life(2), 3, What::RevokedAll { selector, upto: 30 });
    shown.show(&life(2), 3, What::Expired { sequence: 6 });
    shown.show(&life(2), 3, What::Expired { sequence: 40 });
    agree(&shown);
    // Carried into another file and read back, cut short by a gap, forgotten.
    let mut reader = ViewReader::of(1);
    shown.view.copy().into_pieces().for_each(|piece| reader.carry(piece).unwrap());
    shown.view = reader.finish();
    agree(&shown);
    shown.register(&life(1), 50, grant(250), "key:ci");
    agree(&shown);
    shown.view.over(&life(2), NOW.plus(4));
    shown.view.drained(&life(2));
    agree(&shown);
    shown.show(&life(1), 60 + REMEMBERED_SECONDS, What::Closed);
    agree(&shown);
    assert_eq!(shown.view.count(&Filter::default()), 0);
}

#[test]
fn a_count_keeps_nobody_waiting_however_many_there_are() {
    let mut shown = shown();
    let many = 20 * u64::try_from(COUNTED_AT_ONCE).unwrap();
    for sequence in 1..=many {
        let grant = GrantId::from_bytes(u128::from(sequence).to_be_bytes());
        let mut grant = description(grant, "key:ci");
        grant.workflow = Some(farebox_verifier::Workflow::parse("run-1").unwrap());
        shown.show(&life(1), 0, What::Registered { sequence, grant: Box::new(grant) });
    }
    for filter in filters().iter().filter(|filter| filter.selectors.len() < 2) {
        assert_eq!(shown.view.count_some(filter, None).1, None, "{filter:?}");
    }
    let selectors = vec![Selector::parse("workflow", "run-1").unwrap()];
    let (some, next) = shown.view.count_some(&Filter { selectors, standing: None }, None);
    assert_eq!(some, many / 20);
    assert_eq!(next.unwrap().sequence, some);
}

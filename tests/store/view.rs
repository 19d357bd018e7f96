//! What people are shown: who has which grant, and what happened to it.

use farebox::limits::LIST_MAX;
use farebox::store::LifeId;
use farebox::store::view::{Cursor, Filter, Listed, Standing};
use farebox_verifier::{Action, Generation, GrantId, Outcome, PolicyHash, Selector, Ticket};

use super::draft::{
    Draft, NONE, POLICY, SHORT, agent, issue, issue_as, issue_settled, issue_spent, living, number,
    revoke, revoke_one, selections, settle, spend,
};
use super::journal::drain;
use super::lapse::lapse;
use super::settle::OUTCOMES;
use super::subject::Subject;

fn named(selectors: &[Selector]) -> Filter {
    Filter { selectors: selectors.to_vec(), standing: None }
}

fn standing(standing: Standing) -> Filter {
    Filter { selectors: Vec::new(), standing: Some(standing) }
}

/// All pages of a listing, each of so many at most.
async fn list(subject: &impl Subject, filter: &Filter, count_max: usize) -> Vec<Listed> {
    subject.caught_up().await;
    let (mut all, mut cursor): (Vec<Listed>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = subject.store().list(filter, cursor, count_max).await;
        assert!(page.items.len() <= count_max);
        all.extend(page.items);
        assert!(page.next.is_none() || page.next > cursor, "a listing that goes nowhere");
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// The numbers of what is listed, which is as many as are counted.
async fn numbers(subject: &impl Subject, filter: &Filter) -> Vec<u64> {
    let listed: Vec<u64> =
        list(subject, filter, LIST_MAX).await.iter().map(|row| row.sequence).collect();
    let counted = subject.store().count(filter).await;
    assert_eq!(counted, u64::try_from(listed.len()).unwrap(), "{filter:?}");
    listed
}

async fn read(subject: &impl Subject, ticket: &Ticket) -> Listed {
    subject.caught_up().await;
    subject.store().read(ticket.grant).await.unwrap()
}

pub(crate) async fn a_grant_is_shown_as_it_was_registered(subject: &impl Subject) {
    let (_, draft) = selections()[0].clone();
    let registration = draft.registration(subject);
    let seats = subject.store().register(&registration).await.unwrap();
    let asked = registration.ticket;
    subject.caught_up().await;
    let shown = subject.store().read(asked.grant).await.unwrap();
    assert_eq!(shown.life, living(subject).await);
    assert_eq!(shown.sequence, seats.seats()[0].sequence);
    assert_eq!(shown.standing, Standing::Issued);
    let by_number = subject.store().at(&shown.life, shown.sequence).await;
    assert_eq!(by_number.as_ref(), Some(&shown));
    let grant = shown.description;
    assert_eq!(
        (grant.grant, grant.agent, grant.workflow),
        (asked.grant, asked.agent, asked.workflow)
    );
    assert_eq!((grant.audience, grant.action), (asked.audience, asked.action));
    assert_eq!((grant.resource, grant.policy), (registration.resource, asked.policy));
    assert_eq!((grant.key_id, grant.end, grant.after), (asked.key_id, asked.grant_end, vec![]));
}

pub(crate) async fn what_nobody_registered_is_not_shown(subject: &impl Subject) {
    issue(subject).await;
    subject.caught_up().await;
    assert_eq!(subject.store().read(GrantId::fresh().unwrap()).await, None);
    let filter = named(&[Selector::Grant(GrantId::fresh().unwrap())]);
    assert_eq!(numbers(subject, &filter).await, NONE);
    let life = living(subject).await;
    for never in [0, 2, 1 << 40] {
        assert_eq!(subject.store().at(&life, never).await, None);
    }
    let other = LifeId { generation: Generation::fresh().unwrap(), ..life };
    assert_eq!(subject.store().at(&other, 1).await, None);
    assert_eq!(subject.store().due(&other).await, NONE);
}

pub(crate) async fn what_a_grant_waits_for_is_shown(subject: &impl Subject) {
    let (one, two) = (issue(subject).await, issue(subject).await);
    let ticket = issue_as(subject, Draft::after([&one, &two])).await;
    let shown = read(subject, &ticket).await;
    assert_eq!(shown.description.after, [number(&one), number(&two)]);
}

pub(crate) async fn each_selector_lists_what_it_names(subject: &impl Subject) {
    let mut all = vec![number(&issue(subject).await)];
    for (selector, draft) in selections() {
        let ticket = issue_as(subject, draft).await;
        all.push(number(&ticket));
        let (by_name, by_id) = (named(&[selector]), named(&[Selector::Grant(ticket.grant)]));
        assert_eq!(numbers(subject, &by_name).await, [number(&ticket)]);
        assert_eq!(numbers(subject, &by_id).await, [number(&ticket)]);
    }
    for everything in [vec![], vec![Selector::All], vec![Selector::Policy(POLICY)]] {
        assert_eq!(numbers(subject, &named(&everything)).await, all);
    }
    for nothing in [Selector::Policy(PolicyHash::NONE), Selector::Key(99), agent("key:nobody")] {
        assert_eq!(numbers(subject, &named(&[nothing])).await, NONE);
    }
}

pub(crate) async fn selectors_together_list_what_all_of_them_name(subject: &impl Subject) {
    let draft = |agent, action| Draft { agent, action, ..Draft::default() };
    let mut tickets = Vec::new();
    for (agent, action) in [("key:a", "x.do"), ("key:a", "y.do"), ("key:b", "x.do")] {
        tickets.push(number(&issue_as(subject, draft(agent, action)).await));
    }
    let action = |name| Selector::Action(Action::parse(name).unwrap());
    let both = [agent("key:a"), action("x.do")];
    assert_eq!(numbers(subject, &named(&both)).await, [tickets[0]]);
    let twice = [agent("key:a"), agent("key:a"), Selector::All];
    assert_eq!(numbers(subject, &named(&twice)).await, tickets[..2]);
    for nothing in [[agent("key:a"), agent("key:b")], [agent("key:b"), action("y.do")]] {
        assert_eq!(numbers(subject, &named(&nothing)).await, NONE);
    }
    let keys = [Selector::Key(17), Selector::Key(18)];
    assert_eq!(numbers(subject, &named(&keys)).await, NONE);
}

pub(crate) async fn each_standing_lists_what_stands_so(subject: &impl Subject) {
    let ended = issue_as(subject, Draft::short()).await;
    subject.pass(SHORT).await;
    let lease = drain(subject).await;
    lapse(subject, lease, &[number(&ended)]).await;
    let revoked = issue(subject).await;
    revoke_one(subject, &revoked).await;
    let expected = [
        (Standing::Expired, number(&ended)),
        (Standing::Revoked, number(&revoked)),
        (Standing::Spent, number(&issue_spent(subject).await)),
        (Standing::Issued, number(&issue(subject).await)),
    ];
    for (stands, number) in expected {
        assert_eq!(numbers(subject, &standing(stands)).await, [number], "{stands:?}");
    }
    for outcome in OUTCOMES {
        let number = number(&issue_settled(subject, outcome).await);
        assert_eq!(numbers(subject, &standing(Standing::Settled(outcome))).await, [number]);
    }
    assert_eq!(numbers(subject, &Filter::default()).await.len(), 4 + OUTCOMES.len());
}

pub(crate) async fn a_standing_and_a_selector_list_what_both_say(subject: &impl Subject) {
    let draft = |agent| Draft { agent, ..Draft::default() };
    let mine = issue_as(subject, draft("key:a")).await;
    let (spent, other) =
        (issue_as(subject, draft("key:a")).await, issue_as(subject, draft("key:b")).await);
    for ticket in [&spent, &other] {
        spend(subject, ticket, 1).await.unwrap();
    }
    let filter = |standing| Filter { selectors: vec![agent("key:a")], standing: Some(standing) };
    assert_eq!(numbers(subject, &filter(Standing::Spent)).await, [number(&spent)]);
    assert_eq!(numbers(subject, &filter(Standing::Issued)).await, [number(&mine)]);
    assert_eq!(numbers(subject, &filter(Standing::Revoked)).await, NONE);
}

pub(crate) async fn pages_cover_everything_once_and_in_order(subject: &impl Subject) {
    let mut all = Vec::new();
    for _ in 0..21 {
        all.push(number(&issue(subject).await));
        issue_as(subject, Draft { agent: "key:other", ..Draft::default() }).await;
    }
    let filter = named(&[agent(Draft::default().agent)]);
    for count_max in [1, 3, 7, 20, 21, 22, LIST_MAX] {
        let listed = list(subject, &filter, count_max).await;
        let listed: Vec<u64> = listed.iter().map(|row| row.sequence).collect();
        assert_eq!(listed, all, "pages of {count_max}");
    }
}

pub(crate) async fn pages_cover_everything_once_while_more_is_registered(subject: &impl Subject) {
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(number(&issue(subject).await));
    }
    let (mut listed, mut cursor): (Vec<u64>, Option<Cursor>) = (Vec::new(), None);
    loop {
        subject.caught_up().await;
        let page = subject.store().list(&Filter::default(), cursor, 3).await;
        listed.extend(page.items.iter().map(|row| row.sequence));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        if all.len() < 20 {
            let ticket = issue(subject).await;
            all.push(number(&ticket));
            // What changes hands meanwhile is not shown twice, and not left out.
            spend(subject, &ticket, 1).await.unwrap();
        }
    }
    assert_eq!(listed, all);
}

pub(crate) async fn a_page_is_never_longer_than_a_page(subject: &impl Subject) {
    for _ in 0..LIST_MAX + 10 {
        issue(subject).await;
    }
    subject.caught_up().await;
    let first = subject.store().list(&Filter::default(), None, usize::MAX).await;
    assert_eq!(first.items.len(), LIST_MAX);
    let second = subject.store().list(&Filter::default(), first.next, usize::MAX).await;
    assert_eq!((second.items.len(), second.next), (10, None));
}

pub(crate) async fn a_history_says_what_happened_in_its_order(subject: &impl Subject) {
    let ended = issue_as(subject, Draft::short()).await;
    let (fresh, used, revoked) = (issue(subject).await, issue(subject).await, issue(subject).await);
    subject.pass(SHORT).await;
    spend(subject, &used, 1).await.unwrap();
    revoke_one(subject, &revoked).await;
    let lease = drain(subject).await;
    lapse(subject, lease, &[number(&ended)]).await;
    subject.pass(1).await;
    settle(subject, &used, 1, Outcome::Void).await.unwrap();
    let issued = Standing::Issued;
    let expected = [
        (fresh, vec![issued]),
        (used, vec![issued, Standing::Spent, Standing::Settled(Outcome::Void)]),
        (revoked, vec![issued, Standing::Revoked]),
        (ended, vec![issued, Standing::Expired]),
    ];
    for (ticket, standings) in expected {
        let shown = read(subject, &ticket).await;
        let (times, told): (Vec<_>, Vec<_>) = shown.history.iter().copied().unzip();
        assert_eq!(told, standings);
        assert_eq!(told.last(), Some(&shown.standing));
        // Each of these is a second or more after the one before.
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        assert!(times.iter().all(|at| *at <= subject.now().plus(2)), "{times:?}");
    }
}

pub(crate) async fn the_time_of_a_use_is_what_its_claimant_was_told(subject: &impl Subject) {
    let ticket = issue(subject).await;
    let receipt = spend(subject, &ticket, 1).await.unwrap();
    let shown = read(subject, &ticket).await;
    assert_eq!(shown.history[1], (receipt.spent_at, Standing::Spent));
}

pub(crate) async fn what_a_selector_revoked_is_shown_as_revoked(subject: &impl Subject) {
    let (mine, spent) = (issue(subject).await, issue_spent(subject).await);
    let other = issue_as(subject, Draft { agent: "key:other", ..Draft::default() }).await;
    revoke(subject, &agent(Draft::default().agent)).await;
    let later = issue(subject).await;
    let expected = [
        (mine, Standing::Revoked),
        (spent, Standing::Spent),
        (other, Standing::Issued),
        (later, Standing::Issued),
    ];
    for (ticket, standing) in expected {
        assert_eq!(read(subject, &ticket).await.standing, standing);
    }
}

pub(crate) async fn a_change_of_policies_shows_what_it_revoked(subject: &impl Subject) {
    use farebox::store::event::OldGrants;
    let (store, next) = (subject.store(), PolicyHash::from_bytes([6; 32]));
    let (old, spent) = (issue(subject).await, issue_spent(subject).await);
    assert!(store.set_policy(next, OldGrants::Revoked).await.unwrap().everywhere());
    let new = issue_as(subject, Draft { policy: next, ..Draft::default() }).await;
    assert!(store.set_policy(POLICY, OldGrants::Kept).await.unwrap().everywhere());
    let expected = [(old, Standing::Revoked), (spent, Standing::Spent), (new, Standing::Issued)];
    for (ticket, standing) in expected {
        assert_eq!(read(subject, &ticket).await.standing, standing);
    }
}

pub(crate) async fn refusals_are_not_shown(subject: &impl Subject) {
    let ticket = issue_spent(subject).await;
    let before = read(subject, &ticket).await;
    subject.pass(1).await;
    for claimant in [1, 2, 3] {
        let answer = spend(subject, &ticket, claimant).await;
        assert_eq!(answer.is_ok(), claimant == 1, "{answer:?}");
    }
    assert!(settle(subject, &ticket, 2, Outcome::Failed).await.is_err());
    assert_eq!(read(subject, &ticket).await, before);
}

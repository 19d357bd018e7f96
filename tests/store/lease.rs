//! Leases: one holder at a time, and a number that tells an old one from a new one.

use farebox::limits::{LEASE_SECONDS_MAX, LEASES_MAX};
use farebox::store::LifeId;
use farebox::store::event::What;
use farebox::store::lease::{Lease, LeaseError};
use farebox_verifier::Generation;

use super::draft::{SHORT, living, tail};
use super::subject::Subject;

/// Longer than any test.
const LONG: u64 = LEASE_SECONDS_MAX;

async fn lease(
    subject: &impl Subject,
    name: &str,
    holder: &str,
    seconds: u64,
) -> Result<Lease, LeaseError> {
    let life = living(subject).await;
    subject.store().lease(&life, name, holder, seconds).await
}

pub(crate) async fn a_lease_is_given_to_one(subject: &impl Subject) {
    let lease_of = lease(subject, "drain", "issuer-1", LONG).await.unwrap();
    let about = subject.now().plus(LONG - 2)..=subject.now().plus(LONG + 2);
    assert!(about.contains(&lease_of.end), "{lease_of:?}");
    for other in ["issuer-2", "issuer-3"] {
        let refused = lease(subject, "drain", other, LONG).await;
        assert_eq!(refused, Err(LeaseError::Held { until: lease_of.end }));
    }
}

pub(crate) async fn its_holder_has_it_for_longer_under_its_number(subject: &impl Subject) {
    let first = lease(subject, "drain", "issuer-1", 30).await.unwrap();
    let longer = lease(subject, "drain", "issuer-1", LONG).await.unwrap();
    assert_eq!(longer.number, first.number);
    assert!(longer.end > first.end, "{longer:?}");
    let refused = lease(subject, "drain", "issuer-2", 30).await;
    assert_eq!(refused, Err(LeaseError::Held { until: longer.end }));
}

pub(crate) async fn a_lease_that_is_over_is_anybodys_under_a_greater_number(
    subject: &impl Subject,
) {
    let first = lease(subject, "drain", "issuer-1", SHORT).await.unwrap();
    subject.pass(SHORT).await;
    let second = lease(subject, "drain", "issuer-2", SHORT).await.unwrap();
    assert!(second.number > first.number, "{first:?} {second:?}");
    subject.pass(SHORT).await;
    // Its last holder is no longer its holder either.
    let third = lease(subject, "drain", "issuer-2", SHORT).await.unwrap();
    assert!(third.number > second.number, "{second:?} {third:?}");
}

pub(crate) async fn names_are_leased_apart(subject: &impl Subject) {
    lease(subject, "drain", "issuer-1", LONG).await.unwrap();
    assert!(lease(subject, "sweep", "issuer-2", LONG).await.is_ok());
    assert!(lease(subject, "drai", "n-issuer-2", LONG).await.is_ok(), "no name runs into another");
}

pub(crate) async fn no_lease_is_empty_or_lasts_for_ever(subject: &impl Subject) {
    for seconds in [0, LONG + 1, 1 << 16, (1 << 16) + 1, u64::MAX] {
        let refused = lease(subject, "drain", "issuer-1", seconds).await;
        assert_eq!(refused, Err(LeaseError::Limit), "{seconds} s");
    }
    assert!(lease(subject, "drain", "issuer-2", LONG).await.is_ok());
}

pub(crate) async fn there_are_as_many_as_may_be(subject: &impl Subject) {
    for name in 0..LEASES_MAX {
        lease(subject, &format!("lease-{name}"), "issuer-1", LONG).await.unwrap();
    }
    let refused = lease(subject, "one-more", "issuer-1", LONG).await;
    assert_eq!(refused, Err(LeaseError::Limit));
    assert!(lease(subject, "lease-7", "issuer-1", LONG).await.is_ok(), "not a new one");
}

pub(crate) async fn another_life_leases_nothing_here(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let other = LifeId { generation: Generation::fresh().unwrap(), ..living(subject).await };
    assert!(subject.store().lease(&other, "drain", "issuer-1", LONG).await.is_err());
    assert_eq!(tail.fresh(subject).await, []);
    assert!(lease(subject, "drain", "issuer-2", LONG).await.is_ok());
}

pub(crate) async fn the_journal_says_who_had_it(subject: &impl Subject) {
    let mut tail = tail(subject).await;
    let Lease { number, end } = lease(subject, "drain", "issuer-1", LONG).await.unwrap();
    assert!(lease(subject, "drain", "issuer-2", LONG).await.is_err());
    let (name, holder) = ("drain".into(), "issuer-1".into());
    assert_eq!(tail.fresh(subject).await, [What::Leased { name, holder, number, end }]);
}

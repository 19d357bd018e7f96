//! What an entry is about, in one word.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What an entry is about. The words are for good: people, filters and alarms name them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The word for it, everywhere.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Kind::$name => $word,)+
                }
            }

            /// The kind of this word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Kind> {
                match word {
                    $($word => Some(Kind::$name),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A request for a grant came in: it is open until it is closed by what came of it.
    Requested = "requested",
    /// The policies said no: closes a request.
    Denied = "denied",
    /// A token leaves: closes a request.
    Issued = "issued",
    /// People are asked: closes a request.
    Escalated = "escalated",
    /// Nothing came of it, for a reason of farebox's own: closes a request.
    Refused = "refused",
    /// An approver said yes.
    Approved = "approved",
    /// An approver said no.
    RefusedApproval = "refused-approval",
    /// Nobody decided, or nobody collected, in time.
    ApprovalExpired = "approval-expired",
    /// An approval was used up.
    Collected = "collected",
    /// A key or an approval stands for a fresh grant, since the id of the one before was given up.
    Renewed = "renewed",
    /// A request was taken back.
    Withdrawn = "withdrawn",
    /// A revocation took a request that waited.
    Cancelled = "cancelled",
    /// A store knows the grant.
    Registered = "registered",
    /// Its one use was taken.
    Spent = "spent",
    /// The attempt that took it was told again.
    Repeated = "repeated",
    /// A use that was asked for over HTTP was refused. A second entry says how often it was told again.
    UseRefused = "use-refused",
    /// A token was asked for again under its key: it was given again, or is over.
    GivenAgain = "given-again",
    /// Another attempt asked for what was taken: an alarm.
    Replayed = "replayed",
    /// It was presented with another content than was registered: an alarm.
    Forged = "forged",
    /// Its action ended.
    Settled = "settled",
    /// An outcome was reported to an issuer, since the store that knew the grant is no more.
    Reported = "reported",
    /// It was spent, and nobody said in time what came of it: an alarm.
    Unknown = "unknown",
    /// It ended unspent.
    Expired = "expired",
    /// It was revoked.
    Revoked = "revoked",
    /// A grant id is refused for good.
    Abandoned = "abandoned",
    /// Everything that a selector names was revoked.
    Revocation = "revocation",
    /// Nothing is granted for a selector.
    Blocked = "blocked",
    /// A block was lifted.
    Unblocked = "unblocked",
    /// Another set of policies is in force.
    PolicyChanged = "policy-changed",
    /// A key was made, taken into use or retired.
    KeyChanged = "key-changed",
    /// A caller was added, changed or removed.
    CallerChanged = "caller-changed",
    /// The issuer began.
    Started = "started",
    /// The issuer stopped in good order.
    Stopped = "stopped",
    /// An amount is about to be taken from a budget.
    HoldBegun = "hold-begun",
    /// It was taken.
    Held = "held",
    /// It stays taken.
    HoldKept = "hold-kept",
    /// It was given back.
    GivenBack = "given-back",
    /// Budgets are counted again.
    BudgetsOpened = "budgets-opened",
    /// A life of a store began.
    LifeOpened = "life-opened",
    /// A life of a store ended.
    LifeClosed = "life-closed",
    /// A local store began.
    Announced = "announced",
    /// A grant was registered for a local store.
    Seated = "seated",
    /// A local store is no more.
    Dismissed = "dismissed",
    /// Something that should be there is not known.
    Gap = "gap",
    /// Events that tell people nothing were taken out of a journal.
    Cursor = "cursor",
    /// Somebody should look.
    Alarm = "alarm",
    /// A file of the record begins.
    Segment = "segment",
    /// What is known where a file begins, so that the one before need not be read.
    Carried = "carried",
    /// The issuer signs for all that stands before.
    Checkpoint = "checkpoint",
}

impl Kind {
    /// Whether it closes the request of its grant.
    #[must_use]
    pub fn closes(self) -> bool {
        matches!(self, Kind::Denied | Kind::Issued | Kind::Escalated | Kind::Refused)
    }

    /// Whether only the record itself writes it.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Kind::Segment | Kind::Carried | Kind::Checkpoint)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Kind::parse(&word).ok_or_else(|| D::Error::custom("no such kind of entry"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_kind_alone_and_is_kebab_case() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.word()), Some(*kind));
            assert!(kind.word().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
        assert_eq!(Kind::parse("Requested"), None);
    }
}

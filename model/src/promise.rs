//! The cases in which nothing may be broken, and in which enough must be possible.

use crate::bounds::{ALL, Bounds, Kind, Scope};
use crate::case::Case;
use crate::property::Watch;
use crate::rules::{Acknowledged, Moves, Over, Rules};

/// Minting and spending, with replies that are lost and commands that come late.
pub(crate) const MINTING: Scope = Scope {
    budget: false,
    predecessor: false,
    expiry: false,
    doubt: true,
    gives: true,
    told: false,
    unread: false,
};
/// Revocations, and grants that end.
pub(crate) const REVOKING: Scope = Scope { expiry: true, ..MINTING };
/// A budget that has room for one grant of two.
pub(crate) const COUNTING: Scope = Scope { budget: true, ..REVOKING.told().sure() };
/// A grant that comes after another.
pub(crate) const FOLLOWING: Scope = Scope { predecessor: true, ..MINTING.told().sure() };
/// All of it at once.
pub(crate) const TOGETHER: Scope = Scope { predecessor: true, ..COUNTING };
/// Grants that do not end, and nothing is given back, so that three lives are few enough states.
pub(crate) const THREE_LIVES: Scope = Scope { expiry: false, gives: false, ..COUNTING };

/// The faults that a budget can notice: it does not look at the data set, except for whether the stream is
/// there.
const NO_TAMPERING: &[Kind] =
    &[Kind::Loss, Kind::Promotion, Kind::Following, Kind::Failover, Kind::Delivery];

/// The faults of a server that nobody follows.
const ALONE: &[Kind] = &[Kind::Loss, Kind::Tampering, Kind::Delivery];

/// The faults that make two masters, and then a third life.
pub(crate) const SPLIT: &[Kind] = &[Kind::Promotion, Kind::Loss];

/// Bounds with faults of every kind.
pub(crate) const fn bounds(
    grants: u8,
    faults: u8,
    openings: u8,
    revocations: u8,
    scope: Scope,
) -> Bounds {
    Bounds { grants, faults, openings, revocations, kinds: ALL, scope }
}

/// The protocol as it is meant: everything that must hold, holds.
pub(crate) fn promises() -> Vec<Case> {
    let all = |name, bounds| Case::holds(name, Rules::ALL, bounds);
    let split = Bounds { kinds: SPLIT, ..bounds(2, 2, 2, 0, THREE_LIVES) };
    let two = REVOKING.told().sure();
    vec![
        all("one grant, whole logs", bounds(1, 3, 2, 0, MINTING.whole())).heavy(),
        all("one grant", bounds(1, 4, 1, 0, MINTING)).heavy(),
        all("one grant, three lives", bounds(1, 3, 2, 0, MINTING)).heavy(),
        all("revocation, whole logs", bounds(1, 2, 2, 1, REVOKING.whole())).heavy(),
        all("revocation", bounds(1, 3, 1, 1, REVOKING)).heavy(),
        all("two revocations", bounds(1, 2, 1, 2, REVOKING)),
        all("revocation of two grants", bounds(2, 2, 1, 1, two)).heavy(),
        all("predecessor", bounds(2, 2, 2, 0, FOLLOWING)),
        all("budget", Bounds { kinds: NO_TAMPERING, ..bounds(2, 2, 1, 0, COUNTING) }).heavy(),
        all("budget, three lives", split).heavy(),
        all("budget, tampering too", bounds(2, 1, 1, 0, COUNTING)),
        all("all together", bounds(2, 1, 1, 1, TOGETHER)).heavy(),
    ]
}

/// Rules that can be taken away within these bounds, with the reason.
pub(crate) fn spared() -> Vec<Case> {
    let within = bounds(1, 2, 2, 1, REVOKING);
    vec![
        Case::holds(
            "a full resync leaves the memory of functions alone",
            Rules { resync_clears: false, ..Rules::ALL },
            within,
        )
        .saying(
            "The memory is still the only one that the life has, and it decides. What was loaded beside it can \
             only lack the stream, which ends the life. No server has to clear anything for safety's sake.",
        ),
        Case::holds(
            "opening a life leaves its predecessor's stream under its name",
            Rules { renames: false, ..Rules::ALL },
            within,
        )
        .saying(
            "Lives are kept on the lists, so that no revocation is acknowledged for one that was away. Renaming \
             ends such a life at its first step; it is what the tie works by in the table below.",
        ),
        Case::holds(
            "only a life answers for itself, and not the run that had it",
            Rules { acknowledged: Acknowledged::Life, ..Rules::ALL },
            within,
        )
        .saying("Fewer revocations are effective now, and none wrongly."),
        Case::holds(
            "an issuer takes its holds in whichever life it finds, and no replica is promoted",
            Rules { leaves_first: false, moves: Moves::Anywhere, ..Rules::ALL },
            Bounds { kinds: ALONE, ..bounds(2, 2, 1, 0, COUNTING) },
        )
        .saying(
            "On independent servers a life begins only when the one before has ended, so that nothing can be taken \
             in both.",
        )
        .heavy(),
        Case::holds(
            "an id whose registration is in doubt is not refused for good",
            Rules { abandons: false, ..Rules::ALL },
            Bounds {
                kinds: NO_TAMPERING,
                ..bounds(2, 1, 1, 0, Scope { doubt: true, ..COUNTING })
            },
        )
        .saying(
            "A token is signed only where the answer to its registration was heard, so that a registration of \
             which nobody heard is spent by nobody. To abandon it keeps the record right, and holds for an issuer \
             that would sign an answer that came late.",
        ),
    ]
}

/// What must be possible, so that nothing holds for want of anything to do.
pub(crate) fn chances() -> Vec<Case> {
    use Watch::{
        Acknowledges, Counts, Ends, Fences, Follows, GivesBack, Repeats, Spends, Succeeds, Trusts,
        Twice, UsesAgain,
    };
    let first = [Spends, Repeats, Fences, Ends, Succeeds, Twice];
    let counting = [Spends, GivesBack, UsesAgain, Counts];
    vec![
        Case::reaches("one grant", bounds(1, 1, 1, 0, MINTING), &first),
        Case::reaches("revocation", bounds(1, 0, 1, 1, REVOKING), &[Acknowledges, Spends]),
        Case::reaches("budget", bounds(2, 1, 1, 0, COUNTING), &counting),
        Case::reaches("predecessor", bounds(2, 0, 1, 0, FOLLOWING), &[Follows, Trusts]),
    ]
}

/// Lives leave the lists as soon as another was opened over them.
pub(crate) const RENAMED: Rules = Rules { over: Over::Renamed, ..Rules::ALL };

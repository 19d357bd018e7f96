//! The cases of the quorum.

use crate::case::{Case, Expected};
use crate::quorum::{Acknowledged, Fence, Places, Quorum, Votes, Watch};
use crate::run;

const MEANT: Quorum = Quorum {
    fence: Fence::Registered,
    votes: Votes::ByStore,
    acknowledged: Acknowledged::MajorityUnspent,
    places: Places::Configured,
    restarts: 3,
    watches: &[Watch::Once, Watch::NoneBegins, Watch::NoneCompletes],
};

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = kept();
    cases.extend(broken());
    cases.push(Case::new(
        "what must be possible",
        "2 attempts, 1 restart",
        Expected::Reaches(3),
        || {
            let watches = &[Watch::WithoutOne, Watch::AfterRestart, Watch::Acknowledges];
            run::shortest(Quorum { restarts: 1, watches, ..MEANT })
        },
    ));
    cases
}

fn kept() -> Vec<Case> {
    let ever = &[Watch::Once, Watch::NoneBegins, Watch::NoneCompletes, Watch::NoneEver];
    let begins = &[Watch::Once, Watch::NoneBegins];
    vec![
        holds(
            "fenced; a revocation needs a majority that says unspent",
            Quorum { watches: ever, ..MEANT },
        )
        .saying(
            "Single grants: the answers say whether the grant was spent there. The same majority gives a hold \
             back: the grant was never spent, and never will be.",
        ),
        holds(
            "fenced; a revocation needs a majority and the deadline of spends",
            Quorum { acknowledged: Acknowledged::MajorityAndDeadline, ..MEANT },
        )
        .saying(
            "Selectors: a watermark does not say which grants have a lone vote, but no vote outlives its spend.",
        ),
        holds(
            "fenced; a revocation needs every server",
            Quorum { acknowledged: Acknowledged::Everyone, ..MEANT },
        )
        .saying("Selectors, where every server answers."),
        holds(
            "fenced; a revocation needs a majority: no attempt begins after it",
            Quorum { acknowledged: Acknowledged::Majority, watches: begins, ..MEANT },
        )
        .saying("The weaker promise."),
    ]
}

fn broken() -> Vec<Case> {
    let once = &[Watch::Once];
    vec![
        breaks(
            "fenced; a revocation needs a majority: no attempt is granted after it",
            Quorum {
                acknowledged: Acknowledged::Majority,
                restarts: 0,
                watches: &[Watch::NoneCompletes],
                ..MEANT
            },
        )
        .saying("One vote of before, and one of a server that was away, are a majority."),
        breaks(
            "fenced; a majority of the servers that were seen to have the grant is enough",
            Quorum {
                acknowledged: Acknowledged::Majority,
                places: Places::Seen,
                restarts: 0,
                watches: &[Watch::NoneBegins],
                ..MEANT
            },
        )
        .saying(
            "Of two that were seen one is enough to spoil every pair; of the third nobody knew.",
        ),
        breaks(
            "unfenced, one restart",
            Quorum { fence: Fence::Unseen, restarts: 1, watches: once, ..MEANT },
        )
        .saying("What a server has not seen it calls unspent."),
        breaks(
            "fenced; replies are counted, not servers",
            Quorum { votes: Votes::ByReply, restarts: 0, watches: once, ..MEANT },
        )
        .saying("A repeat is no second vote."),
    ]
}

fn within(quorum: &Quorum) -> String {
    let several = if quorum.restarts == 1 { "" } else { "s" };
    format!("2 attempts, {} restart{several}", quorum.restarts)
}

fn holds(name: &'static str, quorum: Quorum) -> Case {
    Case::new(name, within(&quorum), Expected::Holds, move || run::everything(quorum))
}

fn breaks(name: &'static str, quorum: Quorum) -> Case {
    Case::new(name, within(&quorum), Expected::Breaks, move || run::shortest(quorum))
}

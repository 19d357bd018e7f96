//! The cases that lack a rule: each shows what the rule was for, by the shortest way to what it prevents.

use crate::bounds::{Bounds, Kind};
use crate::case::Case;
use crate::promise::{COUNTING, FOLLOWING, MINTING, RENAMED, REVOKING, SPLIT, THREE_LIVES, bounds};
use crate::property::Watch;
use crate::rules::{Acknowledged, Confirms, Decides, Generation, Moves, Over, Places, Rules, Word};

const ALL: Rules = Rules::ALL;

/// What breaks "at most one attempt is answered OK".
fn once() -> Vec<Case> {
    let case = |name, faults, rules| {
        Case::breaks(name, rules, bounds(1, faults, 1, 0, MINTING), Watch::Once)
    };
    vec![
        case("a call's generation is not compared", 2, Rules { fence: false, ..ALL }).saying(
            "A registration that comes again, in another life, has the same number there: its token is spent in both.",
        ),
        case("the data set decides about grants", 1, Rules { grants: Decides::Record, ..ALL })
            .saying("A data set that lost its last write says that the grant is unspent."),
        case("the caller chooses the generation", 3, Rules { generation: Generation::Caller, ..ALL })
            .saying("An opening that comes twice makes two lives of one name."),
        case(
            "the generation is a hash of the caller's random, run id and replication id, without a clock",
            3,
            Rules { generation: Generation::Identity, ..ALL },
        )
        .saying("So does one that comes twice to the same run."),
        case(
            "a grant id is registered again where the first registration is in doubt",
            1,
            Rules { registered_once: false, ..ALL },
        )
        .saying("Two lives, two tokens, one grant."),
        case(
            "a spent grant does not remember by which attempt",
            0,
            Rules { claimant_kept: false, ..ALL },
        )
        .saying("Whoever asks is told that it is he who spent it."),
    ]
}

/// A case that breaks "nothing is answered OK once its revocation was acknowledged".
fn revoking(name: &'static str, [grants, faults]: [u8; 2], rules: Rules) -> Case {
    Case::breaks(name, rules, bounds(grants, faults, 1, 1, REVOKING), Watch::Revoked)
}

/// Lives that were not heard.
fn reached() -> Vec<Case> {
    vec![
        revoking(
            "any server's answer acknowledges a revocation",
            [1, 1],
            Rules { acknowledged: Acknowledged::Anybody, ..ALL },
        )
        .saying("`fenced` from another server says nothing of the one that has the life."),
        revoking(
            "a life leaves the list when its stream was renamed by a successor",
            [1, 1],
            RENAMED,
        )
        .saying("It was renamed in the successor's data set. The old master has its own."),
        revoking(
            "a life leaves the list when its journal was drained where it is not the one that is open",
            [1, 1],
            Rules { over: Over::Drained, ..ALL },
        )
        .saying("What was drained is a copy, on a server that never had the life."),
        revoking(
            "an issuer that is started again has forgotten its list",
            [1, 0],
            Rules { lists_kept: false, ..ALL },
        )
        .saying("It asks nobody, and nobody is left to ask."),
        revoking("an issuer asks only its own list", [1, 1], Rules { issuers_asked: false, ..ALL })
            .saying("The other issuer opened a life that this one has not heard of; and that the one before is over, is true."),
        revoking(
            "an issuer knows only of what it minted when a life's last token ends",
            [2, 0],
            Rules { issuers_asked: false, ..ALL },
        )
        .saying("The other issuer's token of the same life lives longer."),
        revoking(
            "issuers' clocks are ahead of a server's, and they do not wait for the difference",
            [1, 0],
            Rules { margin: false, ..ALL },
        )
        .saying("A life is called over while the server that has it still spends."),
    ]
}

/// Streams that are not there, and grants that are not found.
fn found() -> Vec<Case> {
    let graceful =
        Bounds { kinds: &[Kind::Failover], ..bounds(1, 2, 1, 1, REVOKING.told().sure()) };
    vec![
        Case::breaks(
            "renamed lives leave the list, failovers are graceful, and a life goes on without its stream",
            Rules { tie: false, ..RENAMED },
            graceful,
            Watch::Revoked,
        )
        .saying(
            "The server that comes back has not heard of what was revoked meanwhile. With the tie its life ends \
             at its first step, for the stream is not there any more.",
        ),
        revoking("a life goes on without its stream", [1, 1], Rules { tie: false, ..ALL })
            .saying("What it registered then no journal shows, and so nobody finds it to revoke it."),
        revoking(
            "a life that missed its stream goes on when the stream is back",
            [1, 2],
            Rules { ends_for_good: false, ..ALL },
        )
        .saying("It answered that it was over, and was believed."),
        revoking(
            "a life that is asked how far its stream goes says that it is over, and is not",
            [1, 2],
            Rules { asking_ends: false, ..ALL },
        )
        .saying("A question is an answer, too: nothing else may have found the stream missing."),
        revoking(
            "a grant is looked for in whatever journal a server shows",
            [1, 1],
            Rules { places: Places::Shown, ..ALL },
        )
        .saying("The promoted server's copy ends before the registration: nobody seems to have the grant."),
        revoking(
            "a journal that cannot be read counts as one that does not name the grant",
            [1, 0],
            Rules { places: Places::Readable, ..ALL },
        )
        .saying("The server is away for the issuer, and not for whoever holds the token."),
        revoking(
            "a life that is over counts as the one that had the grant",
            [1, 2],
            Rules { found_by_number: false, ..ALL },
        )
        .saying("Nobody asks the one that has it any more."),
        revoking(
            "of a registration that came twice the last number is revoked",
            [1, 1],
            Rules { every_number: false, ..ALL },
        )
        .saying("The token names the first."),
    ]
}

/// Lives that heard, and answered OK.
fn heard() -> Vec<Case> {
    vec![
        revoking(
            "the store does not look at the token's end",
            [1, 0],
            Rules { end_checked: false, ..ALL },
        )
        .saying("A life counts as reached when its last token has ended."),
        revoking(
            "a repeat is answered after a revocation",
            [1, 0],
            Rules { repeats_stop: false, ..ALL },
        )
        .saying("The attempt may be one that never heard its first answer, and acts on this one."),
        revoking(
            "the data set decides about grants, and a revocation is lost",
            [1, 1],
            Rules { grants: Decides::Record, ..ALL },
        )
        .saying("The write that was lost is the revocation."),
    ]
}

/// What breaks the budget.
fn budget() -> Vec<Case> {
    let case = |name, rules| Case::breaks(name, rules, bounds(2, 1, 1, 0, COUNTING), Watch::Budget);
    let split = |lives, rules, name| {
        let within = Bounds { kinds: SPLIT, ..bounds(2, lives, lives, 0, THREE_LIVES) };
        Case::breaks(name, rules, within, Watch::Budget)
    };
    vec![
        case("a new life counts at once", Rules { restored: false, ..ALL })
            .saying("It begins at nothing."),
        case(
            "an issuer restores what it had begun before it met the new life",
            Rules { reads_after: false, ..ALL },
        )
        .saying("What it began in between the new life never hears of."),
        case(
            "a hold that was restored counts as confirmed",
            Rules { confirms: Confirms::Always, ..ALL },
        )
        .saying(
            "It was begun, and there was no room, and the answer was lost; in the new life it is there already.",
        ),
        case(
            "an issuer restores its holds in a new life, and goes on taking some in the old one",
            Rules { leaves_first: false, ..ALL },
        )
        .saying("The new life never hears of those."),
        split(
            1,
            Rules { moves: Moves::Anywhere, ..ALL },
            "an issuer takes its holds in whichever life it finds, and back again",
        )
        .saying("The life that it comes back to counts as before, and has not heard of what was taken elsewhere."),
        split(
            2,
            Rules { moves: Moves::NotBack, ..ALL },
            "an issuer moves its holds to any life that it has not left",
        )
        .saying("Two issuers that move between two new lives in opposite orders make both of them count.")
        .heavy(),
        case("a record's word gives a hold back", Rules { word: Word::Record, ..ALL })
            .saying("A replica that lags shows the grant as unspent."),
    ]
}

/// What breaks predecessors, and the record.
fn others() -> Vec<Case> {
    let within = bounds(2, 1, 1, 0, FOLLOWING);
    vec![
        Case::breaks(
            "the data set decides whether a predecessor succeeded",
            Rules { predecessors: Decides::Record, ..ALL },
            within,
            Watch::Predecessor,
        )
        .saying("An event can be forged by whoever may write."),
        Case::breaks(
            "the drain believes events without the life's secret",
            Rules { secret: false, ..ALL },
            within,
            Watch::Predecessor,
        )
        .saying("The issuer then mints the successor as one that waits for nothing."),
        Case::breaks(
            "a life goes on without its stream: the record",
            Rules { tie: false, ..ALL },
            bounds(1, 1, 1, 0, MINTING),
            Watch::Recorded,
        )
        .saying("It spends, and nobody can ever read that it did."),
    ]
}

/// Every rule that is needed, taken away.
pub(crate) fn mutations() -> Vec<Case> {
    [once(), reached(), found(), heard(), budget(), others()].into_iter().flatten().collect()
}

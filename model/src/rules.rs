//! The rules of the protocol, each of which can be taken away to see what it was for.

use crate::data::Event;

/// What a generation's number is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Generation {
    /// The caller's random, the server's identity and its clock: no two are ever equal.
    Hashed,
    /// The caller's random, the run id and the replication id: equal where the same command comes twice to
    /// one run of a server.
    Identity,
    /// What the caller says: equal wherever the same command comes.
    Caller,
}

/// When an issuer takes a life off its list, so that no revocation waits for it any more. In each case also
/// when the last token that was signed under it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Over {
    /// Never otherwise.
    Expiry,
    /// When its stream was renamed by the opening of a successor, wherever that was.
    Renamed,
    /// When its journal was drained at a server where it is not the one that is open.
    Drained,
}

/// Whose answer acknowledges a revocation for a life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acknowledged {
    /// That of the life itself, and no other.
    Life,
    /// That of the life; and that of the run of the server that had it and has it no more.
    Run,
    /// That of any server that answers in the life's place.
    Anybody,
}

/// Where an issuer looks for the registrations of a grant that is to be revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Places {
    /// In the journal of each life on the lists, as far as the life itself says that it goes. A life that does
    /// not answer has not been reached.
    Vouched,
    /// In whatever journals a server shows. A life whose journal does not name the grant need not be asked.
    Shown,
    /// In the journals that can be read. Where none can, nobody needs to be asked.
    Readable,
}

/// Whose word gives a hold back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// The living registration's.
    Living,
    /// A record's: a stream that shows no spending of what has ended, or whose life has.
    Record,
}

/// When a budget confirms a hold that it has already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Confirms {
    /// When all that it holds is within its limit. What was restored may be more.
    WithinLimit,
    /// Always: a hold that was restored counts as one that was taken.
    Always,
}

/// Into which lives an issuer moves the holds that it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moves {
    /// Only up, in an order of lives that everybody can tell.
    Up,
    /// To any life that it has not left.
    NotBack,
    /// To any life that it knows, and back.
    Anywhere,
}

/// Where a server looks when it decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decides {
    /// In the memory of its functions.
    Memory,
    /// In the data set.
    Record,
}

/// The rules. [`Rules::ALL`] is the protocol as it is meant; others lack something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    /// What a generation's number is made of.
    pub(crate) generation: Generation,
    /// A call names a generation, and only the life of that generation answers it.
    pub(crate) fence: bool,
    /// Who decides about a grant.
    pub(crate) grants: Decides,
    /// Who decides whether a predecessor succeeded.
    pub(crate) predecessors: Decides,
    /// Every step is appended to the life's stream, which must be there.
    pub(crate) tie: bool,
    /// Opening a life renames the stream of the one before.
    pub(crate) renames: bool,
    /// A life that missed its stream once is over, whatever comes back.
    pub(crate) ends_for_good: bool,
    /// A life that is asked how far its stream goes, and misses it, is over by that answer as well.
    pub(crate) asking_ends: bool,
    /// A grant id is registered once, by one issuer, in one life.
    pub(crate) registered_once: bool,
    /// An id whose registration is in doubt is refused for good before its hold is freed.
    pub(crate) abandons: bool,
    /// A token that has ended is not spent, whatever the life remembers.
    pub(crate) end_checked: bool,
    /// Issuers wait, beyond a token's end, for as much as their clock may be ahead of a server's.
    pub(crate) margin: bool,
    /// A spent grant keeps a mark of the attempt that spent it, and repeats itself to that one only.
    pub(crate) claimant_kept: bool,
    /// What was revoked gives no repeat either.
    pub(crate) repeats_stop: bool,
    /// Whose answer acknowledges a revocation.
    pub(crate) acknowledged: Acknowledged,
    /// Where the registrations of a grant are looked for.
    pub(crate) places: Places,
    /// All numbers under which a grant is registered are revoked, and not only the last.
    pub(crate) every_number: bool,
    /// An issuer's list of lives is on its disk.
    pub(crate) lists_kept: bool,
    /// Only a life that has a grant makes it needless to ask the others for it, and not one that is over.
    pub(crate) found_by_number: bool,
    /// A revocation asks every issuer for its list of lives, not only the one that was called.
    pub(crate) issuers_asked: bool,
    /// When a life leaves the lists.
    pub(crate) over: Over,
    /// Whose word gives a hold back.
    pub(crate) word: Word,
    /// A new life counts a budget only once every issuer has restored its begun holds there.
    pub(crate) restored: bool,
    /// What an issuer restores in a life is what it had begun when it met that life, and not before.
    pub(crate) reads_after: bool,
    /// An issuer that restores its holds in a life takes none in an earlier one ever after.
    pub(crate) leaves_first: bool,
    /// Into which lives it moves.
    pub(crate) moves: Moves,
    /// When a budget confirms a hold that it has.
    pub(crate) confirms: Confirms,
    /// The drain believes only events that carry the life's secret.
    pub(crate) secret: bool,
    /// A full resync clears the memory of the functions.
    pub(crate) resync_clears: bool,
}

impl Rules {
    /// The protocol as it is meant.
    pub(crate) const ALL: Rules = Rules {
        generation: Generation::Hashed,
        fence: true,
        grants: Decides::Memory,
        predecessors: Decides::Memory,
        tie: true,
        renames: true,
        ends_for_good: true,
        asking_ends: true,
        registered_once: true,
        abandons: true,
        end_checked: true,
        margin: true,
        claimant_kept: true,
        repeats_stop: true,
        acknowledged: Acknowledged::Run,
        places: Places::Vouched,
        every_number: true,
        found_by_number: true,
        lists_kept: true,
        issuers_asked: true,
        over: Over::Expiry,
        word: Word::Living,
        restored: true,
        reads_after: true,
        leaves_first: true,
        moves: Moves::Up,
        confirms: Confirms::WithinLimit,
        secret: true,
        resync_clears: true,
    };

    /// Whether anybody reads an event: the drain reads what was settled, and whoever believes records reads
    /// what he decides by. With every rule in place a stream that is there shows every registration, so that
    /// the life's memory stands for it.
    pub(crate) fn reads(&self, event: Event) -> bool {
        let record = self.grants == Decides::Record;
        match event {
            Event::Settled(..) => true,
            Event::Registered(..) => {
                record || self.word == Word::Record || self.places != Places::Vouched || !self.tie
            }
            Event::Spent(..) => record || self.word == Word::Record,
            _ => record,
        }
    }

    /// Whether servers' run ids and replication ids make a difference to a generation's number; where they
    /// make none they are left out of the state.
    pub(crate) fn reads_identity(&self) -> bool {
        self.generation == Generation::Identity
    }
}

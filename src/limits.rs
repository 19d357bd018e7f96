//! Every limit of the issuer's side, each with its reason; those on a token and a request are the
//! verifier's.

/// Grants that one life remembers: about forty bytes each of a memory that `maxmemory` does not see.
pub const GRANTS_MAX: u64 = 4_000_000;
/// Of those, how many one agent may have: no agent crowds out the others.
pub const GRANTS_PER_AGENT_MAX: u64 = 1_000_000;
/// Predecessors of one grant: a step waits for few others.
pub const PREDECESSORS_MAX: usize = 8;
/// Selectors revoked in one life whose grants may still live: about 140 bytes each.
pub const WATERMARKS_MAX: usize = 16_384;
/// Selectors that are blocked.
pub const BLOCKS_MAX: usize = 4_096;
/// Budgets counted at once for one caller.
pub const BUDGETS_PER_CALLER_MAX: usize = 10_000;
/// Holds remembered at once: about 150 bytes each.
pub const HOLDS_MAX: usize = 1_000_000;
/// Of those, how many one caller may have: no caller closes the budgets of others.
pub const HOLDS_PER_CALLER_MAX: usize = 250_000;
/// Grant ids refused for good whose registration was in doubt: they are rare.
pub const ABANDONED_MAX: usize = 65_536;
/// Leases: one for each shard's drain, and few others.
pub const LEASES_MAX: usize = 64;
/// A lease's name, and its holder's: a word.
pub const LEASE_NAME_BYTES_MAX: usize = 128;
/// How long a lease is given for.
pub const LEASE_SECONDS_MAX: u64 = 300;
/// Events not yet drained at which minting stops; spending stops at twice as many. 160 bytes each.
pub const LAG_MAX: u64 = 500_000;
/// How often a use is told again to the attempt that took it. A verifier asks three times in all; each answer is
/// an event, and whoever holds one spent grant must not be able to fill the journal with it.
pub const REPEATS_MAX: u8 = 16;
/// Grants in one answer of a listing.
pub const LIST_MAX: usize = 500;
/// Events in one answer of a journal.
pub const EVENTS_MAX: usize = 1_000;
/// A step of the store's clock that ends its life: within it, what has ended may be forgotten, and a grant be spent
/// so much later than its issuer thinks.
pub const CLOCK_STEP_SECONDS_MAX: u64 = 300;
/// The greatest amount of a budget: what JSON readers agree on.
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;
/// How long a grant is remembered after its end: it may be spent in its last second, be settled until its
/// limit, and the drain has a minute to say that it was not.
pub const REMEMBERED_SECONDS: u64 = farebox_verifier::limits::SETTLE_SECONDS_MAX + 60;

/// A payload that is kept or sent packed: as much as one frame of the log takes.
pub const PACKED_BYTES_MAX: usize = 1 << 20;
/// Idempotency keys remembered at once: each grant may have one. About 80 bytes each.
pub const KEYS_MAX: usize = 4_000_000;
/// Of those, how many one caller may have: no caller crowds out the others.
pub const KEYS_PER_CALLER_MAX: usize = 1_000_000;
/// How long a key is remembered: a day longer than a request may wait for people.
pub const KEY_SECONDS_MAX: u64 = REQUEST_SECONDS_MAX + 86_400;
/// How long a request waits for people: over a long weekend, and not until everybody forgot why.
pub const REQUEST_SECONDS_MAX: u64 = 7 * 86_400;
/// How long a request is remembered once nobody waits for it: as long as a grant that came of it may be.
pub const REQUEST_REMEMBERED_SECONDS: u64 =
    farebox_verifier::limits::TTL_SECONDS_MAX + REMEMBERED_SECONDS;
/// Requests for people remembered at once: about a kilobyte each with its indexes, and its body.
pub const REQUESTS_MAX: usize = 200_000;
/// Of those, how many one requester may have: more than people answer, and no requester crowds out the others.
pub const REQUESTS_PER_REQUESTER_MAX: usize = 20_000;
/// The body of one: people read what they approve.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 << 10;
/// All bodies together: they are kept in memory.
pub const REQUEST_BODIES_BYTES_MAX: usize = 256 << 20;
/// Of those, how many one requester may have: no requester crowds out the others.
pub const REQUEST_BODIES_BYTES_PER_REQUESTER_MAX: usize = REQUEST_BODIES_BYTES_MAX / 16;
/// Groups that must approve one request: more than anybody has asked for.
pub const NEEDS_MAX: usize = 8;
/// Approvers needed of one group: more than anybody waits for.
pub const APPROVERS_MAX: u8 = 16;
/// What an approver signed with: an assertion of a browser's key has most of a kilobyte.
pub const DECISION_SIGNATURE_BYTES_MAX: usize = 2_048;
/// Requests looked at for one page of a listing: a few milliseconds, however rare what is looked for.
pub const REQUESTS_LOOKED_AT_MAX: usize = 5_000;
/// Requests taken by one step of a sweep: a few milliseconds, and an event that can be read.
pub const SWEEP_MAX: usize = 500;
/// Local stores remembered at once: one for each instance of an API that is wholly offline.
pub const BOOTS_MAX: usize = 4_096;
/// Of those, how many one audience may have: whoever may announce for one fills no other's places.
pub const BOOTS_PER_AUDIENCE_MAX: usize = 256;
/// Earlier boots of one local store remembered, to know a late announcement: it is late by seconds.
pub const EARLIER_BOOTS_MAX: usize = 8;
/// Grants of one local store that have not ended: it remembers them in its own memory.
pub const GRANTS_PER_BOOT_MAX: u64 = 100_000;
/// Lives remembered at once: 256 parts of each of five stores begin a dozen times within an hour.
pub const LIVES_MAX: usize = 16_384;
/// The step in which the end of a life's grants is promised: one synced write in each.
pub const LIFE_STEP_SECONDS: u64 = 600;
/// A file that is shorter is not worth rewriting: it is read in a second or two.
pub const BOOK_BYTES_MIN: u64 = 64 << 20;
/// Events of a desk not yet drained, at which nothing more is begun there; all else stops at twice as many.
pub const DESK_LAG_MAX: u64 = 500_000;
/// The same in bytes: requests bring their bodies.
pub const DESK_LAG_BYTES_MAX: usize = 256 << 20;
/// Small things in one payload of a rewritten file.
pub const CARRIED_MAX: usize = 500;
/// Workflows whose home is remembered: forgetting one costs a refusal at most.
pub const WORKFLOWS_MAX: usize = 65_536;

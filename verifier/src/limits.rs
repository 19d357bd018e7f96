//! Every limit on what comes in, each with its reason.

/// A token's bytes: a header of 8 KiB, the least that servers accept by default, must hold its base64url.
pub const TOKEN_BYTES_MAX: usize = 4096;
/// Blocks of a token: the authority's, one of a third party, two of the holder. Each costs a signature.
pub const BLOCKS_MAX: usize = 4;
/// Third-party blocks: one system's word is asked for at a time.
pub const THIRD_PARTY_BLOCKS_MAX: usize = 1;
/// Blocks that holders appended: one to narrow, one to hand on to a worker.
pub const HOLDER_BLOCKS_MAX: usize = 2;
/// Symbols of the authority block: names, values and the members of sets.
pub const AUTHORITY_SYMBOLS_MAX: usize = 192;
/// Symbols of a later block: few, for a holder narrows a few things.
pub const LATER_SYMBOLS_MAX: usize = 40;
/// Members of all the sets of a block: reading one costs a little, and it is done before the signature
/// is known to be good.
pub const SET_MEMBERS_MAX: usize = 64;
/// Facts of the authority block: fourteen names, and one fact for each store.
pub const FACTS_MAX: usize = 24;
/// Checks of the authority block: four of its own and its caveats.
pub const AUTHORITY_CHECKS_MAX: usize = 36;
/// Checks of a later block: a holder narrows a few things, and each is work before a signature.
pub const LATER_CHECKS_MAX: usize = 8;
/// Terms of a predicate: `request` and `store` have four.
pub const TERMS_MAX: usize = 4;
/// Stores that registered one grant: a quorum of three is usual, five is the most anyone runs.
pub const STORES_MAX: usize = 5;

/// An action's name.
pub const ACTION_BYTES_MAX: usize = 128;
/// A resource's name: paths and ARNs fit.
pub const RESOURCE_BYTES_MAX: usize = 512;
/// An audience's name.
pub const AUDIENCE_BYTES_MAX: usize = 256;
/// An agent's id: a SPIFFE id may have 2,048 bytes, but half a token for a name is too much.
pub const AGENT_BYTES_MAX: usize = 512;
/// A workflow's id, and a step's.
pub const WORKFLOW_BYTES_MAX: usize = 128;
/// What an action is for, in words.
pub const PURPOSE_BYTES_MAX: usize = 256;
/// The name of a third party's statement, of an output, of a store.
pub const WORD_BYTES_MAX: usize = 64;

/// The longest life of a token: what was decided an hour ago is asked again.
pub const TTL_SECONDS_MAX: u64 = 3600;
/// The life of a token that asks for none.
pub const TTL_SECONDS_DEFAULT: u64 = 60;
/// How long before its minting a token is valid: the clocks of issuer and verifier differ by less.
pub const BACKDATE_SECONDS: u64 = 30;
/// How far a holder proof's time may be from the verifier's, either way.
pub const PROOF_SECONDS_MAX: u64 = 30;
/// Proofs of one request: the authority's holder and one key for each holder block, and one to spare.
pub const PROOFS_MAX: usize = 4;

/// A request's parameters: an action is a call, not an upload.
pub const PARAMS_BYTES_MAX: usize = 1 << 20;
/// Nesting of parameters: the parser's stack is bounded by it.
pub const PARAMS_DEPTH_MAX: usize = 32;
/// Values in one set of parameters.
pub const PARAMS_LEAVES_MAX: usize = 4096;
/// Bounded members of one grant: each takes at least one check.
pub const BOUNDS_MAX: usize = 16;
/// Values of one `one_of`.
pub const ONE_OF_MAX: usize = 32;
/// A JSON Pointer.
pub const POINTER_BYTES_MAX: usize = 256;
/// One text in a bound or a caveat.
pub const TEXT_BOUND_BYTES_MAX: usize = 512;
/// Caveats of the authority block beyond its own checks.
pub const CAVEATS_MAX: usize = 32;

/// The greatest integer that JSON readers agree on: 2^53 - 1.
pub const INT_MAX: i64 = (1 << 53) - 1;

/// A result that is held to output caveats: it is kept whole in memory until it is let out.
pub const RESULT_BYTES_MAX: usize = 4 << 20;
/// How long a request's body may take to come in: a megabyte over a slow line, and no slow loris.
pub const READ_SECONDS_MAX: u64 = 10;
/// How long taking a use may last, all sendings together: a caller gives up soon after.
pub const SPEND_SECONDS_MAX: u64 = 5;
/// How long an action runs that names no other limit: what waits before an API rarely waits longer.
pub const RUN_SECONDS_MAX: u64 = 30;
/// How long a reply waits for its grant to be settled; after it, the settling goes on alone.
pub const SETTLE_SECONDS_BEFORE_REPLY: u64 = 1;
/// How long a settling is tried again: after it, the store itself calls the grant unknown.
pub const SETTLE_SECONDS_MAX: u64 = 900;
/// Settlings that wait for the store to come back: about a kilobyte each.
pub const SETTLINGS_QUEUED_MAX: usize = 16_384;
/// Servers that a store is spread over: more are more to watch, and one of them holds each grant.
pub const SERVERS_MAX: usize = 16;
/// Revocations that a local store remembers at once: as many as grants are outstanding for it. About a hundred
/// bytes each.
pub const LOCAL_REVOKED_MAX: usize = 100_000;

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
/// Of those, how many one issuer gives up for one caller within the time that they are remembered: no caller that asks
/// again and again keeps others from being given up.
pub const ABANDONED_PER_CALLER_MAX: u32 = 4_096;
/// Ids that were refused before anything was registered, and that are given up for nothing: the latest ones.
pub const UNREGISTERED_MAX: usize = 65_536;
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
/// How long an id that was given up is remembered: as long as a registration of it could matter.
pub const ABANDONED_SECONDS: u64 = farebox_verifier::limits::TTL_SECONDS_MAX + REMEMBERED_SECONDS;

/// A payload that is kept or sent packed: as much as one frame of the log takes.
pub const PACKED_BYTES_MAX: usize = 1 << 20;
/// Idempotency keys remembered at once: each grant may have one. About 80 bytes each.
pub const KEYS_MAX: usize = 4_000_000;
/// Of those, how many one caller may have: as many as there may be outstanding grants, eleven in each second of a day.
/// Where half of all are taken, a quarter of what is left: no caller, and no few of them, crowd out the rest.
pub const KEYS_PER_CALLER_MAX: usize = 1_000_000;
/// How long a key is remembered: a day longer than a request may wait for people.
pub const KEY_SECONDS_MAX: u64 = REQUEST_SECONDS_MAX + 86_400;
/// How long a request waits for people: over a long weekend, and not until everybody forgot why.
pub const REQUEST_SECONDS_MAX: u64 = 7 * 86_400;
/// How long a request waits for people where the configuration says nothing: as long as somebody is at their desk.
pub const APPROVAL_SECONDS: u64 = 3_600;
/// Steps of one plan: as many as a person reads before saying yes to all of them.
pub const PLAN_STEPS_MAX: usize = 32;
/// How long one call waits for people: less than proxies wait for an answer.
pub const WAIT_SECONDS_MAX: u64 = 30;
/// Events of the feed that a follower may be behind: whoever is further takes a snapshot. About a hundred bytes each.
pub const FEED_EVENTS_MAX: usize = 1_000;
/// Revocations and blocks that stand in the feed at once; beyond it the oldest are folded into one of all.
pub const FEED_STANDING_MAX: usize = 50_000;
/// The same in a snapshot, which is taken whole.
pub const FEED_SNAPSHOT_EVENTS_MAX: usize = 8_192;
/// The text of a snapshot: with its head and what JSON adds it is below a follower's limit of a mebibyte.
pub const FEED_SNAPSHOT_BYTES_MAX: usize = 900 << 10;
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

/// How far ahead of the time that has passed the system's clock may be before it is doubted: as much as a store
/// takes for a step.
pub const LEAP_SECONDS_MAX: u64 = CLOCK_STEP_SECONDS_MAX;
/// How long a leap must stand before it is believed: longer than any slip of a time service lasts.
pub const LEAP_BELIEVED_SECONDS: u64 = 60;

/// How often a grant is registered anew where policies change, or an answer is lost, in between.
pub const MINT_TRIES_MAX: usize = 3;
/// How long an Idempotency-Key is remembered: a day, as its users expect.
pub const KEY_KEPT_SECONDS: u64 = 86_400;
/// An Idempotency-Key, and the name of an attempt: a UUID and much more.
pub const KEY_BYTES_MAX: usize = 128;
/// How far back an issuer knows, after a start, what it has issued: as long as a token and its settling may last.
pub const ISSUED_KNOWN_SECONDS: u64 =
    farebox_verifier::limits::TTL_SECONDS_MAX + REMEMBERED_SECONDS;
/// How often those that are over are forgotten.
pub const ISSUED_SWEPT_SECONDS: u64 = 60;
/// For how long a key that came to nothing may pass to another grant: as long as any token lives, in which the issuer
/// surely knows what it has issued. After that nobody can tell "never issued" from "long over".
pub const KEY_PASSES_SECONDS: u64 = farebox_verifier::limits::TTL_SECONDS_MAX;
/// Issued grants kept in memory for those who ask again; all others are looked up in the record.
pub const ISSUED_LATEST: usize = 16_384;
/// Parameters that the record keeps whole, where it keeps them: above it, their digest.
pub const RECORDED_PARAMS_BYTES_MAX: usize = 16 << 10;
/// Words of an agent on its task.
pub const CONTEXT_MAX: usize = 32;
/// One of them, with its name.
pub const CONTEXT_BYTES_MAX: usize = 1_024;

/// How long refusals are counted before their number is written down.
pub const NOTED_SECONDS: u64 = 600;
/// Refusals that are told apart within that time: a hundred bytes each.
pub const NOTED_MAX: usize = 65_536;
/// Of those, how many of one caller: with half a kilobyte for each entry, it writes less than a hundred megabytes in
/// a day, however often it is refused.
pub const NOTED_PER_CALLER_MAX: usize = 500;

/// The body of a request for a grant: the parameters that a verifier takes, and as much again for the rest.
pub const MINT_BODY_BYTES_MAX: usize = 2 * farebox_verifier::limits::PARAMS_BYTES_MAX;
/// The body of any other request: a few words.
pub const SMALL_BODY_BYTES_MAX: usize = 16 << 10;
/// Parameters of a query.
pub const QUERY_MAX: usize = 16;
/// Headers of a request.
pub const HEADERS_MAX: usize = 64;
/// The head of a request, all in all: a bearer token and a trace have room in it many times over.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// Connections at once: each takes a file of the process and some memory.
pub const CONNECTIONS_MAX: usize = 100_000;
/// Files of the process that connections leave alone: logs, the record and who reads it, the store, keys, policies.
pub const FILES_KEPT: usize = 64;
/// How long an answer may wait for somebody to read on: a network that is away comes back sooner.
pub const UNREAD: std::time::Duration = std::time::Duration::from_secs(30);
/// Agents whose tenants are remembered at once: two hundred bytes each.
pub const TENANTS_KNOWN_MAX: usize = 65_536;
/// Callers whose rates are remembered at once.
pub const RATED_MAX: usize = 65_536;

/// A file of policies, of the catalogue or of tests: people read it.
pub const POLICY_FILE_BYTES_MAX: usize = 1 << 20;
/// Files of policies in one folder.
pub const POLICY_FILES_MAX: usize = 256;
/// Statements of all files: each that names no action is looked at in each decision.
pub const STATEMENTS_MAX: usize = 4_096;
/// One statement: a screen of text. The text parser's stack grows with it.
pub const STATEMENT_BYTES_MAX: usize = 8 << 10;
/// Parentheses, braces, brackets and negations within each other. The text parser's stack holds about a thousand.
pub const STATEMENT_DEPTH_MAX: usize = 32;
/// Operators of one statement: the text parser nests each in the one before.
pub const STATEMENT_OPERATORS_MAX: usize = 128;
/// Predicates of one body: the engine nests its joins as deep.
pub const BODY_PREDICATES_MAX: usize = 32;
/// Values of one fact, and columns of one table.
pub const FACT_VALUES_MAX: usize = 16;
/// Members of a set in a statement: what is longer is a table.
pub const POLICY_SET_MAX: usize = 256;
/// Facts in the files of policies, which are loaded whole: what is longer is a table, taken by key.
pub const POLICY_FACTS_MAX: usize = 1_000;
/// A table's file: as much as is read in some seconds, and kept in memory several times over.
pub const TABLE_BYTES_MAX: u64 = 256 << 20;
/// Rows of a table.
pub const TABLE_ROWS_MAX: usize = 2_000_000;
/// One cell of a table: a name.
pub const CELL_BYTES_MAX: usize = 1_024;
/// Rows that one decision may take: an agent that names every key it knows pays with its own request.
pub const ROWS_TAKEN_MAX: usize = 1_000;
/// Leaves of a request's parameters that become facts.
pub const PARAM_FACTS_MAX: usize = 256;
/// Attributes, contexts, statements of third parties and predecessors of one request, each.
pub const GIVEN_LIST_MAX: usize = 64;
/// Facts of one decision, those that rules make among them.
pub const DECISION_FACTS_MAX: usize = 4_000;
/// Rounds of the rules of one decision: each is one more step of a chain.
pub const DECISION_ROUNDS_MAX: usize = 100;
/// Facts looked at in one decision, again for each join: some tens of milliseconds. Ordinary ones look at hundreds.
pub const DECISION_STEPS_MAX: u64 = 1_000_000;
/// The wall time of one decision. The engine's own default, 1 ms, ends good decisions on a busy machine.
pub const DECISION_MILLISECONDS_MAX: u64 = 250;
/// How long one is tried where it is asked, on a thread that serves others too: most take a tenth of a millisecond.
/// What takes longer begins again where nobody waits behind it.
pub const DECISION_AT_ONCE_MILLISECONDS_MAX: u64 = 2;
/// How long one that is slow waits for its turn, of which there are half as many as processors.
pub const DECISION_TURN_SECONDS_MAX: u64 = 1;
/// Ways in which a rule matches one request, all of whose terms count.
pub const SOLUTIONS_MAX: usize = 256;
/// Combinations of the values that bounds leave open, each of which a rule must hold for.
pub const WORLDS_MAX: usize = 64;
/// Budgets of one grant: each is a counter in the store.
pub const BUDGETS_PER_GRANT_MAX: usize = 8;

/// A credential: the header of a call has 8 KiB in most servers, and a JWT with many groups takes half of that.
pub const BEARER_BYTES_MAX: usize = 8_192;
/// Callers with API keys: each is a file that is looked at every second.
pub const CALLERS_MAX: usize = 10_000;
/// The file of one.
pub const CALLER_FILE_BYTES_MAX: u64 = 64 << 10;
/// Its keys that live at once: two while it rotates, and some to spare.
pub const CALLER_KEYS_MAX: usize = 8;
/// The audiences that it may spend for: an API is one, a gateway some.
pub const CALLER_AUDIENCES_MAX: usize = 64;
/// The groups that it belongs to.
pub const CALLER_GROUPS_MAX: usize = 64;
/// What policies are told about it: each is a fact of every decision.
pub const CALLER_ATTRIBUTES_MAX: usize = 64;
/// One attribute's value: as much as a caveat can compare with.
pub const ATTRIBUTE_BYTES_MAX: usize = farebox_verifier::limits::TEXT_BOUND_BYTES_MAX;
/// A file of the record goes on in another from this length on: what a start reads, and what a search reads at
/// once, in about a tenth of a second.
pub const RECORD_SEGMENT_BYTES: u64 = 16 << 20;
/// The longest that such a file may be made: a search reads one to its end, in half a second.
pub const RECORD_SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// The shortest that such a file may be made: each begins with all that is open.
pub const RECORD_SEGMENT_BYTES_MIN: u64 = 16 << 10;
/// One entry: a request with its parameters, within one payload of the log.
pub const RECORD_ENTRY_BYTES_MAX: usize = 768 << 10;
/// A name or a code in an entry: a life has the longest.
pub const RECORD_WORD_BYTES_MAX: usize = 128;
/// Words of people in an entry, a rule's place among the policies, a caller.
pub const RECORD_PROSE_BYTES_MAX: usize = 1_024;
/// Entries of one append: they are in memory, and in one frame.
pub const RECORD_APPEND_BYTES_MAX: usize = 2 << 20;
/// Requests that are begun and not closed: more than an issuer answers at once.
pub const RECORD_OPEN_MAX: usize = 20_000;
/// Entries from one checkpoint to the next: what may be unsigned at the end.
pub const RECORD_CHECKPOINT_ENTRIES_MAX: u64 = 10_000;
/// Seconds from one checkpoint to the next.
pub const RECORD_CHECKPOINT_SECONDS_MAX: u64 = 3_600;
/// How long it is remembered up to where an ended life was drained: its journal is gone within minutes.
pub const RECORD_ENDED_LIFE_SECONDS: u64 = 86_400;
/// The same of one that goes on and of which nothing is heard: another issuer drains it.
pub const RECORD_LIFE_SECONDS: u64 = 7 * 86_400;
/// Journals of which it is remembered up to where they were drained: with what is open, they fit into the first
/// frame of a file.
pub const RECORD_LIVES_MAX: usize = LIVES_MAX;
/// Registrations remembered by the record, so that a spend in the next seconds is told with its names: half a
/// kilobyte each. Older ones are asked of the store.
pub const RECORD_REGISTRATIONS_MAX: usize = 32_768;
/// Entries in one answer of a search.
pub const RECORD_LIST_MAX: usize = 1_000;
/// How much one search looks through before it answers with what it has: half a second at most. A file that is begun
/// is looked through to its end.
pub const RECORD_LOOKED_AT_BYTES_MAX: u64 = 64 << 20;
/// Searches at once: each has a thread that reads. Others wait for their turn.
pub const SEARCHES_MAX: usize = 4;
/// How long one waits for its turn.
pub const SEARCH_TURN_SECONDS_MAX: u64 = 10;
/// What an export reads before whoever reads it must have taken it.
pub const RECORD_EXPORT_BYTES_AT_ONCE: usize = 256 << 10;
/// Exports at once: each has such a piece in memory, and files open.
pub const EXPORTS_MAX: usize = 8;
/// How long one may take. Whoever reads so slowly goes on behind the last line it has.
pub const EXPORT_SECONDS_MAX: u64 = 900;
/// Faults that one check names: whoever has so many reads no further.
pub const RECORD_FAULTS_MAX: usize = 1_000;
/// Sources of JWTs: an organisation has a few providers.
pub const JWT_SOURCES_MAX: usize = 32;
/// How far the clock of a source may be from ours: machines that keep time differ by less.
pub const JWT_LEEWAY_SECONDS_MAX: u64 = 60;
/// A set of keys: providers with many tenants publish a dozen certificates with it.
pub const JWKS_BYTES_MAX: usize = 256 << 10;
/// Keys in one set.
pub const JWKS_KEYS_MAX: usize = 100;
/// How long fetching one may take: whoever waits for it holds a connection.
pub const JWKS_SECONDS_MAX: u64 = 5;
/// How soon keys are fetched again for a token whose key is unknown: whoever makes up tokens must not make us ask.
pub const JWKS_AGAIN_SECONDS: u64 = 10;
/// A key's name in a token's head.
pub const KEY_NAME_BYTES_MAX: usize = 256;
/// The configuration's file.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;
/// A file that holds a password or a passphrase.
pub const PASSWORD_BYTES_MAX: u64 = 1_024;
/// Statements of third parties with one request: a prompt check, a classification, a change, and some to spare.
pub const EVIDENCE_MAX: usize = 8;
/// One of them: its longest members, and the signature.
pub const EVIDENCE_BYTES_MAX: usize = 4_096;
/// How long one may hold: a request that waits for people is decided again with what it brought.
pub const EVIDENCE_SECONDS_MAX: u64 = REQUEST_SECONDS_MAX;
/// The idempotency key that one may name.
pub const EVIDENCE_NONCE_BYTES_MAX: usize = 256;

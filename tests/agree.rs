//! farebox decides in types, biscuit-auth's engine in Datalog: they come to one verdict on every token.
//!
//! ```text
//! random     tokens of the whole vocabulary, against requests that cover them and that do not
//! typed      holders' blocks typed as Datalog text, in the vocabulary and outside of it
//! deviating  authority blocks that say otherwise than the layout, signed with the trusted key
//! resigned   blocks with changed bytes, signed anew by whoever may sign them
//! mutants    tokens with changed bytes, signed by nobody
//! ```
//!
//! Every token follows from a fixed seed. Each test prints how many tokens of each kind it saw, and fails
//! where one of the verdicts was too rare to mean anything.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what went wrong by panicking, and what it saw by printing"
)]

mod agree {
    mod asked;
    mod chance;
    mod draw;
    mod engine;
    mod grants;
    mod protobuf;
    mod tally;
    mod values;
    mod world;

    mod deviating;
    mod mutants;
    mod random;
    mod resigned;
    mod typed;
    mod vocabulary;
}

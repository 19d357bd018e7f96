//! Verify and spend farebox tokens: what an API embeds.

mod attempt;
mod caveat;
mod clock;
#[cfg(feature = "contract")]
pub mod contract;
mod crypto;
pub mod facts;
pub mod feed;
#[cfg(feature = "tower")]
pub mod gate;
mod grant;
mod hex;
mod key;
pub mod keys;
pub mod limits;
mod local;
mod memory;
mod name;
pub mod params;
mod passage;
mod proof;
#[cfg(feature = "redis")]
pub mod redis;
mod refusal;
mod selector;
mod store;
mod taken;
pub mod token;
mod verifier;
mod wire;

pub use attempt::Attempt;
pub use caveat::{BoundedError, Caveat, CaveatText, OneOf, OneOfError, Outputs, StatementName};
pub use clock::{Clock, ManualClock, SystemClock, UnixSeconds};
pub use crypto::{NoRandom, Signature};
pub use grant::{
    ApprovalDigest, Generation, Grant, GrantId, Mark, PolicyHash, Seat, Seats, SeatsError, Shard,
    Uses, Window, WindowError,
};
pub use key::{PublicKey, SmallOrder};
pub use keys::{Issuer, KeyRing, Keys};
pub use local::Local;
pub use memory::Memory;
pub use name::{
    Action, Agent, Audience, NameError, OutputName, Purpose, Resource, Step, StoreName, ThirdParty,
    Workflow,
};
pub use params::bounds::{Bound, Bounds, BoundsError};
pub use params::pointer::{Pointer, PointerError};
pub use params::{Leaf, Params, ParamsDigest, ParamsError};
pub use passage::{Presented, Settled, Spent, Unsettled, Unverified, Verified};
pub use proof::{Proof, ProofError, RequestDigest};
pub use refusal::{ProofFlaw, Refusal};
pub use selector::{SCOPES, Scope, Scopes, Selector};
pub use store::{Answer, Outcome, Receipt, Sending, SettleError, SpendError, SpendStore, Ticket};
pub use token::TokenText;
pub use verifier::{FreshTokens, Registered, Request, Sent, Verifier};

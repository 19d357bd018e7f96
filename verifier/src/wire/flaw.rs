//! What is wrong with bytes that are no token of this layout.

use crate::limits;

/// Why bytes are no token. A client sees `bad-token`; this is for the record and for whoever mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// More than a token's bytes.
    #[error("token is longer than {} bytes", limits::TOKEN_BYTES_MAX)]
    TooLong,
    /// Not base64url without padding.
    #[error("token is not base64url without padding")]
    Text,
    /// Not the protobuf that a writer of tokens writes.
    #[error("token is not well-formed protobuf")]
    Protobuf,
    /// More blocks than the layout has, or more of one kind.
    #[error("token has more blocks than the layout allows")]
    Blocks,
    /// A key or signature of another kind than Ed25519.
    #[error("token holds a key or signature that is not Ed25519")]
    Algorithm,
    /// A key under which signatures prove nothing.
    #[error("token holds a public key of small order")]
    SmallOrder,
    /// Another layout than `farebox/1`, or a plain biscuit.
    #[error("token is not of layout farebox/1")]
    Layout,
    /// A version of the language that other libraries do not read.
    #[error("token has a Datalog version that the layout does not use")]
    Version,
    /// Names that are given twice, or not at all.
    #[error("token has a symbol that is missing, given twice or beyond the limit")]
    Symbols,
    /// Facts that the layout does not have.
    #[error("token has facts that the layout does not have")]
    Facts,
    /// Rules: the layout has none.
    #[error("token has rules")]
    Rules,
    /// A scope where none belongs, or of another kind than one key.
    #[error("token has a scope that the layout does not have")]
    Scope,
    /// A check outside the closed vocabulary.
    #[error("token has a check outside the vocabulary")]
    Check,
    /// A value that its place does not allow.
    #[error("token has a value that its place does not allow")]
    Value,
    /// An authority block that says the same in another way than the layout does.
    #[error("authority block is not written as the layout writes it")]
    NotCanonical,
    /// A third party's block that says anything but its one literal, or that nobody asked for.
    #[error("third party's block says something that was not asked for")]
    ThirdParty,
    /// A block's signature does not verify.
    #[error("a signature of the token does not verify")]
    Signature,
    /// The token was cut, or its end belongs to another.
    #[error("the token's proof does not match its last block")]
    Proof,
    /// A number of stores that differs from the verifier's configuration.
    #[error("token is registered with other stores than this verifier uses")]
    Stores,
    /// A token that needs no store, where every action is spent.
    #[error("token needs no store, and every action is spent here")]
    Fresh,
}

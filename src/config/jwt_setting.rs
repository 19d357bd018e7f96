//! The settings of a source of JWTs: the second half of the list.

use super::setting::{Kind, Setting, whole, with, without};
use crate::limits;

/// The settings of one source of JWTs: a table `[[callers.jwt]]`.
pub const JWT_SETTINGS: [Setting; 22] = [
    without(
        ("name", ""),
        Kind::Text,
        "\"github\"",
        "Its name, which stands in the ids of agents: oidc:github:…",
    ),
    with(
        ("kind", ""),
        Kind::Word(&["oidc", "spiffe"]),
        "\"oidc\"",
        "Whose tokens these are: an OpenID Connect provider's, or JWT-SVIDs of a SPIFFE trust domain.",
    ),
    without(
        ("issuer", ""),
        Kind::Text,
        "\"https://token.actions.githubusercontent.com\"",
        "What stands in `iss`, to the letter (oidc).",
    ),
    without(
        ("trust_domain", ""),
        Kind::Text,
        "\"acme.example\"",
        "The trust domain, without spiffe:// (spiffe).",
    ),
    without(
        ("audiences", ""),
        Kind::Texts,
        "[\"https://farebox.example\"]",
        "One of these must stand in `aud`: a token that was made for another service is worth nothing here.",
    ),
    with(
        ("algorithms", ""),
        Kind::Texts,
        "[\"RS256\"]",
        "The algorithms that are taken: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA.",
    ),
    without(
        ("jwks_url", ""),
        Kind::Text,
        "\"https://token.actions.githubusercontent.com/.well-known/jwks\"",
        "Where its keys are fetched; https, or http from this machine. This or jwks_file.",
    ),
    without(
        ("jwks_file", ""),
        Kind::Path,
        "\"/etc/farebox/acme-jwks.json\"",
        "The file that has its keys.",
    ),
    without(
        ("jwks_ca", ""),
        Kind::Path,
        "\"/etc/farebox/internal-ca.pem\"",
        "The authorities that may vouch for the server at jwks_url. Left out, those of the machine.",
    ),
    with(
        ("refresh_seconds", ""),
        whole(10, 86_400),
        "300",
        "How often its keys are read again. A token with an unknown key asks for it at once, every ten seconds at most.",
    ),
    with(
        ("keep_seconds", ""),
        whole(60, 30 * 86_400),
        "86400",
        "How long the last good keys are used while none can be read: a provider's bad night, and no longer.",
    ),
    with(
        ("leeway_seconds", ""),
        whole(0, limits::JWT_LEEWAY_SECONDS_MAX),
        "0",
        "How far its clock may be from ours.",
    ),
    without(
        ("max_age_seconds", ""),
        whole(1, 86_400),
        "900",
        "How old a token may be by its `iat`, whatever it says of its end. Left out, as old as it says.",
    ),
    with(
        ("subject", ""),
        Kind::Text,
        "\"sub\"",
        "The claim that names the caller (oidc). Prefer ids to names, which are given away again.",
    ),
    without(
        ("tenant", ""),
        Kind::Text,
        "\"acme\"",
        "The tenant of all its callers: workflows of others are not theirs. This or tenant_claim.",
    ),
    without(
        ("tenant_claim", ""),
        Kind::Text,
        "\"repository_owner_id\"",
        "The claim that names the tenant; a token without it is refused.",
    ),
    without(
        ("owner_claim", ""),
        Kind::Text,
        "\"employee_id\"",
        "The claim that names the person behind a caller; a token without it is refused.",
    ),
    without(
        ("groups_claim", ""),
        Kind::Text,
        "\"/realm_access/groups\"",
        "The claim that names the groups of approvers.",
    ),
    without(
        ("attributes", ""),
        Kind::Names,
        "{ repository = \"repository_id\" }",
        "What policies are told: attribute(\"repository\", …) from the claim repository_id.",
    ),
    without(
        ("rules.when", ""),
        Kind::Names,
        "{ repository_id = \"123456\", environment = [\"production\"] }",
        "What claims must be: each of them one of its texts. A text may end in /* or :*.",
    ),
    without(
        ("rules.roles", ""),
        Kind::Texts,
        "[\"mint\"]",
        "What the caller may then do. A token that fits no rule is nobody's.",
    ),
    without(
        ("rules.spends_for", ""),
        Kind::Texts,
        "[\"payments-api\"]",
        "The audiences that it may spend for, with the role spend.",
    ),
];

//! Sources of JWTs in the file: pinned to whom, for whom and by what, or refused.

use farebox::callers::jwt::{KeysAt, SourceKind, Tenancy};

use super::desk::{of, said};

const GOOD: &str = "[[callers.jwt]]\nname = \"github\"\nissuer = \"https://gh.example\"\n\
    audiences = [\"https://farebox.example\"]\njwks_url = \"https://gh.example/jwks\"\ntenant = \"acme\"\n\
    attributes = { repository = \"repository_id\" }\n\
    [[callers.jwt.rules]]\nwhen = { repository_id = [\"1\", \"2\"], environment = \"prod\" }\nroles = [\"mint\"]\n";

#[test]
fn a_source_says_whose_tokens_are_taken_and_what_they_may() {
    let config = of(GOOD).unwrap();
    let source = &config.jwt[0];
    assert!(
        matches!(&source.kind, SourceKind::Oidc { issuer, .. } if issuer == "https://gh.example")
    );
    assert!(matches!(&source.keys, KeysAt::Url { ca: None, .. }));
    assert!(matches!(&source.tenant, Tenancy::Fixed(tenant) if tenant.as_str() == "acme"));
    assert_eq!(source.algorithms.iter().map(|a| a.word()).collect::<Vec<_>>(), ["RS256"]);
    assert_eq!((source.leeway_seconds, source.max_age_seconds), (0, None));
    assert_eq!((source.attributes.len(), source.rules[0].when.len()), (1, 2));
}

/// What is put in the place of what, and what is then said; nothing where it is fine.
const TOO_MUCH: &[(&str, &str, &str)] = &[
    ("name = \"github\"", "", "name must stand beside it"),
    ("name = \"github\"", "name = \"git:hub\"", "a source's name"),
    ("issuer = \"https://gh.example\"", "", "issuer must stand beside it"),
    ("issuer = \"https://gh.example\"", "issuer = \"\"", "issuer cannot be used: empty"),
    ("audiences = [\"https://farebox.example\"]", "", "audiences must stand beside it"),
    (
        "audiences = [\"https://farebox.example\"]",
        "audiences = []",
        "audiences must stand beside it",
    ),
    (
        "audiences = [\"https://farebox.example\"]",
        "audiences = [\"\"]",
        "audiences cannot be used: empty",
    ),
    ("tenant = \"acme\"", "algorithms = [\"none\"]", "an algorithm is RS256"),
    ("tenant = \"acme\"", "algorithms = [\"RS256\", \"HS256\"]", "an algorithm is RS256"),
    ("tenant = \"acme\"", "algorithms = [\"rs256\"]", "an algorithm is RS256"),
    ("tenant = \"acme\"", "algorithms = []", "algorithms must stand beside it"),
    ("tenant = \"acme\"", "leeway_seconds = 61", "not a whole number from 0 to 60"),
    ("tenant = \"acme\"", "trust_domain = \"acme\"", "issuer stands beside it"),
    ("tenant = \"acme\"", "tenant = \"acme\"\ntenant_claim = \"org\"", "tenant stands beside it"),
    ("tenant = \"acme\"", "jwks_file = \"f\"", "jwks_url stands beside it"),
    ("jwks_url = \"https://gh.example/jwks\"", "", "jwks_url or jwks_file must stand beside it"),
    ("jwks_url = \"https://gh", "jwks_url = \"http://gh", "keys are fetched over https"),
    ("issuer = \"https://gh.example\"", "kind = \"spiffe\"\ntrust_domain = \"acme\"", ""),
    ("issuer = \"https://gh.example\"", "kind = \"spiffe\"", "trust_domain must stand beside it"),
    ("{ repository = ", "{ \"a b\" = ", "an attribute is a word"),
    (
        "when = { repository_id = [\"1\", \"2\"], environment = \"prod\" }",
        "",
        "when must stand beside it",
    ),
    (
        "when = { repository_id = [\"1\", \"2\"], environment = \"prod\" }",
        "when = {}",
        "when must stand beside it",
    ),
    ("environment = \"prod\"", "environment = \"pr*\"", "a * stands at the end"),
    ("roles = [\"mint\"]", "roles = [\"root\"]", "a role is mint"),
    ("roles = [\"mint\"]", "roles = []", "rules.roles must stand beside it"),
    ("roles = [\"mint\"]", "roles = [\"spend\"]", "spends_for must stand beside it"),
    (
        "roles = [\"mint\"]",
        "roles = [\"mint\"]\nspends_for = [\"a\"]",
        "it means nothing without the role spend",
    ),
    ("[[callers.jwt.rules]]", "[callers.other]", "there is no setting callers.other"),
];

#[test]
fn a_source_that_would_take_too_much_is_refused() {
    for (from, to, want) in TOO_MUCH.iter().copied() {
        assert!(GOOD.contains(from), "{from}");
        let result = of(&GOOD.replacen(from, to, 1));
        if want.is_empty() {
            assert!(result.is_ok(), "{}", said(&result.unwrap_err()));
            continue;
        }
        let error = said(&result.unwrap_err());
        assert!(error.contains(want), "{to}: {error}");
        assert!(error.contains("farebox.toml:"), "{error}");
    }
    let error = said(&of(&format!("{GOOD}{GOOD}")).unwrap_err());
    assert!(error.ends_with("name cannot be used: the name stands twice"), "{error}");
    let without_rules = GOOD.split("[[callers.jwt.rules]]").next().unwrap();
    let error = said(&of(without_rules).unwrap_err());
    assert!(error.ends_with("rules must stand beside it"), "{error}");
}

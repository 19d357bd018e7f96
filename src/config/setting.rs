//! Every setting, with its kind, its default and its reason: the one list that the reader, `farebox.toml` and the
//! documentation are made of.

use farebox_verifier::limits as verifier;

use crate::limits;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where it stands in the file: `store.kind`.
    pub path: &'static str,
    /// The variable that goes before the file; empty where a list of tables has none.
    pub env: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is unless something is said, as the file would say it. Without one, `example` stands in the file.
    pub default: Option<&'static str>,
    /// What it could be, where there is no default.
    pub example: &'static str,
    /// Why one would change it, and why the default is what it is.
    pub reason: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text of the form that its reader asks for.
    Text,
    /// A file or a folder, from where farebox is started.
    Path,
    /// A whole number in a range.
    Whole {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// One of some words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A table from names to texts or lists of texts.
    Names,
}

pub(super) const fn with(
    (path, env): (&'static str, &'static str),
    kind: Kind,
    default: &'static str,
    reason: &'static str,
) -> Setting {
    Setting { path, env, kind, default: Some(default), example: "", reason }
}

pub(super) const fn without(
    (path, env): (&'static str, &'static str),
    kind: Kind,
    example: &'static str,
    reason: &'static str,
) -> Setting {
    Setting { path, env, kind, default: None, example, reason }
}

pub(super) const fn whole(min: u64, max: u64) -> Kind {
    Kind::Whole { min, max }
}

/// The settings of an issuer, in the order in which the file has them.
pub const SETTINGS: [Setting; 44] = [
    with(
        ("listen", "FAREBOX_LISTEN"),
        Kind::Text,
        "\"127.0.0.1:8420\"",
        "Where the issuer listens. This machine alone, until there is TLS for others.",
    ),
    with(
        ("data", "FAREBOX_DATA"),
        Kind::Path,
        "\"farebox-data\"",
        "What is durable: callers, keys, the record, the embedded store. One issuer for each folder.",
    ),
    without(
        ("policies", "FAREBOX_POLICIES"),
        Kind::Path,
        "\"policies\"",
        "The folder of policies. Left out, ./policies where it exists, else the examples that are built in.",
    ),
    without(
        ("public_url", "FAREBOX_PUBLIC_URL"),
        Kind::Text,
        "\"https://farebox.example\"",
        "How clients reach the issuer; problems and metadata name it. Left out, it is made of `listen`.",
    ),
    with(
        ("issuer", "FAREBOX_ISSUER"),
        Kind::Text,
        "\"farebox\"",
        "The name of this issuer's chain in the record. Issuers that share a store have one each, for good.",
    ),
    with(
        ("zone", "FAREBOX_ZONE"),
        Kind::Text,
        "\"UTC\"",
        "The time zone in which policies know date, weekday and minute of the day.",
    ),
    without(
        ("keys.dir", "FAREBOX_KEYS"),
        Kind::Path,
        "\"farebox-data/keys\"",
        "The folder of keys: private ones of this issuer, public ones of third parties. Left out, `keys` in `data`.",
    ),
    without(
        ("keys.passphrase_file", "FAREBOX_KEY_PASSPHRASE_FILE"),
        Kind::Path,
        "\"/run/secrets/farebox-key\"",
        "The file that holds the passphrase of the private keys, where they are encrypted.",
    ),
    without(
        ("tls.certificate", "FAREBOX_TLS_CERTIFICATE"),
        Kind::Path,
        "\"/etc/farebox/tls.pem\"",
        "The chain of certificates to show, in PEM, the server's own first. It and the key, or neither.",
    ),
    without(
        ("tls.key", "FAREBOX_TLS_KEY"),
        Kind::Path,
        "\"/etc/farebox/tls.key\"",
        "Its private key, in PEM, readable by its owner alone.",
    ),
    with(
        ("tls.proxied", "FAREBOX_TLS_PROXIED"),
        Kind::Flag,
        "false",
        "A proxy in front speaks TLS, and nothing but it reaches this address. Without it or a certificate, farebox \
         does not start on an address that others reach: credentials would pass in the clear.",
    ),
    with(
        ("store.kind", "FAREBOX_STORE_KIND"),
        Kind::Word(&["embedded", "redis"]),
        "\"embedded\"",
        "Where grants are: in a file of `data`, for one issuer, or on Redis or Valkey.",
    ),
    with(
        ("store.topology", "FAREBOX_TOPOLOGY"),
        Kind::Word(&["single", "spread", "quorum"]),
        "\"single\"",
        "How the servers stand to each other. spread: independent servers share the work; quorum: a majority of \
         three or five agrees on each grant.",
    ),
    without(
        ("store.ca", "FAREBOX_SERVERS_CA"),
        Kind::Path,
        "\"/etc/farebox/redis-ca.pem\"",
        "The authorities that may vouch for servers at rediss://, in PEM. Left out, those of the machine.",
    ),
    with(
        ("store.issuer.user", "FAREBOX_STORE_ISSUER_USER"),
        Kind::Text,
        "\"farebox-issuer\"",
        "The user that registers, revokes and drains, as `farebox store acl` prints it.",
    ),
    without(
        ("store.issuer.password_file", "FAREBOX_STORE_ISSUER_PASSWORD_FILE"),
        Kind::Path,
        "\"/run/secrets/redis-issuer\"",
        "The file that holds its password. Left out, the login is the one in the server's URL.",
    ),
    with(
        ("store.spend.user", "FAREBOX_STORE_SPEND_USER"),
        Kind::Text,
        "\"farebox-verifier\"",
        "The user that spends and settles for /v1/spend: another one, so that neither can do the other's part.",
    ),
    without(
        ("store.spend.password_file", "FAREBOX_STORE_SPEND_PASSWORD_FILE"),
        Kind::Path,
        "\"/run/secrets/redis-spend\"",
        "The file that holds its password.",
    ),
    with(
        ("rates.mint_per_second", "FAREBOX_RATES_MINT_PER_SECOND"),
        whole(1, 1_000_000),
        "50",
        "Requests for grants that one caller may make in a second: more than agents do, less than a loop does.",
    ),
    with(
        ("rates.spend_per_second", "FAREBOX_RATES_SPEND_PER_SECOND"),
        whole(1, 1_000_000),
        "500",
        "Spends and settles of one caller in a second: an API spends for many agents.",
    ),
    with(
        ("rates.other_per_second", "FAREBOX_RATES_OTHER_PER_SECOND"),
        whole(1, 1_000_000),
        "50",
        "Everything else that one caller asks in a second.",
    ),
    with(
        ("rates.burst_seconds", "FAREBOX_RATES_BURST_SECONDS"),
        whole(1, 60),
        "2",
        "For how many seconds' worth a caller may come at once: workflows start many steps together.",
    ),
    with(
        ("rates.login_failures_per_minute", "FAREBOX_RATES_LOGIN_FAILURES_PER_MINUTE"),
        whole(1, 100_000),
        "60",
        "Credentials that are not taken, from one address in a minute, after which it waits. Keys have 256 bits; \
         this spares the log, not the keys.",
    ),
    with(
        ("deadlines.store_seconds", "FAREBOX_DEADLINES_STORE_SECONDS"),
        whole(1, verifier::SPEND_SECONDS_MAX),
        "5",
        "How long the store may take to answer before the answer is store-down. Callers give up soon after.",
    ),
    with(
        ("deadlines.header_read_seconds", "FAREBOX_DEADLINES_HEADER_READ_SECONDS"),
        whole(1, 60),
        "5",
        "How long a request's head may take to come in: no slow client holds a connection for nothing.",
    ),
    with(
        ("deadlines.body_read_seconds", "FAREBOX_DEADLINES_BODY_READ_SECONDS"),
        whole(1, verifier::READ_SECONDS_MAX),
        "10",
        "How long its body may take: a megabyte over a slow line, and no slow loris.",
    ),
    with(
        ("deadlines.stop_seconds", "FAREBOX_DEADLINES_STOP_SECONDS"),
        whole(1, 600),
        "25",
        "How long a stop waits for requests that were accepted. Kubernetes kills after 30.",
    ),
    with(
        ("limits.body_bytes", "FAREBOX_LIMITS_BODY_BYTES"),
        whole(1_024, limits::MINT_BODY_BYTES_MAX as u64),
        "2097152",
        "The longest body: an action is a call, not an upload. What says few words has a lower limit anyway.",
    ),
    with(
        ("limits.header_bytes", "FAREBOX_LIMITS_HEADER_BYTES"),
        whole(8_192, limits::HEAD_BYTES_MAX as u64),
        "16384",
        "The longest head of a request: a token and a JWT fit.",
    ),
    with(
        ("limits.connections", "FAREBOX_LIMITS_CONNECTIONS"),
        whole(1, limits::CONNECTIONS_MAX as u64),
        "4096",
        "Connections at once; each takes a descriptor and a few kilobytes. There are never more than the process \
         may have files open, less 64 for itself.",
    ),
    with(
        ("limits.list_items", "FAREBOX_LIMITS_LIST_ITEMS"),
        whole(1, limits::LIST_MAX as u64),
        "100",
        "Items on a page of a list that asks for no other number.",
    ),
    with(
        ("record.segment_bytes", "FAREBOX_RECORD_SEGMENT_BYTES"),
        whole(1 << 20, limits::RECORD_SEGMENT_BYTES_MAX),
        "16777216",
        "The size at which the record goes on in a new file: a search reads one to its end, whatever it looks for.",
    ),
    with(
        ("record.parameters", "FAREBOX_RECORD_PARAMETERS"),
        Kind::Word(&["full", "digest"]),
        "\"full\"",
        "Whether the record keeps the parameters of requests, or their digest alone. With digests nobody reads an \
         amount in the record, and policies cannot be tried on past requests.",
    ),
    with(
        ("record.checkpoint_entries", "FAREBOX_RECORD_CHECKPOINT_ENTRIES"),
        whole(1, limits::RECORD_CHECKPOINT_ENTRIES_MAX),
        "1000",
        "After how many entries the chain is signed: what was cut off after the last signature cannot be told.",
    ),
    with(
        ("record.checkpoint_seconds", "FAREBOX_RECORD_CHECKPOINT_SECONDS"),
        whole(1, limits::RECORD_CHECKPOINT_SECONDS_MAX),
        "10",
        "After how many seconds it is signed where there are fewer entries.",
    ),
    with(
        ("log.format", "FAREBOX_LOG_FORMAT"),
        Kind::Word(&["text", "json"]),
        "\"text\"",
        "text for people, json for a collector of logs.",
    ),
    with(
        ("log.level", "FAREBOX_LOG_LEVEL"),
        Kind::Word(&["error", "warn", "info", "debug", "trace"]),
        "\"info\"",
        "How much is logged. No level shows a token, a credential or a parameter.",
    ),
    with(
        ("grants.ttl_seconds", "FAREBOX_GRANTS_TTL_SECONDS"),
        whole(1, verifier::TTL_SECONDS_MAX),
        "60",
        "The life of a grant that neither the request nor a rule says otherwise of: one call, made now.",
    ),
    with(
        ("grants.ttl_seconds_max", "FAREBOX_GRANTS_TTL_SECONDS_MAX"),
        whole(1, verifier::TTL_SECONDS_MAX),
        "3600",
        "The longest life that a request or a rule can get. What was decided an hour ago is asked again.",
    ),
    with(
        ("grants.approval_seconds", "FAREBOX_GRANTS_APPROVAL_SECONDS"),
        whole(1, limits::REQUEST_SECONDS_MAX),
        "3600",
        "How long a request waits for people, and an approval to be collected. What was approved long ago is asked again.",
    ),
    without(
        ("owners", ""),
        Kind::Names,
        "{ alice = [\"oidc:corp:00u1a2b3\", \"key:alice\"] }",
        "The identities of each person: together they are one approver, and nobody approves their own request.",
    ),
    without(
        ("store.servers.name", ""),
        Kind::Text,
        "\"r1\"",
        "The name that tokens have for the store on this server. It never changes its meaning.",
    ),
    without(
        ("store.servers.url", ""),
        Kind::Text,
        "\"rediss://r1.internal:6379\"",
        "Where it is. rediss:// is TLS. A login in it, percent-encoded, is the issuer's.",
    ),
    without(("callers.jwt", ""), Kind::Names, "", "A source of JWTs: see below."),
];

//! The settings as people read them: the file to copy, and the page of the documentation.

use std::fmt::Write as _;

use super::jwt_setting::JWT_SETTINGS;
use super::setting::{Kind, SETTINGS, Setting};

const WIDTH: usize = 110;

/// The text of `farebox.toml`: every setting, commented out, with its default and its reason.
#[must_use]
pub fn example_file() -> String {
    let mut text = String::new();
    wrap(&mut text, "farebox: every setting, with its default and its reason.");
    text.push_str("#\n");
    wrap(
        &mut text,
        "What stands here goes before the defaults, variables FAREBOX_… go before it, and flags before both. A line \
         that begins with # and a letter or a bracket is a setting: take the # away to change it. Those marked \
         \"no default\" are examples.",
    );
    let plain = SETTINGS.iter().filter(|setting| !setting.path.contains('.'));
    plain.filter(|setting| setting.path != "owners").for_each(|s| entry(&mut text, s, s.path));
    for section in ["keys", "tls", "rates", "deadlines", "limits", "record", "log", "grants"] {
        let _infallible = write!(text, "\n#[{section}]\n");
        below(section).for_each(|setting| entry(&mut text, setting, last(setting)));
    }
    text.push_str("\n#[store]\n");
    below("store")
        .filter(|s| s.path.matches('.').count() == 1)
        .for_each(|s| entry(&mut text, s, last(s)));
    for section in ["store.issuer", "store.spend"] {
        let _infallible = write!(text, "\n#[{section}]\n");
        below(section).for_each(|setting| entry(&mut text, setting, last(setting)));
    }
    text.push('\n');
    wrap(
        &mut text,
        "The servers, a table for each. FAREBOX_SERVERS has one in each line: NAME=URL.",
    );
    text.push_str("#[[store.servers]]\n");
    below("store.servers").for_each(|setting| entry(&mut text, setting, last(setting)));
    text.push_str("\n#[owners]\n");
    SETTINGS.iter().filter(|setting| setting.path == "owners").for_each(|setting| {
        wrap(&mut text, setting.reason);
        text.push_str("# No default.\n#alice = [\"oidc:corp:00u1a2b3\", \"key:alice\"]\n");
    });
    jwt(&mut text);
    text
}

fn jwt(text: &mut String) {
    text.push('\n');
    wrap(
        text,
        "Whose JWTs are taken beside API keys, a table for each source; without one, none are.",
    );
    text.push_str("#[[callers.jwt]]\n");
    // What goes with another kind of source, or with the other of two that exclude each other.
    let other = ["trust_domain", "jwks_file", "tenant_claim"];
    let plain = JWT_SETTINGS.iter().filter(|setting| !setting.path.contains('.'));
    plain.clone().filter(|s| !other.contains(&s.path)).for_each(|s| entry(text, s, s.path));
    text.push('\n');
    wrap(text, "Who may do what: a table for each rule, and all that fit count together.");
    text.push_str("#[[callers.jwt.rules]]\n");
    let rules = JWT_SETTINGS.iter().filter(|setting| setting.path.contains('.'));
    rules.filter(|s| s.path != "rules.spends_for").for_each(|s| entry(text, s, last(s)));
    text.push('\n');
    wrap(
        text,
        "A source of SPIFFE JWT-SVIDs, whose agents are spiffe:// ids; and an API that spends.",
    );
    text.push_str("#[[callers.jwt]]\n#name = \"mesh\"\n#kind = \"spiffe\"\n");
    plain.filter(|s| other.contains(&s.path)).for_each(|s| entry(text, s, s.path));
    text.push_str("#audiences = [\"https://farebox.example\"]\n#algorithms = [\"ES256\"]\n\n");
    text.push_str(
        "#[[callers.jwt.rules]]\n#when = { sub = \"spiffe://acme.example/apis/payments\" }\n",
    );
    text.push_str("#roles = [\"spend\"]\n");
    JWT_SETTINGS
        .iter()
        .filter(|s| s.path == "rules.spends_for")
        .for_each(|s| entry(text, s, last(s)));
}

fn below(section: &str) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| {
        setting.path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
    })
}

fn last(setting: &Setting) -> &'static str {
    setting.path.rsplit('.').next().unwrap_or(setting.path)
}

fn entry(text: &mut String, setting: &Setting, name: &str) {
    text.push('\n');
    let range = match setting.kind {
        Kind::Whole { min, max } => format!(" {min} to {max}."),
        Kind::Word(words) => format!(" One of {}.", words.join(", ")),
        Kind::Text | Kind::Path | Kind::Flag | Kind::Texts | Kind::Names => String::new(),
    };
    let none = if setting.default.is_none() { " No default." } else { "" };
    wrap(text, &format!("{}{range}{none}", setting.reason));
    let _infallible = writeln!(text, "#{name} = {}", setting.default.unwrap_or(setting.example));
}

/// Writes a comment in lines that a screen holds.
fn wrap(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _infallible = writeln!(text, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _infallible = writeln!(text, "{line}");
}

/// The tables of the documentation: one row for each setting.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from("| setting | variable | default | |\n|---|---|---|---|\n");
    let listed = SETTINGS.iter().filter(|setting| setting.path != "callers.jwt");
    listed.for_each(|setting| row(&mut text, setting));
    text.push_str(
        "\nIn each table `[[callers.jwt]]`, and in each `[[callers.jwt.rules]]` below it:\n\n",
    );
    text.push_str("| setting | variable | default | |\n|---|---|---|---|\n");
    JWT_SETTINGS.iter().for_each(|setting| row(&mut text, setting));
    text
}

fn row(text: &mut String, setting: &Setting) {
    let env = if setting.env.is_empty() { String::new() } else { format!("`{}`", setting.env) };
    let default = setting.default.map_or_else(
        || format!("none; e.g. `{}`", setting.example),
        |default| format!("`{default}`"),
    );
    let range = match setting.kind {
        Kind::Whole { min, max } => format!(" {min} to {max}."),
        Kind::Word(words) => format!(" One of {}.", words.join(", ")),
        Kind::Text | Kind::Path | Kind::Flag | Kind::Texts | Kind::Names => String::new(),
    };
    let _infallible =
        writeln!(text, "| `{}` | {env} | {default} | {}{range} |", setting.path, setting.reason);
}

//! The fixture: a folder with a `farebox.toml`, and what is read of it.

use std::fs;
use std::path::PathBuf;

use farebox::config::{Config, ConfigError, ConfigFile, Sources};
use tempfile::TempDir;

pub(super) struct Desk(TempDir);

impl Desk {
    pub(super) fn with(text: &str) -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        fs::write(desk.path("farebox.toml"), text).unwrap();
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn read(&self) -> Result<Config, ConfigError> {
        self.read_with(&[], &[])
    }

    pub(super) fn read_with(
        &self,
        variables: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Config, ConfigError> {
        let path = self.path("farebox.toml");
        let file = ConfigFile::Named(&path);
        read(file, variables, flags)
    }
}

/// What is read of this text.
pub(super) fn of(text: &str) -> Result<Config, ConfigError> {
    Desk::with(text).read()
}

/// What nobody says anything of.
pub(super) fn defaults() -> Config {
    read(ConfigFile::None, &[], &[]).unwrap()
}

pub(super) fn read(
    file: ConfigFile<'_>,
    variables: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<Config, ConfigError> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let env = |name: &str| {
        variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let flags: Vec<_> = flags.iter().map(|(path, value)| (*path, (*value).to_owned())).collect();
    Config::read(&Sources { file, env: &env, flags: &flags })
}

/// The error and everything behind it, in one line.
pub(super) fn said(error: &ConfigError) -> String {
    let mut text = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}

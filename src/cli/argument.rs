//! Arguments: texts, files and standard input, read into types.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use farebox_verifier::keys::{self, KeyFileError, KeyFormat};
use farebox_verifier::{
    Action, Audience, GrantId, NameError, OneOfError, Params, ParamsDigest, PointerError,
    PublicKey, Resource, Sent, TokenText, UnixSeconds, limits,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::failure::Failure;
use crate::config;
use crate::signer::{Passphrase, PrivateKey};

/// More than any key file, token or set of parameters has: the reader of each says what is too long.
const BYTES_MAX: u64 = limits::PARAMS_BYTES_MAX as u64 + 1;

/// Why a flag's value is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValueError {
    #[error("not {digits} hexadecimal digits")]
    Hex { digits: usize },
    #[error("not a date such as 2026-11-21T12:00:00Z")]
    Date,
    #[error("not {form}")]
    Form { form: &'static str },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Pointer(#[from] PointerError),
    #[error(transparent)]
    OneOf(#[from] OneOfError),
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// Standard input, which can be read once.
pub(super) struct Stdin(Option<io::Stdin>);

impl Stdin {
    pub(super) fn unread() -> Stdin {
        Stdin(Some(io::stdin()))
    }

    fn take(&mut self) -> Result<io::Stdin, Failure> {
        self.0.take().ok_or(Failure::StdinTwice)
    }
}

/// A text given as itself, as `@FILE`, or as `-` for standard input. It may be a secret.
#[derive(Clone)]
pub(super) struct Source(String);

impl From<String> for Source {
    fn from(text: String) -> Source {
        Source(text)
    }
}

impl Source {
    pub(super) fn read(&self, stdin: &mut Stdin) -> Result<Vec<u8>, Failure> {
        let (from, bytes) = match (self.0.as_str(), self.0.strip_prefix('@')) {
            ("-", _) => ("standard input", all(stdin.take()?)),
            (_, Some(path)) => (path, File::open(path).and_then(all)),
            (text, None) => return Ok(text.as_bytes().to_vec()),
        };
        bytes.map_err(|source| Failure::File { path: from.into(), source })
    }
}

fn all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A token.
#[derive(Args)]
pub(super) struct TokenArgs {
    /// The token, as - for standard input or as @FILE; as an argument, everybody on this machine sees it
    #[arg(
        value_name = "TOKEN",
        default_value = "-",
        env = "FAREBOX_TOKEN",
        hide_env_values = true
    )]
    token: Source,
}

impl TokenArgs {
    pub(super) fn read(&self, stdin: &mut Stdin) -> Result<TokenText, Failure> {
        let bytes = self.token.read(stdin)?;
        // What is no UTF-8 is no base64url either, and the token's reader says so.
        Ok(TokenText::unread(String::from_utf8_lossy(&bytes).trim()))
    }
}

/// Parameters, or their digest.
#[derive(Args)]
pub(super) struct ParamsArgs {
    /// The parameters, as JSON, as @FILE or as - for standard input; left out, they are {}
    #[arg(long, value_name = "JSON", conflicts_with = "params_sha256")]
    params: Option<Source>,
    /// The digest of the parameters, or of a body that is no JSON
    #[arg(long, value_name = "HEX", value_parser = digest)]
    params_sha256: Option<ParamsDigest>,
}

/// What was said of the parameters.
pub(super) enum Given {
    Params(Params),
    Digest(ParamsDigest),
}

impl ParamsArgs {
    pub(super) fn read(&self, stdin: &mut Stdin) -> Result<Given, Failure> {
        match (self.params_sha256, &self.params) {
            (Some(digest), _) => Ok(Given::Digest(digest)),
            (None, None) => Ok(Given::Params(Params::empty())),
            (None, Some(source)) => {
                let params = Params::parse(&source.read(stdin)?).map_err(Failure::Params)?;
                Ok(Given::Params(params))
            }
        }
    }
}

impl Given {
    pub(super) fn digest(&self) -> ParamsDigest {
        match self {
            Given::Params(params) => params.digest(),
            Given::Digest(digest) => *digest,
        }
    }

    pub(super) fn sent(&self) -> Sent<'_> {
        match self {
            Given::Params(params) => Sent::Params(params),
            Given::Digest(digest) => Sent::Digest(*digest),
        }
    }
}

/// A request: what is to be done, where, and with what.
#[derive(Args)]
pub(super) struct RequestArgs {
    /// The API that acts: payments-api
    #[arg(long, value_name = "NAME", value_parser = Audience::parse, env = "FAREBOX_AUDIENCE")]
    pub(super) audience: Audience,
    /// What is done: payments.transfer
    #[arg(long, value_name = "NAME", value_parser = Action::parse)]
    pub(super) action: Action,
    /// What it is done to: account/42
    #[arg(long, value_name = "NAME", value_parser = Resource::parse)]
    pub(super) resource: Resource,
    #[command(flatten)]
    pub(super) params: ParamsArgs,
}

/// A public key, given in hexadecimal or by its file.
#[derive(Clone)]
pub(super) struct KeySource(String);

impl From<String> for KeySource {
    fn from(text: String) -> KeySource {
        KeySource(text)
    }
}

impl KeySource {
    pub(super) fn read(&self) -> Result<PublicKey, Failure> {
        let path = PathBuf::from(&self.0);
        let bytes = match File::open(&path).and_then(all) {
            Ok(bytes) => bytes,
            Err(missing) => return self.read_hex(missing),
        };
        let text = String::from_utf8_lossy(&bytes);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let format = ending.and_then(KeyFormat::of_ending).unwrap_or(KeyFormat::Pem);
        keys::parse(&text, format).map_err(|source| Failure::PublicKey { path, source })
    }

    fn read_hex(&self, missing: io::Error) -> Result<PublicKey, Failure> {
        keys::parse(&self.0, KeyFormat::Hex).map_err(|why| match why {
            KeyFileError::SmallOrder => Failure::WeakHolder(why),
            _ => Failure::NoHolder(missing),
        })
    }
}

/// The passphrase of a private key that is encrypted.
#[derive(Args)]
pub(super) struct PassphraseArgs {
    /// The file with the passphrase of the private key, where it is encrypted
    #[arg(long, value_name = "FILE", env = "FAREBOX_KEY_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    pub(super) fn read(&self) -> Result<Option<Passphrase>, Failure> {
        let text = self.passphrase_file.as_deref().map(config::read_secret).transpose()?;
        Ok(text.map(Passphrase::new))
    }

    /// Reads a private key, naming its file where it cannot be.
    pub(super) fn private_key(&self, path: &Path) -> Result<PrivateKey, Failure> {
        PrivateKey::load_with(path, self.read()?.as_ref())
            .map_err(|source| Failure::PrivateKey { path: path.into(), source })
    }
}

/// Puts a public file in its place whole.
pub(super) fn publish(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |source| Failure::File { path: path.into(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Whoever reloads the folder of keys passes hidden files over, and never sees half of one.
    let hidden = folder.join(format!(".{name}.new"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&hidden, text))
        .and_then(|()| fs::rename(&hidden, path))
        .map_err(failed)
}

pub(super) fn digest(text: &str) -> Result<ParamsDigest, ValueError> {
    ParamsDigest::from_hex(text).ok_or(ValueError::Hex { digits: 64 })
}

pub(super) fn grant(text: &str) -> Result<GrantId, ValueError> {
    GrantId::from_hex(text).ok_or(ValueError::Hex { digits: 32 })
}

pub(super) fn key(text: &str) -> Result<PublicKey, ValueError> {
    Ok(keys::parse(text, KeyFormat::Hex)?)
}

pub(super) fn date(text: &str) -> Result<UnixSeconds, ValueError> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(date) => Ok(UnixSeconds::from(date)),
        Err(_) => Err(ValueError::Date),
    }
}

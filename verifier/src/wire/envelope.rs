//! A token as it travels: who signed which block, and the secret or the seal at its end.

use super::flaw::Flaw;
use super::protobuf::{Fields, Value, Writer};
use crate::crypto::Signature;
use crate::key::PublicKey;
use crate::limits;

/// What the last key of a token is there as: a secret to append with, or a signature that closes it.
pub(crate) enum Tail {
    Secret([u8; 32]),
    Seal(Signature),
}

/// A block's bytes and who answers for them.
#[derive(Clone)]
pub(crate) struct Signed<'a> {
    pub(crate) block: &'a [u8],
    pub(crate) next_key: PublicKey,
    pub(crate) signature: Signature,
    pub(crate) third_party: Option<(PublicKey, Signature)>,
    /// The form of the signed payload; version 1 covers the signature before it too.
    pub(crate) version: u32,
}

/// A token as it travels.
pub(crate) struct Envelope<'a> {
    pub(crate) key_id: Option<u32>,
    pub(crate) authority: Signed<'a>,
    pub(crate) later: Vec<Signed<'a>>,
    pub(crate) tail: Tail,
}

impl<'a> Envelope<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Envelope<'a>, Flaw> {
        let mut fields = Fields::of(bytes);
        let (mut key_id, mut authority, mut later) = (None, None, Vec::new());
        while let Some((field, value)) = fields.next()? {
            match (field, &authority) {
                (1, None) if key_id.is_none() => key_id = Some(number_u32(value)?),
                (2, None) => authority = Some(Signed::read(value.bytes()?)?),
                (3, Some(_)) if later.len() + 1 < limits::BLOCKS_MAX => {
                    later.push(Signed::read(value.bytes()?)?);
                }
                (3, Some(_)) => return Err(Flaw::Blocks),
                (4, Some(_)) => {
                    fields.end()?;
                    let tail = Tail::read(value.bytes()?)?;
                    let authority = authority.ok_or(Flaw::Protobuf)?;
                    return Ok(Envelope { key_id, authority, later, tail });
                }
                _ => return Err(Flaw::Protobuf),
            }
        }
        Err(Flaw::Protobuf)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut token = Writer::with_capacity(1024);
        if let Some(key_id) = self.key_id {
            token.number(1, key_id.into());
        }
        token.message(2, |w| self.authority.write(w));
        for signed in &self.later {
            token.message(3, |w| signed.write(w));
        }
        token.message(4, |w| match &self.tail {
            Tail::Secret(seed) => w.bytes(1, seed),
            Tail::Seal(signature) => w.bytes(2, signature),
        });
        token.done()
    }

    /// The block that the proof belongs to.
    pub(crate) fn last(&self) -> &Signed<'a> {
        self.later.last().unwrap_or(&self.authority)
    }
}

impl Tail {
    fn read(message: &[u8]) -> Result<Tail, Flaw> {
        let mut fields = Fields::of(message);
        let tail = match fields.next()? {
            Some((1, value)) => Tail::Secret(value.array()?),
            Some((2, value)) => Tail::Seal(value.array()?),
            _ => return Err(Flaw::Protobuf),
        };
        fields.end()?;
        Ok(tail)
    }
}

impl<'a> Signed<'a> {
    fn read(message: &'a [u8]) -> Result<Signed<'a>, Flaw> {
        let mut fields = Fields::of(message);
        let block = fields.required(1)?.bytes()?;
        let next_key = read_key(fields.required(2)?.bytes()?)?;
        let signature = read_signature(fields.required(3)?)?;
        let (mut third_party, mut version) = (None, 0);
        while let Some((field, value)) = fields.next()? {
            match field {
                4 if third_party.is_none() => third_party = Some(read_third(value.bytes()?)?),
                // Version 0 is said by saying nothing.
                5 if version == 0 && value.number()? == 1 => version = 1,
                _ => return Err(Flaw::Protobuf),
            }
        }
        Ok(Signed { block, next_key, signature, third_party, version })
    }

    fn write(&self, w: &mut Writer) {
        w.bytes(1, self.block);
        w.message(2, |w| write_key(w, &self.next_key));
        w.bytes(3, &self.signature);
        if let Some((key, signature)) = &self.third_party {
            w.message(4, |w| {
                w.bytes(1, signature);
                w.message(2, |w| write_key(w, key));
            });
        }
        if self.version > 0 {
            w.number(5, self.version.into());
        }
    }
}

fn read_third(message: &[u8]) -> Result<(PublicKey, Signature), Flaw> {
    let mut fields = Fields::of(message);
    let signature = read_signature(fields.required(1)?)?;
    let key = read_key(fields.required(2)?.bytes()?)?;
    fields.end()?;
    Ok((key, signature))
}

pub(super) fn read_key(message: &[u8]) -> Result<PublicKey, Flaw> {
    let mut fields = Fields::of(message);
    if fields.required(1)?.number()? != 0 {
        return Err(Flaw::Algorithm);
    }
    let bytes = fields.required(2)?.bytes()?;
    fields.end()?;
    PublicKey::from_bytes(bytes.try_into().or(Err(Flaw::Algorithm))?).or(Err(Flaw::SmallOrder))
}

pub(super) fn write_key(w: &mut Writer, key: &PublicKey) {
    w.number(1, 0);
    w.bytes(2, key.as_bytes());
}

fn read_signature(value: Value<'_>) -> Result<Signature, Flaw> {
    value.bytes()?.try_into().or(Err(Flaw::Algorithm))
}

pub(super) fn number_u32(value: Value<'_>) -> Result<u32, Flaw> {
    u32::try_from(value.number()?).or(Err(Flaw::Protobuf))
}

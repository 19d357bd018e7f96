// A holder's proof, made from its description alone.
//
//   Farebox-Proof: <key>.<unix seconds>.<signature>
//
// Each in base64url. The signature, Ed25519, is over
//
//   "farebox-proof/1\0"  length(audience)  audience  last signature  request digest  unix seconds
//
// and the request digest is the SHA-256 of
//
//   "farebox-request/1\0"  length(action)  action  length(resource)  resource  length(audience)  audience
//   SHA-256 of the parameters  length(bounds)  bounds
//
// where lengths and seconds are 8 bytes, the most significant first, and a proof's request has no bounds.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

const PKCS8 = "302e020100300506032b657004220420";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

function number(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const counted = (text) => [number(Buffer.byteLength(text)), Buffer.from(text)];

/// RFC 8785: JavaScript's own numbers and strings, and members in the order of their UTF-16 code units.
function canonical(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

export function requestDigest({ audience, action, resource, params, params_sha256: digest }) {
  return sha256(
    Buffer.concat([
      Buffer.from("farebox-request/1\0"),
      ...counted(action),
      ...counted(resource),
      ...counted(audience),
      digest === undefined ? sha256(canonical(params)) : Buffer.from(digest, "hex"),
      number(0),
    ]),
  );
}

/// The fields of a protobuf message, as many of its kinds as a token has.
function* fields(message) {
  let at = 0;
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = message[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) === 2) {
      yield [tag >> 3, message.subarray(at, at + value)];
      at += value;
    } else {
      yield [tag >> 3, value];
    }
  }
}

/// The signature of the token's last block: field 3 of the last of its fields 2 and 3.
function lastSignature(token) {
  const blocks = [...fields(Buffer.from(token, "base64url"))].filter(([field]) => field === 2 || field === 3);
  return [...fields(blocks.at(-1)[1])].find(([field]) => field === 3)[1];
}

/// The header's value for this token and request, by the holder of this seed.
export function prove(token, request, seed, seconds) {
  const der = Buffer.from(PKCS8 + seed, "hex");
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const key = createPublicKey(secret).export({ format: "jwk" }).x;
  const message = Buffer.concat([
    Buffer.from("farebox-proof/1\0"),
    ...counted(request.audience),
    lastSignature(token),
    requestDigest(request),
    number(seconds),
  ]);
  return `${key}.${seconds}.${sign(null, message, secret).toString("base64url")}`;
}

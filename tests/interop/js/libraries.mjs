// Two versions of one library, which differ in their calls and in their Datalog, behind one face.
//
//   read(token, keys)        → a token, or an error
//   authorize(token, facts)  → whether a plain authorizer takes it
//   append(token, code)      → a narrower token
//   say(token, code, seed)   → a token with a third party's block
//   text(token)              → base64url without padding
//
// `unread` and `believed` name the vectors of which a version is known to say another thing than the file,
// and hold it to that. Both may only shrink.

import * as older from "biscuit-wasm-0.5.0";
import * as newer from "biscuit-wasm-0.6.0";

const LIMITS = { max_facts: 100_000, max_iterations: 100, max_time_micro: 10_000_000 };
// Rules run under the library's own limit of 1 ms whatever it is told, and a busy machine takes longer.
const TRIES = 50;

/// The number of the key that signed, field 1 of the token; the older version asks for a key at once.
function keyId(token) {
  const bytes = Buffer.from(token, "base64url");
  return bytes[0] === 0x08 ? bytes[1] : undefined;
}

/// Whether `run` authorizes; what else it may say than yes and no is an error.
function decide(run) {
  for (let tried = 1; ; tried += 1) {
    try {
      run();
      return true;
    } catch (error) {
      if (error?.FailedLogic) return false;
      if (error?.RunLimit !== "Timeout" || tried === TRIES) throw error;
    }
  }
}

const unpadded = (token) => token.toBase64().replace(/=+$/, "");

function block(library, code) {
  const builder = library.Biscuit.block_builder();
  builder.addCode(code);
  return builder;
}

/// What the two have in common; `key` and `secret` make keys of hexadecimal text and of bytes.
function shared(library, key, secret, dialect) {
  return {
    read(token, keys) {
      const hex = keys.get(keyId(token));
      if (hex === undefined) throw new Error("unknown key");
      return library.Biscuit.fromBase64(token, key(hex));
    },
    append: (token, code) => token.appendBlock(block(library, dialect(code))),
    say(token, code, seed) {
      const signer = secret(seed);
      const said = token.getThirdPartyRequest().createBlock(signer, block(library, dialect(code)));
      return token.appendThirdPartyBlock(library.KeyPair.fromPrivateKey(signer).getPublicKey(), said);
    },
    text: unpadded,
  };
}

// Datalog 3.2: sets stand in brackets, and `==` is the strict comparison that later versions write `===`.
const old = (code) => code.replace("===", "==").replace(/\{("[^}]*")\}/, "[$1]");

export const libraries = [
  {
    name: "biscuit-wasm 0.5.0",
    lenientEqual: false,
    // It signs and reads third parties' blocks in a form that was found unsafe and that all others left.
    thirdParties: false,
    unread: [
      "third-party",
      "third-party-after-a-holder",
      "third-party-and-two-holder-blocks",
      "sealed-with-blocks",
    ],
    // It skips the field that says in which form a block is signed, and these are signed in the first.
    believed: ["signature-version-raised"],
    ...shared(older, older.PublicKey.fromString, older.PrivateKey.fromBytes, old),
    authorize(token, facts) {
      return decide(() => {
        const authorizer = new older.Authorizer();
        authorizer.addCode(facts.map((fact) => `${old(fact)};`).join("") + "allow if true;");
        authorizer.addToken(token);
        authorizer.authorizeWithLimits(LIMITS);
      });
    },
  },
  {
    name: "biscuit-wasm 0.6.0",
    lenientEqual: true,
    thirdParties: true,
    unread: [],
    believed: [],
    ...shared(
      newer,
      (hex) => newer.PublicKey.fromString(hex, newer.SignatureAlgorithm.Ed25519),
      (seed) => newer.PrivateKey.fromBytes(seed, newer.SignatureAlgorithm.Ed25519),
      (code) => code,
    ),
    authorize(token, facts) {
      return decide(() => {
        const builder = new newer.AuthorizerBuilder();
        builder.addCode(facts.map((fact) => `${fact};`).join("") + "allow if true;");
        builder.buildAuthenticated(token).authorizeWithLimits(LIMITS);
      });
    },
  },
];

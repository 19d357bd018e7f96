// biscuit-wasm reads farebox's token vectors, and narrows tokens for farebox to read.
//
// usage: node --experimental-wasm-modules check.mjs VECTORS APPENDED OUT
//
// VECTORS is tests/vectors/farebox-1.json, APPENDED says what to append, and OUT gets one JSON line for each
// request that a token narrowed here is to be presented with. The last line printed is `PASSED FAILED`.

import { readFileSync, writeFileSync } from "node:fs";

import { libraries } from "./libraries.mjs";
import { prove } from "./proof.mjs";

// What a verifier is set up to take is no Datalog, so that a stranger's verifier takes it.
const BEYOND_DATALOG = ["stores"];
// Whoever reads such tokens believes a signature that nobody made.
const UNSIGNED = ["signature", "proof"];

let [passed, failed] = [0, 0];

function check(held, what) {
  if (held) {
    passed += 1;
  } else {
    failed += 1;
    console.error(what);
  }
}

function attempt(call) {
  try {
    return call();
  } catch {
    // Whatever it throws, it did not take the token.
    return undefined;
  }
}

function trusted(vector) {
  const keys = vector.issuer_keys.filter((key) => key.state === "trusted");
  return new Map(keys.map((key) => [key.id, key.hex]));
}

/// The fact with another hexadecimal value.
const flipped = (fact) => fact.replace(/hex:(.)/, (_, digit) => `hex:${(parseInt(digit, 16) ^ 1).toString(16)}`);

/// The fact with each of its values changed in turn, or both ways where either must be refused.
function changed(fact) {
  switch (fact.split("(")[0]) {
    case "time":
      return [["time(2000-01-01T00:00:00Z)"], ["time(9000-01-01T00:00:00Z)"]];
    case "request":
      return fact
        .match(/"[^"]*"/g)
        .map((text) => [fact.replace(text, `${text.slice(0, -1)}.other"`)])
        .concat([[flipped(fact)]]);
    case "once":
    case "fresh":
    case "proved":
      return [[flipped(fact)]];
    case "int": {
      const extremes = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
      return [extremes.map((value) => fact.replace(/-?\d+\)$/, `${value})`))];
    }
    case "text":
      return [[fact.replace(', "', ', "~')]];
    case "output_max":
      return [1, -1].map((by) => [fact.replace(/(\d+)\)$/, (_, max) => `${Number(max) + by})`)]);
    case "output_one_of":
      return [[fact.replace("{", '{"more", ')]];
    default:
      throw new Error(`no change is known of ${fact}`);
  }
}

function checkVerified(library, vector) {
  const name = `${library.name}: ${vector.name}`;
  const token = attempt(() => library.read(vector.token, trusted(vector)));
  const unread = library.unread.includes(vector.name);
  check((token === undefined) === unread, `${name}: ${unread ? "is read" : "cannot be read"}`);
  if (token === undefined) return;
  const takes = (facts) => library.authorize(token, facts);
  check(takes(vector.facts), `${name} is refused`);
  for (const fact of vector.facts) {
    const others = vector.facts.filter((other) => other !== fact);
    const needed = vector.needs.includes(fact);
    check(takes(others) !== needed, `${name} without ${fact}: needed is ${needed}`);
    for (const either of needed ? changed(fact) : []) {
      if (either.includes(fact)) throw new Error(`nothing is changed of ${fact}`);
      check(either.some((change) => !takes([...others, change])), `${name} is accepted with ${either}`);
    }
  }
}

function checkRefused(library, vector) {
  const name = `${library.name}: ${vector.name}`;
  const token = attempt(() => library.read(vector.token, trusted(vector)));
  if (UNSIGNED.includes(vector.flaw)) {
    const believed = library.believed.includes(vector.name);
    check((token === undefined) !== believed, `${name}: ${believed ? "is not read" : "is read"}`);
  } else if (!BEYOND_DATALOG.includes(vector.flaw) && vector.facts.length > 0) {
    check(token === undefined || !library.authorize(token, vector.facts), `${name} is accepted`);
  }
}

/// A proof made here is, byte for byte, the one in the file: its format is this program's too.
function checkProofs(vector, keys) {
  for (const proof of vector.request.proofs) {
    const [key, at] = proof.split(".");
    const { seed } = keys.find(({ public: hex }) => hex === Buffer.from(key, "base64url").toString("hex"));
    const made = prove(vector.token, vector.request, seed, Number(at));
    check(made === proof, `${vector.name}: another proof is made here`);
  }
}

const seedOf = (keys, name) => keys.find((key) => key.name === name).seed;

/// The lines of the tokens that `library` narrows as `appended` says.
function append(library, { cases, keys }, appended) {
  const worker = keys.find((key) => key.name === "worker").public;
  const able = ({ where, third_party: said }) =>
    (where === undefined || library.lenientEqual) && (said === undefined || library.thirdParties);
  return appended.filter(able).flatMap(({ name, on, third_party: said, blocks, presented }) => {
    const vector = cases.find((one) => one.name === on);
    let token = library.read(vector.token, trusted(vector));
    if (said) {
      token = library.say(token, said.code, Buffer.from(seedOf(keys, said.by), "hex"));
    }
    for (const code of blocks) {
      token = library.append(token, code.replace("WORKER", worker));
    }
    const line = { library: library.name, name, on, token: library.text(token) };
    return presented.map((one) => `${JSON.stringify({ ...line, presented: one })}\n`);
  });
}

const [vectorsPath, appendedPath, outPath] = process.argv.slice(2);
const vectors = JSON.parse(readFileSync(vectorsPath, "utf8"));
const appended = JSON.parse(readFileSync(appendedPath, "utf8"));
const lines = [];
for (const library of libraries) {
  for (const vector of vectors.cases) {
    const checked = vector.result === "verified" ? checkVerified : checkRefused;
    checked(library, vector);
  }
  lines.push(...append(library, vectors, appended));
}
const proved = ["verified", "expired", "wrong-params"];
vectors.cases
  .filter(({ result }) => proved.includes(result))
  .forEach((vector) => checkProofs(vector, vectors.keys));
writeFileSync(outPath, lines.join(""));
console.log(`${passed} ${failed}`);

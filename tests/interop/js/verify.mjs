// What other libraries appended, verified by farebox's own command line, which asks the engine too.
//
// usage: node verify.mjs FAREBOX VECTORS LINES…
//
// FAREBOX is the binary, and each of LINES a file that check.py or check.mjs wrote. The last line printed
// is `PASSED FAILED`.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { prove } from "./proof.mjs";

const [farebox, vectorsPath, ...linesPaths] = process.argv.slice(2);
const vectors = JSON.parse(readFileSync(vectorsPath, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "farebox-interop-"));

/// A folder of keys with those that the vector's verifier trusts.
function keysOf(vector) {
  const keys = join(folder, vector.name);
  mkdirSync(join(keys, "issuers"), { recursive: true });
  for (const { id, hex } of vector.issuer_keys.filter(({ state }) => state === "trusted")) {
    writeFileSync(join(keys, "issuers", `${id}.hex`), hex);
  }
  return keys;
}

/// What the command line says: `verified` or a code, and whether the engine said the same.
function verify(line) {
  const vector = vectors.cases.find(({ name }) => name === line.on);
  const { now = vector.now, prove: provers = [], expect, ...changes } = line.presented;
  const request = { ...vector.request, ...changes };
  const seconds = Date.parse(now) / 1000;
  const proofs = provers.map((name) => {
    const { seed } = vectors.keys.find((key) => key.name === name);
    return prove(line.token, request, seed, seconds);
  });
  const run = spawnSync(
    farebox,
    [
      ...["--json", "token", "verify", "--engine", "--keys", keysOf(vector), "--at", now],
      ...["--audience", request.audience, "--action", request.action, "--resource", request.resource],
      ...["--params", JSON.stringify(request.params)],
      ...(request.outputs === "enforced" ? ["--output-enforced"] : []),
      ...proofs.flatMap((proof) => ["--proof", proof]),
    ],
    { input: line.token, encoding: "utf8", env: {} },
  );
  if (run.error) throw run.error;
  const { verified, code, agreed } = JSON.parse(run.stdout || run.stderr);
  // What is no token of the layout is not shown to the engine, which speaks more than the layout does.
  return { said: verified ? "verified" : code, agreed: agreed ?? code === "bad-token" };
}

let [passed, failed] = [0, 0];
for (const path of linesPaths) {
  for (const text of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
    const line = JSON.parse(text);
    const { said, agreed } = verify(line);
    if (said === line.presented.expect && agreed) {
      passed += 1;
    } else {
      failed += 1;
      const engine = agreed ? "" : ", and the engine another thing";
      console.error(`${line.library}: ${line.name}, ${JSON.stringify(line.presented)}: farebox says ${said}${engine}`);
    }
  }
}
rmSync(folder, { recursive: true });
console.log(`${passed} ${failed}`);

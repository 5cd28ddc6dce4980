/** What can be tried without an editor. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { Crashes } from "../src/server/crashes";
import { whyPipFailed } from "../src/server/pip";
import { inPath } from "../src/server/programs";
import { isOlder } from "../src/server/versions";

const MINUTE = 60_000;

function restarts(...minutes: number[]): boolean[] {
  let now = 0;
  const crashes = new Crashes(() => now);
  return minutes.map((minute) => {
    now = minute * MINUTE;
    return crashes.add();
  });
}

void test("a server that ends again and again is left alone", () => {
  assert.deepEqual(restarts(0, 0.1, 0.2), [true, true, false]);
});

void test("a server that ends every minute is left alone, too", () => {
  assert.deepEqual(restarts(1, 2, 3), [true, true, false]);
});

void test("a server that ends now and then comes back each time", () => {
  assert.deepEqual(restarts(0, 10, 20, 30, 40), [true, true, true, true, true]);
});

void test("what was before the user started it does not count", () => {
  const crashes = new Crashes(() => 0);
  crashes.add();
  crashes.add();
  crashes.forget();
  assert.equal(crashes.add(), true);
});

void test("versions are compared by their numbers", () => {
  assert.equal(isOlder("0.9", "0.10"), true);
  assert.equal(isOlder("0.10.0rc1", "0.10"), false);
  assert.equal(isOlder("1.0", "0.10"), false);
  assert.equal(isOlder("nonsense", "0.1"), true);
});

void test("a missing network is told from whatever else pip complains of", () => {
  const network = "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection'";
  const missing = "ERROR: No matching distribution found for pygls==2.1.1";
  assert.match(whyPipFailed(`${network}\n${missing}`), /index cannot be reached/);
  assert.match(whyPipFailed(missing), /No matching distribution found for pygls==2\.1\.1/);
  assert.match(whyPipFailed(""), /pip could not install its server\. The log/);
});

void test("programs are never taken from a workspace, and never from relative folders", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "pennyproof 中文 '\"-"));
  const [inside, outside] = [path.join(root, "workspace", "bin"), path.join(root, "machine")];
  for (const folder of [inside, outside]) {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "python3"), "");
    await chmod(path.join(folder, "python3"), 0o755);
  }
  const searched = ["bin", inside, outside].join(path.delimiter);
  assert.equal(await inPath("python3", [path.join(root, "workspace")], searched), path.join(outside, "python3"));
  assert.equal(await inPath("python3", [], searched), path.join(inside, "python3"));
  assert.equal(await inPath("python9", [], searched), undefined);
});

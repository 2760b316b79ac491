// Crash-tests the packages and writes docs/CRASH-TESTS.md, with a case for each loss: node examples/crash-test/run.mjs
// Needs `npm run build`. With names of folders as arguments it tests only these and writes nothing.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { SUBJECTS } from "./packages.mjs";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist/src/cli/main.js");
const FINDINGS = 2;

const only = process.argv.slice(2);
const rows = [];
for (const subject of SUBJECTS) {
  if (only.length > 0 && !only.includes(subject.folder)) continue;
  const folder = join(import.meta.dirname, subject.folder);
  if (only.length === 0) rmSync(join(folder, "cases"), { recursive: true, force: true });
  const row = {
    subject,
    version: subject.npm === undefined ? "" : versionOf(subject.npm),
    kill: crashTest(folder, "process-kill", {}),
    power: crashTest(folder, "power-loss", {}),
    journal: crashTest(folder, "power-loss", {}, "journal-ordered"),
    beyond: subject.beyond === undefined ? null : crashTest(folder, "power-loss", { CRASH_TEST_BEYOND: "1" }),
  };
  rows.push(row);
  console.log(
    `${subject.folder}: kill ${summary(row.kill)}, power ${summary(row.power)}, ext4 ${summary(row.journal)}${row.beyond === null ? "" : `, beyond ${summary(row.beyond)}`}`,
  );
}
if (only.length === 0) {
  writeFileSync(join(ROOT, "docs/CRASH-TESTS.md"), page(rows));
  // Cases are sources of this repository, and formatted like them.
  spawnSync("npx", ["biome", "check", "--write", "examples/crash-test"], { cwd: ROOT, stdio: "inherit" });
}

function crashTest(folder, crash, environment, personality = "posix-strict") {
  const work = mkdtempSync(join(tmpdir(), "stillwater-crash-test-"));
  const report = join(work, "report.json");
  const saves = Object.keys(environment).length === 0 && only.length === 0 && personality === "posix-strict";
  const parameters = [
    "--check",
    "check.mjs",
    "--mount",
    "/data",
    "--crash",
    crash,
    "--findings",
    String(FINDINGS),
    "--report",
    report,
  ];
  parameters.push("--personality", personality);
  if (saves) parameters.push("--save", join(folder, "cases", crash));
  const { status, stderr } = spawnSync(
    process.execPath,
    [CLI, "sim", "exec", ...parameters, "--", "program.mjs"],
    {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, ...environment },
    },
  );
  if (status !== 0 && status !== 129) throw new Error(`${folder} ${crash}: ${stderr}`);
  const result = JSON.parse(readFileSync(report, "utf8"));
  rmSync(work, { recursive: true });
  return result;
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")).version;
}

function summary({ checked, failed }) {
  return failed === 0 ? `holds in ${checked} states` : `fails in ${failed} of ${checked} states`;
}

function page(all) {
  const lines = [
    "# Crash tests of packages",
    "",
    "Written by `node examples/crash-test/run.mjs`: each program in `examples/crash-test/*/program.mjs` runs once on a simulated disk",
    "and is crashed at every step ([how](SIMULATION.md#crash-testing-any-program)); `check.mjs` beside it judges what is left, by the",
    "package's own words only. “Power loss” is the weakest that POSIX allows (`posix-strict`): what was not synced may survive or",
    "not, each thing by itself. “On a journal” is a file system like ext4 with `data=ordered` (`journal-ordered`), without its",
    "extra care for renames (`auto_da_alloc`): names survive in order, and no size before its bytes. A package that promises",
    "atomic writes and says nothing of the power is not wrong when it does not survive its loss; what happens then is worth",
    "knowing all the same.",
    "",
    "| package | version | promises | process kill | power loss | on a journal | what is lost |",
    "|---|---|---|---|---|---|---|",
    ...all.map(rowOf),
    "",
    "“holds”: in every crash state that was checked. “open”: the promise names no kind of crash.",
    "",
    "## Beyond the promise",
    "",
    "What nobody promised, checked against a power loss:",
    "",
    "| package | what | result |",
    "|---|---|---|",
    ...all.filter(({ beyond }) => beyond !== null).map(beyondOf),
    "",
    "## Findings",
    "",
    ...all.flatMap(findingsOf),
  ];
  return `${lines.join("\n")}\n`;
}

function rowOf({ subject, version, kill, power, journal }) {
  const name = subject.npm === undefined ? subject.title : `\`${subject.npm}\``;
  const covered = { yes: "", open: " (open)", no: "" }[subject.powerLoss];
  const onPower = subject.powerLoss === "no" ? "not promised" : `${summary(power)}${covered}`;
  const onJournal = subject.powerLoss === "no" ? "not promised" : summary(journal);
  const lost = [...kill.findings, ...(subject.powerLoss === "no" ? [] : power.findings)].map(lossOf);
  return `| ${name} | ${version} | ${subject.promise} | ${summary(kill)} | ${onPower} | ${onJournal} | ${lost[0] ?? "nothing"} |`;
}

function beyondOf({ subject, beyond }) {
  const loss = beyond.findings.length === 0 ? "" : `: ${lossOf(beyond.findings[0])}`;
  return `| \`${subject.npm}\` | ${subject.beyond} | ${summary(beyond)}${loss} |`;
}

function lossOf({ crash, after, lost }) {
  const moment = `after step ${after?.step ?? 0} (\`${after?.call} ${after?.path}\`)`;
  if (crash === "process-kill" || lost.length === 0) return `killed ${moment}`;
  return `${lost.map(({ what, fate }) => `${what}: ${fate}`).join("; ")}, ${moment}`;
}

function findingsOf({ subject, kill, power }) {
  const findings = [
    ...kill.findings.map((one, at) => [kill, one, at]),
    ...power.findings.map((one, at) => [power, one, at]),
  ];
  if (findings.length === 0) return [];
  return [
    `### ${subject.npm ?? subject.title}`,
    "",
    ...findings.flatMap(([result, finding, at]) => [
      `- ${finding.cause} The check says: \`${printable(finding.message)}\`.`,
      `  Case: [${caseOf(result, at)}](../${caseOf(result, at)})`,
    ]),
    "",
  ];
}

function caseOf(result, at) {
  return relative(ROOT, result.cases[at]);
}

function printable(text) {
  const plain = text.replaceAll(/\p{Cc}/gu, " ").replaceAll("`", "'");
  return plain.length > 120 ? `${plain.slice(0, 117)}...` : plain;
}

/**
 * O39. Verifies, from raw keys after every commit of the workload `migrations`: between stages the catalogue is that of the stored
 * schema, each index of it readable, and no progress of a call is kept; while a stage with own code is under way nobody else changes a
 * document, and that code raises each item once; when it is finished each item is raised exactly once. That nothing is left of the rows
 * of an index that was removed is O36, that new ones are whole O11. Does not verify: that migrations end (`Records.settle`).
 */
import { type Item, textOfDocument } from "../records/declarations.js";
import { cataloguesOf, raised, SCHEMAS, schemaNumber } from "../records/migrations.js";
import { parsed, type RawState, shown } from "../records/raw-state.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Of one state. */
export function checkSchema(ledger: OracleLedger, state: RawState, when: string): void {
  if (state.schemaVersion === null || state.migration !== null) return;
  ledger.count("O39");
  const { schemaVersion, collections, indexes, migrationCalls } = state;
  if (!SCHEMAS.some(({ version }) => version === schemaVersion))
    throw new OracleFailure("O39", `${when}: the store has schema ${schemaVersion}, which nobody declares`);
  const found = namesOf([...collections, ...indexes].map(({ name }) => name));
  if (!cataloguesOf(schemaNumber(schemaVersion)).some((names) => namesOf(names) === found))
    throw new OracleFailure("O39", `${when}: under schema ${schemaVersion} there are ${found}`);
  const unbuilt = indexes.find((index) => index.state !== "readable");
  if (unbuilt !== undefined)
    throw new OracleFailure(
      "O39",
      `${when}: "${unbuilt.name}" is ${unbuilt.state}, with schema ${schemaVersion}`,
    );
  if (migrationCalls > 0)
    throw new OracleFailure(
      "O39",
      `${when}: ${migrationCalls} calls of a migration are kept, which is finished`,
    );
}

/** Of one commit. */
export function checkMigrated(ledger: OracleLedger, before: RawState, after: RawState, when: string): void {
  if (before.migration?.isExclusive !== true) return;
  ledger.count("O39");
  const { step, to } = before.migration;
  for (const { id, name } of after.collections) {
    const [old, fresh] = [before.itemsOf(id), after.itemsOf(id)];
    for (const packedId of new Set([...old.keys(), ...fresh.keys()])) {
      const [was, is] = [old.get(packedId)?.text ?? null, fresh.get(packedId)?.text ?? null];
      if (was === is) continue;
      const item = was === null ? null : (parsed(was) as Item);
      const mayBe = name === "Item" && step === "didMigrate" && item !== null && item.raised === undefined;
      if (mayBe && is !== null && is === textOfDocument(raised(item))) continue;
      const what = `${was ?? "nothing"} under ${shown(packedId)} of "${name}" becomes ${is ?? "nothing"}`;
      throw new OracleFailure("O39", `${when}, in ${step} of the migration to ${to}: ${what}`);
    }
  }
  if (after.migration === null) checkAllRaised(after, when);
}

function checkAllRaised(state: RawState, when: string): void {
  const id = state.collection("Item")?.id ?? -1;
  for (const { packedId, text } of state.itemsOf(id).values()) {
    const times = (parsed(text) as Item).raised ?? 0;
    if (times !== 1)
      throw new OracleFailure(
        "O39",
        `${when}: the migration is finished and raised ${shown(packedId)} ${times} times`,
      );
  }
}

function namesOf(names: readonly string[]): string {
  return [...names].sort().join(", ");
}

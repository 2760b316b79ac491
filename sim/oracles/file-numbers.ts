/**
 * O7, of files. Verifies: from one opening of the store to the next no two log segments, tables or manifests are created
 * under one number, whatever has become of the earlier one.
 * Does not verify: numbers over openings, where one may come again if nothing that bore it has survived.
 * Also knows, for O9, which tables an opening has begun and not removed.
 */
import { parseFileName } from "../../src/engine/files.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

const NUMBERED = ["wal", "table", "manifest"];

export class FileNumbers {
  /** Null while no store is open or being opened: what comes to be then is not the engine's. */
  #taken: Map<number, string> | null = null;
  #makesManifests = false;
  readonly #removed = new Set<string>();

  newLife(): void {
    this.#taken = null;
    this.#makesManifests = false;
  }

  /** Whether a manifest has been created in this life. */
  get makesManifests(): boolean {
    return this.#makesManifests;
  }

  /** A store is about to be opened: numbers go on above what is in the directory then. */
  opening(): void {
    this.#taken = new Map();
    this.#removed.clear();
  }

  /** Tables that this opening has begun and not asked to remove; none once it has begun a manifest, which may name them. */
  get tablesKept(): readonly string[] {
    const names = [...(this.#taken?.values() ?? [])];
    if (names.some((name) => parseFileName(name).kind === "manifest")) return [];
    return names.filter((name) => parseFileName(name).kind === "table" && !this.#removed.has(name));
  }

  /** Whether or not the disk does it, the engine has tried. */
  removing(name: string): void {
    this.#removed.add(name);
  }

  /** Whether or not the file comes to be, its number is taken. */
  creating(ledger: OracleLedger, name: string): void {
    const { kind, number } = parseFileName(name);
    if (this.#taken === null || !NUMBERED.includes(kind)) return;
    ledger.count("O7");
    if (kind === "manifest") this.#makesManifests = true;
    const former = this.#taken.get(number);
    if (former !== undefined) {
      throw new OracleFailure("O7", `${name} is created under the number that ${former} was given`);
    }
    this.#taken.set(number, name);
  }
}

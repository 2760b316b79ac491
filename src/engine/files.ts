/**
 * Names of the files in a store directory, and back from names to meaning. Numbers come from one counter and are
 * never reused. Nothing here touches a disk.
 */
import { joinPath } from "../platform/path.js";

export const CURRENT_NAME = "CURRENT";
export const LOCK_NAME = "LOCK";
export const QUARANTINE_NAME = "quarantine";

export type FileKind =
  | "current"
  | "lock"
  | "quarantine"
  | "manifest"
  | "wal"
  | "table"
  | "temporary"
  | "unknown";

export interface FileName {
  readonly kind: FileKind;
  /** 0 where the kind carries no number. */
  readonly number: number;
}

export function tableName(fileNumber: number): string {
  return `${digits(fileNumber)}.sst`;
}

export function walName(fileNumber: number): string {
  return `${digits(fileNumber)}.wal`;
}

export function manifestName(fileNumber: number): string {
  return `MANIFEST-${digits(fileNumber)}`;
}

export function temporaryName(fileNumber: number): string {
  return `${digits(fileNumber)}.tmp`;
}

export function tablePath(directory: string, fileNumber: number): string {
  return joinPath(directory, tableName(fileNumber));
}

export function walPath(directory: string, fileNumber: number): string {
  return joinPath(directory, walName(fileNumber));
}

export function parseFileName(name: string): FileName {
  if (name === CURRENT_NAME) return { kind: "current", number: 0 };
  // Where the kernel has no lock to offer, each contender leaves a note of its own (`platform/node/claim-lock.ts`).
  if (name === LOCK_NAME || name.startsWith(`${LOCK_NAME}.`)) return { kind: "lock", number: 0 };
  if (name === QUARANTINE_NAME) return { kind: "quarantine", number: 0 };
  const manifest = /^MANIFEST-(\d{6,15})$/.exec(name);
  if (manifest !== null) return { kind: "manifest", number: Number(manifest[1]) };
  const numbered = /^(\d{6,15})\.(wal|sst|tmp)$/.exec(name);
  if (numbered === null) return { kind: "unknown", number: 0 };
  const number = Number(numbered[1]);
  if (numbered[2] === "wal") return { kind: "wal", number };
  return { kind: numbered[2] === "sst" ? "table" : "temporary", number };
}

function digits(fileNumber: number): string {
  return String(fileNumber).padStart(6, "0");
}

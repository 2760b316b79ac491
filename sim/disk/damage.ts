/**
 * Faults of class D: those that cost what a single node cannot restore. Each that strikes is recorded, so that an oracle
 * can demand that it is detected, and that nothing is refused without one. Does not own: the faults.
 */

export const DAMAGE_KINDS = [
  /** S14, S15: on the medium. */
  "latent-sector",
  "bit-rot",
  /** S16, S19: in the answer to one read. */
  "wrong-read",
  "misdirected-read",
  /** S17, S18, S20: written wrong, elsewhere, or not at all. */
  "wrong-write",
  "misdirected-write",
  "lost-write",
  /** S10: a name is gone, and with it the file that had it. */
  "split-rename",
  /** S22, B1: a sync that succeeded has made nothing durable. */
  "sync-lied",
] as const;

export type DamageKind = (typeof DAMAGE_KINDS)[number];

export interface DamageRecord {
  readonly kind: DamageKind;
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

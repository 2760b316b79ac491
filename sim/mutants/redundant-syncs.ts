/**
 * Automatic mutants that no oracle can kill, each with the reason why it breaks no promise. The advisor found them; a
 * sync of which a proof says that it may go altogether is taken out of the engine rather than listed here.
 */

const PROOFS: Readonly<Record<string, string>> = {};

/** The proof for an automatic mutant; null when there is none, so that it must be killed. */
export function redundancyOf(id: string): string | null {
  return Object.hasOwn(PROOFS, id) ? (PROOFS[id] as string) : null;
}

export const REDUNDANCY_PROOFS: readonly (readonly [id: string, proof: string])[] = Object.entries(PROOFS);

/**
 * Automatic mutants that no oracle can kill, each with the reason why it breaks no promise. The advisor found them; a
 * sync of which a proof says that it may go altogether is taken out of the engine rather than listed here.
 */

const BEFORE_REFERENCE =
  "it is done when the next sync is called, and that one comes before anything refers to what both cover";
const SYNCED_AGAIN =
  "a checkpoint's directory is synced once more, with everything in it, before it gets its name";
const DONE_AGAIN =
  "a move into the quarantine that a power loss undoes is found and done again by the next open; a rename is done or not, so nothing is lost by that";

const PROOFS: Readonly<Record<string, string>> = {
  "swap:parent@store:open": BEFORE_REFERENCE,
  "swap:parent@recovery:createStore": BEFORE_REFERENCE,
  "swap:manifest@manifest/manifest-log:create": BEFORE_REFERENCE,
  "swap:directory@manifest/manifest-log:create": BEFORE_REFERENCE,
  "swap:table@partial-directory:copyFile": BEFORE_REFERENCE,
  "swap:manifest@partial-directory:copyFile": BEFORE_REFERENCE,
  "swap:current@partial-directory:copyFile": BEFORE_REFERENCE,
  "drop:partial@manifest/manifest-log:create": SYNCED_AGAIN,
  "swap:partial@manifest/manifest-log:create": SYNCED_AGAIN,
  "drop:partial@manifest/current:replaceCurrent": SYNCED_AGAIN,
  "swap:partial@manifest/current:replaceCurrent": SYNCED_AGAIN,
  "swap:quarantine@tidying:putIntoQuarantine": DONE_AGAIN,
  "drop:directory@tidying:putIntoQuarantine": DONE_AGAIN,
  "swap:directory@tidying:putIntoQuarantine": DONE_AGAIN,
};

/** The proof for an automatic mutant; null when there is none, so that it must be killed. */
export function redundancyOf(id: string): string | null {
  return Object.hasOwn(PROOFS, id) ? (PROOFS[id] as string) : null;
}

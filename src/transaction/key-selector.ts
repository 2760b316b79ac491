/** Naming a key by where it stands among those that are there (FoundationDB's key selectors). */

/**
 * Begins at the last key before `key` (or at it, with `orEqual`) and goes `offset` keys up. So 1 with `orEqual` false is
 * the first key at or after `key`.
 */
export interface KeySelector {
  readonly key: Uint8Array;
  readonly orEqual: boolean;
  readonly offset: number;
}

export function lastLessThan(key: Uint8Array, offset = 0): KeySelector {
  return { key, orEqual: false, offset };
}

export function lastLessOrEqual(key: Uint8Array, offset = 0): KeySelector {
  return { key, orEqual: true, offset };
}

export function firstGreaterThan(key: Uint8Array, offset = 0): KeySelector {
  return { key, orEqual: true, offset: 1 + offset };
}

export function firstGreaterOrEqual(key: Uint8Array, offset = 0): KeySelector {
  return { key, orEqual: false, offset: 1 + offset };
}

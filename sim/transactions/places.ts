/** Where the workloads of transactions keep what they promise something about. */

export const RING = "ring/";
export const COUNTERS = "count/";
export const LOG = "log/";
export const ACCOUNTS = "bank/";
export const DUTY = "duty/";
export const FILED = "filed/";
export const LISTS = "list/";
/** Above the keys of all lists. */
export const LISTS_END = "list0";
/** At the end of a key: what lies before it is the prefix of a directory, and the value is its name. */
export const DIRECTORY_NAME = "!name";
/** Where the directory layer keeps its own keys. */
export const DIRECTORY_NODES = "\xfe";
/** Counters under idempotency keys. */
export const ONCE = "once/";
export const LAST_NUMBER = "last-number";

/** Digits of one element of a list. */
const ELEMENT_BYTES = 6;

export const FIRST_BALANCE = 100;
export const COUNTER_BYTES = 8;

export function nodeKey(node: number): string {
  return RING + padded(node);
}

export function counterKey(counter: number): string {
  return COUNTERS + padded(counter);
}

export function onceKey(counter: number): string {
  return ONCE + padded(counter);
}

export function logKey(counter: number, id: number): string {
  return `${LOG}${padded(counter)}/${String(id).padStart(6, "0")}`;
}

export function accountKey(account: number): string {
  return ACCOUNTS + padded(account);
}

export function dutyKey(pair: number, side: number): string {
  return `${DUTY}${padded(pair)}/${side}`;
}

export function listKey(list: number): string {
  return LISTS + padded(list);
}

/** `id` in so many digits. */
export function elementOf(id: number): string {
  return String(id).padStart(ELEMENT_BYTES, "0");
}

/** The elements of a list's value, in their order. */
export function elementsOf(value: string): string[] {
  const elements: string[] = [];
  for (let at = 0; at < value.length; at += ELEMENT_BYTES) elements.push(value.slice(at, at + ELEMENT_BYTES));
  return elements;
}

function padded(number: number): string {
  return String(number).padStart(4, "0");
}

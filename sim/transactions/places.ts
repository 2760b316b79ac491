/** Where the workloads of transactions keep what they promise something about. */

export const RING = "ring/";
export const COUNTERS = "count/";
export const LOG = "log/";
export const ACCOUNTS = "bank/";
export const DUTY = "duty/";
export const FILED = "filed/";
export const LAST_NUMBER = "last-number";

export const FIRST_BALANCE = 100;
export const COUNTER_BYTES = 8;

export function nodeKey(node: number): string {
  return RING + padded(node);
}

export function counterKey(counter: number): string {
  return COUNTERS + padded(counter);
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

function padded(number: number): string {
  return String(number).padStart(4, "0");
}

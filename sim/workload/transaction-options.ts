/** What the runs of transactions vary beside everything else: clients, and how long they think. */
import type { Draw } from "./draw.js";

export interface TransactionOptions {
  /** Transactions that may be under way while the workload goes on. */
  readonly clientsMax: number;
  /** Before each call that waits for an answer a client waits for a turn, or up to so long. */
  readonly thinkMsMax: number;
  /** How often it waits for longer than a read version is kept. */
  readonly longThinkProbability: number;
  /** As the option of transactions; 0 is never. */
  readonly timeoutMs: number;
  /** Size of what a workload works on: nodes, accounts, counters, keys. */
  readonly size: number;
  /** Watches: how often a client resets its transaction after the commit, which ends no watch. */
  readonly resetProbability: number;
}

/** One client that never waits. */
export const NO_TRANSACTIONS: TransactionOptions = {
  clientsMax: 1,
  thinkMsMax: 0,
  longThinkProbability: 0,
  timeoutMs: 0,
  size: 4,
  resetProbability: 0,
};

/** Share of seeds with clients that outlive what is remembered of others' writes. */
const SLOW_SEEDS = 0.15;
/** Those need time: lives that are long enough for old history to be forgotten. */
export const SLOW_LIFE_OPERATIONS = 200;

export function drawTransactions(draw: Draw): TransactionOptions {
  const drawn = {
    clientsMax: 2 + draw.upTo(6),
    thinkMsMax: draw.one([0, 0, 0.1, 1, 10]),
    timeoutMs: draw.one([0, 0, 5000, 50]),
    size: draw.one([4, 2, 3, 5, 8, 16]),
    resetProbability: draw.half() ? 0 : 0.5,
  };
  if (!draw.chance(SLOW_SEEDS)) return { ...drawn, longThinkProbability: 0 };
  return { ...drawn, clientsMax: 8, timeoutMs: 0, longThinkProbability: 0.05 };
}

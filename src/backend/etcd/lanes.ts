/**
 * How a client finds out what became of a commit whose answer was lost. Commits of a client run in lanes, one at a time in
 * each, and each puts the key of its lane on the condition that nobody has since the last one. So afterwards one
 * transaction tells: either the key has been put by the commit, or putting it now makes sure that the commit, should it
 * still be on its way, is refused.
 */
import { assert } from "../../platform/assert.js";
import type { EtcdCompare, EtcdOperation } from "./client.js";
import type { EtcdCluster } from "./cluster.js";
import type { Layout } from "./layout.js";

/** What puts a lane's key: a commit, or the question for one. */
const COMMITTED = Buffer.from("c");
const ASKED = Buffer.from("a");

export interface Lane {
  readonly key: Buffer;
  /** How often its key has been put. */
  puts: number;
}

export class Lanes {
  readonly #free: Lane[] = [];
  readonly #layout: Layout;
  readonly #client: string;
  #count = 0;

  /** `client`: a name that no other client has. */
  constructor(layout: Layout, client: string) {
    this.#layout = layout;
    this.#client = client;
  }

  take(): Lane {
    return this.#free.pop() ?? { key: this.#layout.lane(this.#client, this.#count++), puts: 0 };
  }

  /** Only when it is known what became of everything that was sent in it. */
  giveBack(lane: Lane): void {
    this.#free.push(lane);
  }

  /** Removes the keys, when the client ends. */
  removal(): EtcdOperation {
    const [key, range_end] = this.#layout.lanes(this.#client);
    return { request_delete_range: { key, range_end } };
  }
}

/** The condition and the mark that a commit in the lane carries. */
export function inLane(lane: Lane): { readonly condition: EtcdCompare; readonly mark: EtcdOperation } {
  return { condition: unchanged(lane), mark: { request_put: { key: lane.key, value: COMMITTED } } };
}

/** The revision of the commit that was last sent in the lane; null when it has not taken effect and never will. */
export async function resultOf(lane: Lane, cluster: EtcdCluster): Promise<number | null> {
  const patience = cluster.patience();
  for (;;) {
    const sent = await cluster.send({
      compare: [unchanged(lane)],
      success: [{ request_put: { key: lane.key, value: ASKED } }],
      failure: [{ request_range: { key: lane.key } }],
    });
    if ("result" in sent) {
      const { succeeded, responses } = sent.result;
      const row = succeeded ? null : (responses[0]?.response_range.kvs[0] ?? null);
      lane.puts++;
      if (row === null) return null;
      assert(Number(row.version) === lane.puts, "only one commit, or one question for it, puts a lane's key");
      return ASKED.equals(row.value) ? null : Number(row.mod_revision);
    }
    // Asking twice is no harm: the second question finds the mark of the first.
    await patience.afterFailure(sent.failure);
  }
}

function unchanged(lane: Lane): EtcdCompare {
  return { target: "Version", result: "Equal", key: lane.key, version: lane.puts };
}

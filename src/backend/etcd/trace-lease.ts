/**
 * The lease of the traces that removed keys leave (`write-operations.ts`): etcd takes them away when no transaction that
 * might mind is alive any more. Only how exactly conflicts are told depends on it, never what is read.
 */
import type { Clock } from "../../platform/platform.js";
import type { EtcdCluster } from "./cluster.js";

/** Many times what a transaction may live. */
const LEASE_SECONDS = 60;
const USED_FOR_MS = 20_000;

export class TraceLease {
  readonly #cluster: EtcdCluster;
  readonly #clock: Clock;
  #lease: Promise<string> | null = null;
  #sinceMs = 0;

  constructor(cluster: EtcdCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** One that lasts for a while. Throws `UNAVAILABLE`. */
  current(): Promise<string> {
    const nowMs = this.#clock.nowMs();
    if (this.#lease === null || nowMs - this.#sinceMs > USED_FOR_MS) {
      this.#sinceMs = nowMs;
      const lease = this.#cluster.grantLease(LEASE_SECONDS);
      this.#lease = lease;
      lease.catch(() => {
        if (this.#lease === lease) this.#lease = null;
      });
    }
    return this.#lease;
  }

  /** It has ended, whatever the clock says. */
  forget(): void {
    this.#lease = null;
  }
}

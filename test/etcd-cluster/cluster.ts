/**
 * A cluster of three etcd servers on loopback for tests: temporary folders, free ports, and killed at the end, whatever
 * happens. A member can be killed without notice and started again. Fails loudly where there is no etcd.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const MAX_OPERATIONS = 20_000;

const MEMBERS = 3;
const READY_MS_MAX = 30_000;
const BINARY = process.env["ETCD_BINARY"] ?? "etcd";

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  process: ChildProcess | null;
}

export class TestCluster {
  readonly #folder = mkdtempSync(join(tmpdir(), "stillwater-etcd-"));
  readonly #members: Member[] = [];
  readonly #killAll = (): void => {
    for (const { process } of this.#members) process?.kill("SIGKILL");
  };

  static async start(): Promise<TestCluster> {
    refuseWithoutEtcd();
    const cluster = new TestCluster();
    const ports = await freePorts(2 * MEMBERS);
    for (let i = 0; i < MEMBERS; i++) {
      cluster.#members.push({
        name: `m${i}`,
        client: `http://127.0.0.1:${ports[2 * i]}`,
        peer: `http://127.0.0.1:${ports[2 * i + 1]}`,
        process: null,
      });
    }
    process.on("exit", cluster.#killAll);
    for (const member of cluster.#members) cluster.#spawn(member);
    await cluster.untilHealthy();
    return cluster;
  }

  get hosts(): string[] {
    return this.#members.map(({ client }) => client);
  }

  /** Kills the leader without notice; returns its number. */
  async killLeader(): Promise<number> {
    const leader = await this.#leader();
    const member = this.#members[leader] as Member; // #leader returns an index of #members
    const gone = new Promise((resolve) => member.process?.once("exit", resolve));
    member.process?.kill("SIGKILL");
    member.process = null;
    await gone;
    return leader;
  }

  restart(number: number): void {
    this.#spawn(this.#members[number] as Member);
  }

  /** Until every member that runs answers and has a leader. */
  async untilHealthy(): Promise<void> {
    const deadline = Date.now() + READY_MS_MAX;
    const running = this.#members.filter(({ process }) => process !== null);
    for (;;) {
      const healthy = await Promise.all(
        running.map(({ client }) =>
          fetch(`${client}/health`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      if (healthy.every((ok) => ok)) return;
      if (Date.now() > deadline) throw new Error(`etcd did not get ready:\n${this.#logs()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    const gone = this.#members.flatMap(({ process }) =>
      process === null ? [] : [new Promise((resolve) => process.once("exit", resolve))],
    );
    this.#killAll();
    await Promise.all(gone);
    process.off("exit", this.#killAll);
    rmSync(this.#folder, { recursive: true });
  }

  #spawn(member: Member): void {
    const log = openSync(join(this.#folder, `${member.name}.log`), "a");
    const peers = this.#members.map(({ name, peer }) => `${name}=${peer}`).join(",");
    const options: Record<string, string> = {
      "--name": member.name,
      "--data-dir": join(this.#folder, member.name),
      "--listen-client-urls": member.client,
      "--advertise-client-urls": member.client,
      "--listen-peer-urls": member.peer,
      "--initial-advertise-peer-urls": member.peer,
      "--initial-cluster": peers,
      "--max-txn-ops": String(MAX_OPERATIONS),
      "--quota-backend-bytes": String(256 * 1024 * 1024),
      "--heartbeat-interval": "50",
      "--election-timeout": "500",
      "--logger": "zap",
      "--log-level": "error",
    };
    member.process = spawn(BINARY, Object.entries(options).flat(), { stdio: ["ignore", log, log] });
    closeSync(log);
  }

  async #leader(): Promise<number> {
    for (const [index, { client, process }] of this.#members.entries()) {
      if (process === null) continue;
      const answer = await fetch(`${client}/v3/maintenance/status`, { method: "POST", body: "{}" });
      const status = (await answer.json()) as { header: { member_id: string }; leader?: string };
      if (status.leader === status.header.member_id) return index;
    }
    throw new Error("the cluster has no leader");
  }

  #logs(): string {
    return this.#members
      .map(({ name }) => readFileSync(join(this.#folder, `${name}.log`), "utf8"))
      .join("\n");
  }
}

function refuseWithoutEtcd(): void {
  if (spawnSync(BINARY, ["--version"]).status === 0) return;
  throw new Error(
    `there is no etcd here ("${BINARY}" does not run). Debian and Ubuntu: apt-get install etcd-server. ` +
      "Elsewhere: put etcd on the PATH, or its path in ETCD_BINARY.",
  );
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
}

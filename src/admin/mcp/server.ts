/**
 * An MCP server over a pair of streams, as `stillwater mcp` runs it on its standard input and output: lines in, lines out, nothing
 * else written. Calls run side by side and are answered as they end; while many are under way, no more lines are read.
 *
 * Promise: when `serveMcp` settles, everything that was begun is over and answered. A call that the client cancels is not answered;
 * what it has begun goes to its end all the same, since a commit cannot be taken back halfway.
 */
import { nodePlatform } from "../../platform/node/node-platform.js";
import { type AdminContextOptions, type AdminTarget, closeContext, createContext } from "../context.js";
import { linesOf } from "./lines.js";
import {
  errorAnswer,
  INTERNAL_ERROR,
  INVALID_REQUEST,
  isRequestId,
  isTooDeep,
  type Message,
  messageOf,
  type Params,
  parseLine,
  type RequestId,
  RpcError,
  type RpcRequest,
  resultAnswer,
} from "./messages.js";
import { Session } from "./session.js";

export interface McpStreams {
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when the text is out. */
  write(text: string): Promise<void>;
}

export interface McpOptions extends AdminContextOptions {
  /** Of the package; clients show it. */
  readonly version: string;
  /** Ends the server as the end of the input does. */
  readonly stop: Promise<unknown>;
  /** Told of errors that clients are told nothing of. */
  readonly onError: (error: unknown, requestId: string) => void;
}

/** As the longest body over HTTP. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const UNDER_WAY_MAX = 64;

/** Resolves at the end of the input or `stop`; rejects with what `input` or `write` fails with. The target stays open. */
export async function serveMcp(target: AdminTarget, streams: McpStreams, options: McpOptions): Promise<void> {
  const { version, stop, onError, ...contextOptions } = options;
  const context = createContext(target, nodePlatform(), contextOptions);
  try {
    await new Connection(streams, new Session({ context, version, onError }), onError).serve(stop);
  } finally {
    closeContext(context);
  }
}

class Connection {
  readonly #streams: McpStreams;
  readonly #session: Session;
  readonly #onError: McpOptions["onError"];
  /** Lines being answered. None of the promises rejects. */
  readonly #underWay = new Set<Promise<void>>();
  /** Requests being answered -> whether the client still wants to know. */
  readonly #wanted = new Map<RequestId, boolean>();
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #isOver = false;

  constructor(streams: McpStreams, session: Session, onError: McpOptions["onError"]) {
    this.#streams = streams;
    this.#session = session;
    this.#onError = onError;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  async serve(stop: Promise<unknown>): Promise<void> {
    try {
      await Promise.race([this.#readLines(), stop, this.#failed]);
    } finally {
      this.#isOver = true;
      await Promise.all(this.#underWay);
    }
    // Only now may the last answers have failed to get out.
    await Promise.race([this.#failed, Promise.resolve()]);
  }

  async #readLines(): Promise<void> {
    for await (const line of linesOf(this.#streams.input, LINE_BYTES_MAX)) {
      if (this.#isOver) return;
      const work = this.#answerLine(line).catch(this.#fail);
      this.#underWay.add(work);
      void work.then(() => this.#underWay.delete(work));
      if (this.#underWay.size >= UNDER_WAY_MAX) await Promise.race(this.#underWay);
    }
  }

  async #answerLine(line: Uint8Array | null): Promise<void> {
    const answer = await this.#answerTo(line);
    if (answer !== null) await this.#streams.write(`${JSON.stringify(answer)}\n`);
  }

  /** Null: nothing is to be said. */
  async #answerTo(line: Uint8Array | null): Promise<unknown> {
    if (line === null)
      return refusal(null, INVALID_REQUEST, `a message may have at most ${LINE_BYTES_MAX} bytes.`);
    if (line.every((byte) => byte === CARRIAGE_RETURN || byte === SPACE)) return null;
    let value: unknown;
    try {
      value = parseLine(line);
    } catch (error) {
      if (error instanceof RpcError) return errorAnswer(null, error);
      throw error;
    }
    if (!Array.isArray(value)) return this.#answerMessage(messageOf(value), isTooDeep(line));
    if (!this.#session.takesBatches || value.length === 0)
      return refusal(null, INVALID_REQUEST, "send one message a line, a JSON object.");
    const isDeep = isTooDeep(line);
    const answers = await Promise.all(value.map((one) => this.#answerMessage(messageOf(one), isDeep)));
    const said = answers.filter((one) => one !== null);
    return said.length === 0 ? null : said;
  }

  async #answerMessage(message: Message, isTooDeepToRun: boolean): Promise<unknown> {
    if (message.type === "answer") return null;
    if (message.type === "malformed") return errorAnswer(message.id, message.error);
    if (message.type === "notification") {
      if (message.method === "notifications/cancelled") this.#cancel(message.params);
      return null;
    }
    if (isTooDeepToRun) return refusal(message.id, INVALID_REQUEST, "this message is nested too deeply.");
    if (this.#wanted.has(message.id))
      return refusal(message.id, INVALID_REQUEST, "a request with this id is under way.");
    this.#wanted.set(message.id, true);
    try {
      const answer = await this.#answerRequest(message);
      return this.#wanted.get(message.id) === true ? answer : null;
    } finally {
      this.#wanted.delete(message.id);
    }
  }

  async #answerRequest(request: RpcRequest): Promise<unknown> {
    try {
      return resultAnswer(request.id, await this.#session.answer(request));
    } catch (error) {
      if (error instanceof RpcError) return errorAnswer(request.id, error);
      this.#onError(error, String(request.id));
      return refusal(request.id, INTERNAL_ERROR, "something went wrong here that should not.");
    }
  }

  /** Of a request that is over already, or never was, there is nothing to cancel. */
  #cancel({ requestId }: Params): void {
    if (isRequestId(requestId) && this.#wanted.has(requestId)) this.#wanted.set(requestId, false);
  }
}

function refusal(id: RequestId | null, code: number, message: string): unknown {
  return errorAnswer(id, new RpcError(code, message));
}

const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

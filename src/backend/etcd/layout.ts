/**
 * Where the database lies among etcd's keys. Everything begins with the prefix; then
 *
 * | key            | what                                                                                  |
 * |----------------|---------------------------------------------------------------------------------------|
 * | `d` + user key | the user's value                                                                      |
 * | `x` + user key | put by who removes that key, which may not be there; goes after a minute               |
 * | `s`            | put by every commit: how often it has been put is the version of the database          |
 * | `m`            | put by commits with conflicts that no key shows; its history is the list of them        |
 * | `t/<client>/n` | put by every commit of one lane of a client: tells later whether the commit took effect |
 */
import { keyText } from "../../transaction/key-text.js";

export class Layout {
  readonly sequence: Buffer;
  readonly markers: Buffer;
  readonly #prefix: string;
  readonly #dataBytes: number;

  constructor(prefix: Uint8Array) {
    this.#prefix = keyText(prefix);
    this.#dataBytes = prefix.length + 1;
    this.sequence = this.#key("s");
    this.markers = this.#key("m");
  }

  /** Of a user key, or the end of a range of them. */
  data(key: string): Buffer {
    return this.#key(`d${key}`);
  }

  /** The trace that the removal of a user key leaves. */
  trace(key: string): Buffer {
    return this.#key(`x${key}`);
  }

  userKey(key: Buffer): string {
    return keyText(key.subarray(this.#dataBytes));
  }

  lane(client: string, number: number): Buffer {
    return this.#key(`t/${client}/${number}`);
  }

  /** All lanes of a client, as a range. */
  lanes(client: string): readonly [begin: Buffer, end: Buffer] {
    return [this.#key(`t/${client}/`), this.#key(`t/${client}0`)];
  }

  #key(text: string): Buffer {
    return Buffer.from(this.#prefix + text, "latin1");
  }
}

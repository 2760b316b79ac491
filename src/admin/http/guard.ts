/**
 * Who may ask. Three checks, each against another kind of stranger:
 *
 * | check | against |
 * |---|---|
 * | Host is a name of this server | DNS rebinding: a foreign page whose name was pointed at this machine is of "our" origin to its browser |
 * | Origin and Sec-Fetch-Site are ours, or absent | requests that a foreign page makes a browser send |
 * | bearer token | everybody else who can reach the port |
 *
 * Tokens are compared in constant time, by digests, so that not even their length shows.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { StillwaterError } from "../../platform/errors.js";
import { RequestError } from "./problem.js";

export interface GuardOptions {
  /** Who has it may do everything. Null: whoever reaches the port may. */
  readonly token: string | null;
  /** Names, without ports, under which the server is asked. Null: any. */
  readonly hosts: readonly string[] | null;
}

export const TOKEN_LENGTH_MIN = 16;

export const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"] as const;

export class Guard {
  readonly #tokenDigest: Buffer | null;
  readonly #hosts: ReadonlySet<string> | null;

  /** Throws `INVALID_ARGUMENT` for a token that could be guessed, or be no header's value. */
  constructor({ token, hosts }: GuardOptions) {
    if (token !== null) checkToken(token);
    this.#tokenDigest = token === null ? null : digestOf(token);
    this.#hosts = hosts === null ? null : new Set(hosts.map((host) => host.toLowerCase()));
  }

  /** Throws `BAD_REQUEST`, `FORBIDDEN`. `navigates`: a page that may be opened from anywhere. */
  checkOrigin(headers: Headers, navigates: boolean): void {
    const host = headers.get("host")?.toLowerCase() ?? "";
    const name = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host)?.[1];
    if (name === undefined)
      throw new RequestError("BAD_REQUEST", "the request needs the header Host, a name and perhaps a port.");
    if (this.#hosts?.has(name) === false) {
      throw new RequestError(
        "FORBIDDEN",
        "this server does not go by the name in the header Host. If it should, name it among its hosts.",
      );
    }
    const origin = headers.get("origin");
    if (origin !== null && origin !== `http://${host}` && origin !== `https://${host}`)
      throw new RequestError("FORBIDDEN", "pages of another origin may not use this server.");
    const site = headers.get("sec-fetch-site");
    if (navigates || site === null || site === "same-origin" || site === "none") return;
    throw new RequestError("FORBIDDEN", "pages of another origin may not use this server.");
  }

  /** Throws `UNAUTHORIZED`. */
  checkToken(headers: Headers): void {
    if (this.#tokenDigest === null) return;
    const given = /^bearer +([\u0021-\u007e]+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
    if (timingSafeEqual(this.#tokenDigest, digestOf(given ?? "")) && given !== undefined) return;
    throw new RequestError("UNAUTHORIZED", "send the server's token: Authorization: Bearer <token>.", {
      "WWW-Authenticate": 'Bearer realm="stillwater"',
    });
  }
}

function checkToken(token: string): void {
  if (token.length >= TOKEN_LENGTH_MIN && /^[\u0021-\u007e]+$/.test(token)) return;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `a token needs at least ${TOKEN_LENGTH_MIN} characters, all of them visible ASCII. Make one, for example: openssl rand -hex 24`,
  );
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * The HTTP API as the page uses it: one function that asks, with the token that was given in this tab, and that turns every failure
 * into a `Problem`. The token is kept in this tab's session storage and goes into a header, never into an address.
 */
import { Problem } from "./problem.js";

const TOKEN_KEY = "stillwater-token";
const ANSWER_TIME_MS = 30_000;

let token = readToken();
/** Asks somebody for a token; resolves when there is one. */
let ask: (() => Promise<string>) | null = null;
let asking: Promise<string> | null = null;

export function onTokenNeeded(handler: () => Promise<string>): void {
  ask = handler;
}

export function hasToken(): boolean {
  return token !== null;
}

export function forgetToken(): void {
  token = null;
  sessionStorage.removeItem(TOKEN_KEY);
}

function readToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
}

/** The answer's JSON, and null for one without. Rejects with a `Problem`; a missing or wrong token is asked for first. */
export async function request<Answer>(
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Answer> {
  for (;;) {
    const used = token;
    const response = await send(method, path, options);
    if (response.status === 401 && ask !== null) {
      // Somebody else may have got a new one meanwhile.
      if (token === used) await newToken();
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw refusal(response, text);
    // What an operation answers is described by the API's own document, against which the server is tested.
    return (text === "" ? null : parsed(response, text)) as Answer;
  }
}

export function get<Answer>(path: string, query: Query = {}): Promise<Answer> {
  return request("GET", path, { query });
}

async function newToken(): Promise<void> {
  if (ask === null) return;
  asking ??= ask();
  try {
    token = await asking;
    sessionStorage.setItem(TOKEN_KEY, token);
  } finally {
    asking = null;
  }
}

async function send(method: string, path: string, { query = {}, body }: RequestOptions): Promise<Response> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const headers: Record<string, string> = { accept: "application/json" };
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(given.length === 0 ? path : `${path}?${parameters}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_TIME_MS),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const what = isLate ? `no answer within ${ANSWER_TIME_MS / 1000} s` : "the server cannot be reached";
    throw new Problem("NO_ANSWER", 0, `${what}.`);
  }
}

function refusal({ status }: Response, text: string): Problem {
  try {
    const { code, detail, title } = JSON.parse(text) as Partial<Record<"code" | "detail" | "title", string>>;
    return new Problem(code ?? `HTTP_${status}`, status, detail ?? title ?? `the server answered ${status}.`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new Problem(
      `HTTP_${status}`,
      status,
      `the server answered ${status}, and not as Stillwater does.`,
    );
  }
}

function parsed(response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem("NOT_JSON", response.status, "the answer is not JSON.");
  }
}

/**
 * A request's path, query and body put together as the input of an operation. Texts of the URL become numbers and flags where the
 * operation's schema asks for them; the schema's own check comes after. Owns limits of bodies: bytes, time, depth.
 */
import { DEPTH_MAX, isDeeperThan } from "../json-depth.js";
import type { JsonSchema } from "../schema.js";
import { RequestError } from "./problem.js";
import { decodeSegment, type RequestTarget } from "./request-target.js";
import type { Route } from "./routes.js";

export interface BodyLimits {
  readonly bodyBytesMax: number;
  readonly bodyTimeMs: number;
}

export type InputObject = Record<string, unknown>;

export async function inputOf(
  route: Route,
  target: RequestTarget,
  request: Request,
  limits: BodyLimits,
): Promise<InputObject> {
  const members = route.operation.input.properties ?? {};
  const input: InputObject = Object.create(null);
  for (const [name, text] of pathParameters(route.path, target.path)) input[name] = text;
  const fromPath = new Set(Object.keys(input));
  const hasBody = takesBody(route);
  const queryNames = route.query ?? (hasBody ? [] : Object.keys(members));
  for (const [name, text] of target.query) {
    if (!queryNames.includes(name) || fromPath.has(name)) throw unknownParameter(name, queryNames);
    input[name] = fromText(name, text, members[name] ?? {});
  }
  if (!hasBody) {
    await requireNoBody(request);
    return input;
  }
  for (const [name, value] of Object.entries(await readBody(request, limits))) {
    if (fromPath.has(name) || queryNames.includes(name)) {
      throw new RequestError(
        "BAD_REQUEST",
        `"${name}" belongs in the ${fromPath.has(name) ? "path" : "query"}, not in the body.`,
      );
    }
    input[name] = value;
  }
  return input;
}

export function takesBody({ method }: Route): boolean {
  return method === "PUT" || method === "POST";
}

/** Names in braces with the texts in their places. The router has matched the path already. */
function* pathParameters(template: string, path: string): Generator<[name: string, text: string]> {
  const segments = path.split("/");
  for (const [at, part] of template.split("/").entries()) {
    if (part.startsWith("{")) yield [part.slice(1, -1), decodeSegment(segments[at] ?? "")];
  }
}

function unknownParameter(name: string, known: readonly string[]): RequestError {
  return new RequestError(
    "BAD_REQUEST",
    `there is no parameter ${JSON.stringify(name.slice(0, 40))} here; known are: ${known.join(", ") || "none"}.`,
  );
}

function fromText(name: string, text: string, { type }: JsonSchema): unknown {
  if (type === "integer") {
    if (/^-?(?:0|[1-9]\d{0,15})$/.test(text)) return Number(text);
    throw new RequestError("BAD_REQUEST", `the parameter "${name}" must be a whole number.`);
  }
  if (type === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new RequestError("BAD_REQUEST", `the parameter "${name}" must be true or false.`);
  }
  return text;
}

async function requireNoBody(request: Request): Promise<void> {
  const length = request.headers.get("content-length");
  const hasBody = request.headers.get("transfer-encoding") !== null || (length !== null && length !== "0");
  if (hasBody) throw new RequestError("BAD_REQUEST", `a ${request.method} request has no body here.`, CLOSE);
}

/** Whoever is sending still is not listened to. */
const CLOSE = { Connection: "close" };

async function readBody(request: Request, limits: BodyLimits): Promise<InputObject> {
  const [mediaType = "", ...parameters] = (request.headers.get("content-type") ?? "")
    .toLowerCase()
    .split(";");
  const isUtf8 = parameters.every((one) => ["", "charset=utf-8", 'charset="utf-8"'].includes(one.trim()));
  if (mediaType.trim() !== "application/json" || !isUtf8) {
    throw new RequestError("UNSUPPORTED_MEDIA_TYPE", "send the body as application/json, in UTF-8.", CLOSE);
  }
  if (request.headers.get("content-encoding") !== null)
    throw new RequestError(
      "UNSUPPORTED_MEDIA_TYPE",
      "send the body as it is, without Content-Encoding.",
      CLOSE,
    );
  const bytes = await readBytes(request, limits);
  if (isDeeperThan(bytes, DEPTH_MAX))
    throw new RequestError("BAD_REQUEST", `the body is nested more than ${DEPTH_MAX} deep.`);
  const body: unknown = parse(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new RequestError("BAD_REQUEST", "the body must be a JSON object.");
  return body as InputObject;
}

async function readBytes(request: Request, { bodyBytesMax, bodyTimeMs }: BodyLimits): Promise<Uint8Array> {
  const tooLarge = (): RequestError =>
    new RequestError("REQUEST_TOO_LARGE", `a body may have at most ${bodyBytesMax} bytes.`, CLOSE);
  if (Number(request.headers.get("content-length") ?? 0) > bodyBytesMax) throw tooLarge();
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let length = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new RequestError(
      "REQUEST_TIMEOUT",
      `the body was not there after ${bodyTimeMs} ms.`,
      CLOSE,
    );
    timer = setTimeout(() => reject(error), bodyTimeMs);
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(pieces);
      length += value.length;
      if (length > bodyBytesMax) throw tooLarge();
      pieces.push(value);
    }
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("BAD_REQUEST", "the body ended before it was whole.", CLOSE);
  } finally {
    clearTimeout(timer);
    late.catch(() => undefined);
    reader.releaseLock();
  }
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(STRICT_UTF8.decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RequestError("BAD_REQUEST", "the body is not JSON.");
    if (error instanceof TypeError) throw new RequestError("BAD_REQUEST", "the body is not UTF-8.");
    throw error;
  }
}

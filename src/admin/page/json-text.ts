/**
 * JSON laid out for reading, token by token: numbers keep every digit that they were written with, members their order and doubles,
 * which parsing and printing would lose. Pure.
 */

export interface JsonToken {
  readonly kind: "name" | "string" | "number" | "word" | "plain";
  readonly text: string;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[-\d][\d.eE+-]*|true|false|null|[{}[\],:]/g;
const INDENT = "  ";

/** Null when the text is not JSON, or is only one number, word or string. */
export function jsonTokens(text: string): JsonToken[] | null {
  if (!/^\s*[{[]/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const tokens: JsonToken[] = [];
  const found = text.match(TOKEN) ?? [];
  let depth = 0;
  const plain = (more: string): number => tokens.push({ kind: "plain", text: more });
  const line = (): string => `\n${INDENT.repeat(depth)}`;
  for (const [at, token] of found.entries()) {
    const next = found[at + 1] ?? "";
    if (token === "{" || token === "[") {
      const isEmpty = next === "}" || next === "]";
      if (!isEmpty) depth++;
      plain(isEmpty ? token : `${token}${line()}`);
    } else if (token === "}" || token === "]") {
      const before = found[at - 1];
      const isEmpty = before === "{" || before === "[";
      if (!isEmpty) depth--;
      plain(isEmpty ? token : `${line()}${token}`);
    } else if (token === ",") plain(`,${line()}`);
    else if (token === ":") plain(": ");
    else tokens.push({ kind: kindOf(token, next), text: token });
  }
  return tokens;
}

function kindOf(token: string, next: string): JsonToken["kind"] {
  if (token.startsWith('"')) return next === ":" ? "name" : "string";
  return /^[-\d]/.test(token) ? "number" : "word";
}

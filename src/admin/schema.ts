/**
 * What operations take and give as JSON Schema (2020-12), built by functions that also tell the compiler the type. One form serves
 * three: requests are checked against it, the OpenAPI document shows it, and tools of other kinds (MCP) can hand it on.
 *
 * Owns a part of JSON Schema that is enough for operations, and the check of values against it; `check` says of a value what any
 * JSON Schema validator would say (test/admin/schema.test.ts compares with one). Does not own: conversion from texts of a URL.
 */

export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | null)[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

export type JsonType = "string" | "integer" | "number" | "boolean" | "array" | "object" | "null";

/** A schema whose values have the type `Value`. */
export interface Schema<Value> {
  readonly json: JsonSchema;
  /** Never there: what the compiler knows. */
  readonly value?: Value;
}

/** A member that an object may come without. */
export interface OptionalSchema<Value> extends Schema<Value> {
  readonly isOptional: true;
}

export type ValueOf<Given extends Schema<unknown>> = Given extends Schema<infer Value> ? Value : never;

type Members = Readonly<Record<string, Schema<unknown>>>;
type OptionalNames<Given extends Members> = {
  [Name in keyof Given]: Given[Name] extends OptionalSchema<unknown> ? Name : never;
}[keyof Given];
type Flat<Type> = { readonly [Name in keyof Type]: Type[Name] };
export type ObjectOf<Given extends Members> = Flat<
  { [Name in Exclude<keyof Given, OptionalNames<Given>>]: ValueOf<Given[Name]> } & {
    [Name in OptionalNames<Given>]?: ValueOf<Given[Name]> | undefined;
  }
>;

interface Words {
  readonly description?: string;
  readonly default?: unknown;
}

export function text(
  options: Words & { readonly minLength?: number; readonly maxLength?: number } = {},
): Schema<string> {
  return { json: { type: "string", ...options } };
}

export function oneOf<const Values extends readonly string[]>(
  values: Values,
  options: Words = {},
): Schema<Values[number]> {
  return { json: { type: "string", enum: values, ...options } };
}

/** A number that JavaScript holds exactly. */
export function integer(
  options: Words & { readonly minimum?: number; readonly maximum?: number } = {},
): Schema<number> {
  const { MIN_SAFE_INTEGER: minimum, MAX_SAFE_INTEGER: maximum } = Number;
  return { json: { type: "integer", minimum, maximum, ...options } };
}

export function number(options: Words = {}): Schema<number> {
  return { json: { type: "number", ...options } };
}

export function flag(options: Words = {}): Schema<boolean> {
  return { json: { type: "boolean", ...options } };
}

export function list<Value>(
  items: Schema<Value>,
  options: Words & { readonly minItems?: number; readonly maxItems?: number } = {},
): Schema<readonly Value[]> {
  return { json: { type: "array", items: items.json, ...options } };
}

/** Exactly these members. */
export function object<const Given extends Members>(
  members: Given,
  options: Words = {},
): Schema<ObjectOf<Given>> {
  const entries = Object.entries(members);
  const required = entries.filter(([, member]) => !("isOptional" in member)).map(([name]) => name);
  return {
    json: {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, member]) => [name, member.json])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
      ...options,
    },
  };
}

/** An object with any names. */
export function dictionary<Value>(
  values: Schema<Value>,
  options: Words = {},
): Schema<Readonly<Record<string, Value>>> {
  return { json: { type: "object", additionalProperties: values.json, ...options } };
}

export function optional<Value>(schema: Schema<Value>): OptionalSchema<Value> {
  return { ...schema, isOptional: true };
}

export function nullable<Value>(schema: Schema<Value>): Schema<Value | null> {
  const { type, enum: values } = schema.json;
  if (typeof type !== "string") return { json: { anyOf: [schema.json, { type: "null" }] } };
  const withNull = { ...schema.json, type: [type, "null" as const] };
  return { json: values === undefined ? withNull : { ...withNull, enum: [...values, null] } };
}

export function either<const Options extends readonly Schema<unknown>[]>(
  options: Options,
  words: Words = {},
): Schema<ValueOf<Options[number]>> {
  return { json: { anyOf: options.map(({ json }) => json), ...words } };
}

/** Anything that JSON can say. */
export function anything(options: Words = {}): Schema<unknown> {
  return { json: options };
}

/** One sentence a fault, with its place (`writes[2].key`); none when the value is what the schema says. */
export function check(schema: JsonSchema, value: unknown): string[] {
  const faults: string[] = [];
  checkAt(schema, value, "", faults);
  return faults;
}

/** More of them help nobody. */
const FAULTS_MAX = 8;

function checkAt(schema: JsonSchema, value: unknown, place: string, faults: string[]): void {
  if (faults.length >= FAULTS_MAX) return;
  const report = (fault: string): number => faults.push(`${place === "" ? "the input" : place} ${fault}`);
  const types = typesOf(schema);
  if (types !== null && !types.some((type) => isOfType(type, value))) {
    report(`must be ${types.map(inWords).join(" or ")}`);
  } else if (schema.enum !== undefined && !schema.enum.some((one) => one === value)) {
    report(`must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`);
  } else if (schema.anyOf?.some((option) => check(option, value).length === 0) === false) {
    report("is none of the things that may stand here");
  } else if (typeof value === "string") checkLength(schema, value, report);
  else if (typeof value === "number") checkNumber(schema, value, report);
  else if (Array.isArray(value)) checkList(schema, value, place, faults, report);
  else if (typeof value === "object" && value !== null)
    checkMembers(schema, value as Readonly<Record<string, unknown>>, place, faults, report);
}

type Report = (fault: string) => unknown;

function checkLength({ minLength, maxLength }: JsonSchema, value: string, report: Report): void {
  // JSON Schema counts code points: at most as many as units, at least half as many.
  if (minLength !== undefined && (value.length < minLength || lengthOf(value) < minLength))
    report(`must have at least ${minLength} characters`);
  if (maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength)
    report(`must have at most ${maxLength} characters`);
}

function lengthOf(value: string): number {
  let length = 0;
  for (const _ of value) length++;
  return length;
}

function checkNumber({ minimum, maximum }: JsonSchema, value: number, report: Report): void {
  if (minimum !== undefined && value < minimum) report(`must be at least ${minimum}`);
  if (maximum !== undefined && value > maximum) report(`must be at most ${maximum}`);
}

function checkList(
  { items, minItems, maxItems }: JsonSchema,
  list: readonly unknown[],
  place: string,
  faults: string[],
  report: Report,
): void {
  if (minItems !== undefined && list.length < minItems) report(`must have at least ${minItems} elements`);
  if (maxItems !== undefined && list.length > maxItems) report(`must have at most ${maxItems} elements`);
  else if (items !== undefined) {
    for (let at = 0; at < list.length; at++) checkAt(items, list[at], `${place}[${at}]`, faults);
  }
}

function checkMembers(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  object: Readonly<Record<string, unknown>>,
  place: string,
  faults: string[],
  report: Report,
): void {
  for (const name of required) if (!Object.hasOwn(object, name)) report(`needs "${name}"`);
  for (const [name, value] of Object.entries(object)) {
    const within = place === "" ? name : `${place}.${name}`;
    const member = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (member === false) {
      const known = Object.keys(properties).join(", ");
      report(`has no member ${JSON.stringify(name.slice(0, 40))}; known are: ${known || "none"}`);
    } else if (member !== undefined) checkAt(member, value, within, faults);
  }
}

function typesOf({ type }: JsonSchema): readonly JsonType[] | null {
  if (type === undefined) return null;
  return typeof type === "string" ? [type] : type;
}

function isOfType(type: JsonType, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    default:
      // Their names are those of the operator.
      return typeof value === type;
  }
}

const WORDS: Readonly<Record<JsonType, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};

function inWords(type: JsonType): string {
  return WORDS[type];
}

/** Answers against the OpenAPI document, by a JSON Schema validator that is not ours. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApiDocument } from "../../src/admin/http/openapi.js";
import { ROUTES } from "../../src/admin/http/routes.js";

interface ResponseObject {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}
interface OperationObject {
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

const DOCUMENT = JSON.parse(JSON.stringify(openApiDocument())) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
ajv.addSchema({ $id: "https://stillwater.test/", $defs: DOCUMENT.components.schemas });
const validators = new Map<string, ValidateFunction>();

/** What of an answer is not as documented; none where the path is none of the document's. */
export function offences(
  method: string,
  target: string,
  answer: { readonly status: number; readonly contentType: string | null; readonly body: unknown },
): string[] {
  const path = templateOf(target.split("?")[0] as string);
  const responses = path === null ? undefined : DOCUMENT.paths[path]?.[method.toLowerCase()]?.responses;
  const response = responses?.[String(answer.status)] ?? (answer.status < 400 ? undefined : DEFAULT);
  if (response === undefined)
    return path === null ? [] : [`${method} ${path}: ${answer.status} is not documented`];
  const [contentType, media] = Object.entries(response.content)[0] as [string, { readonly schema: object }];
  if (answer.contentType !== contentType) return [`${method} ${target}: content type ${answer.contentType}`];
  const name = `${method} ${path} ${answer.status}`;
  let validate = validators.get(name);
  if (validate === undefined) {
    const schema = JSON.parse(
      JSON.stringify(media.schema).replaceAll('"#/components/schemas/', '"https://stillwater.test/#/$defs/'),
    ) as object;
    validate = ajv.compile(schema);
    validators.set(name, validate);
  }
  return validate(answer.body) ? [] : [`${name}: ${ajv.errorsText(validate.errors)}`];
}

const DEFAULT = Object.values(Object.values(DOCUMENT.paths)[0] ?? {})[0]?.responses["default"];

/** Null: no route has it. */
export function templateOf(path: string): string | null {
  const segments = path.split("/");
  const route = ROUTES.find(({ path: template }) => {
    const parts = template.split("/");
    return (
      parts.length === segments.length &&
      parts.every((part, at) => part.startsWith("{") || part === segments[at])
    );
  });
  return route?.path ?? null;
}

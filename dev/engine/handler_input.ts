import { decodeGo, type GoType, zeroOf } from "../go/decode.ts";
import type { Schema, SchemaIssue } from "../schema.ts";

/** Where a schema says that it reads JSON text as a Go struct does. */
const GO_TYPE: unique symbol = Symbol("go type");

interface GoSchema<Output> extends Schema<Output> {
  readonly [GO_TYPE]: GoType;
}

/** A schema that decodes as Go does: an absent input is the type's zero value, errors are Go's. */
export function goSchema<Output>(type: GoType): Schema<Output> {
  const schema: GoSchema<Output> = {
    [GO_TYPE]: type,
    "~standard": {
      version: 1,
      vendor: "dispatch",
      validate: (value) => {
        try {
          return { value: decodeGo(JSON.stringify(value) ?? "null", type) as Output };
        } catch (error) {
          return { issues: [{ message: errorText(error) }] };
        }
      },
    },
  };
  return schema;
}

/**
 * What a handler is handed for a JSON text.
 * @throws {Error} When the schema does not want it; the message is the schema's.
 */
export function decodeInput(text: string | undefined, schema: Schema | undefined): unknown {
  const none = text === undefined || text === "";
  if (schema && GO_TYPE in schema) {
    const type = (schema as GoSchema<unknown>)[GO_TYPE];
    return none ? zeroOf(type) : decodeGo(text, type);
  }
  const value = none ? undefined : JSON.parse(text);
  if (!schema) return value;
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(passed) : passed(result);
}

function passed(result: Awaited<ReturnType<Schema["~standard"]["validate"]>>): unknown {
  if (result.issues) throw new Error(result.issues.map(issueText).join("; "));
  return result.value;
}

function issueText({ message, path }: SchemaIssue): string {
  if (!path || path.length === 0) return message;
  const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return `${where}: ${message}`;
}

/** What a thrown value says. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}

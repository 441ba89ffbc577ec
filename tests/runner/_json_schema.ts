type Json = unknown;
type JsonSchema = Record<string, Json>;

/**
 * What a value breaks of a JSON Schema, or nothing. It knows the keywords that the recipe schema
 * uses, and refuses others, so that none goes unchecked.
 */
export function validate(schema: JsonSchema, value: Json, root = schema, path = "$"): string[] {
  const errors: string[] = [];
  const fail = (what: string) => void errors.push(`${path} ${what}`);
  for (const [keyword, argument] of Object.entries(schema)) {
    const check = KEYWORDS[keyword];
    if (!check) throw new Error(`The validator does not know the keyword ${keyword}`);
    check(argument as never, value, { fail, errors, root, path, schema });
  }
  return errors;
}

interface Context {
  fail(what: string): void;
  errors: string[];
  root: JsonSchema;
  path: string;
  schema: JsonSchema;
}

const KEYWORDS: Record<string, (argument: never, value: Json, context: Context) => void> = {
  $schema: () => {},
  title: () => {},
  description: () => {},
  definitions: () => {},
  $ref(ref: string, value, { root, path, errors }) {
    const target = ref.slice(2).split("/")
      .reduce((at, key) => at[key] as JsonSchema, root);
    errors.push(...validate(target, value, root, path));
  },
  type(types: string | string[], value, { fail }) {
    if (![types].flat().some((type) => isType(value, type))) fail(`is not ${types}`);
  },
  enum(choices: Json[], value, { fail }) {
    if (!choices.includes(value)) fail(`is none of ${choices}`);
  },
  anyOf(schemas: JsonSchema[], value, { fail, root, path }) {
    if (!schemas.some((one) => validate(one, value, root, path).length === 0)) fail("fits none");
  },
  properties(properties: Record<string, JsonSchema>, value, { root, path, errors }) {
    if (!isRecord(value)) return;
    for (const [key, one] of Object.entries(properties)) {
      if (key in value) errors.push(...validate(one, value[key], root, `${path}.${key}`));
    }
  },
  additionalProperties(allowed: boolean | JsonSchema, value, { fail, root, path, errors, schema }) {
    if (!isRecord(value)) return;
    const known = Object.keys((schema.properties ?? {}) as object);
    for (const [key, item] of Object.entries(value)) {
      if (known.includes(key)) continue;
      if (allowed === false) fail(`has an unknown key ${key}`);
      else if (allowed !== true) errors.push(...validate(allowed, item, root, `${path}.${key}`));
    }
  },
  propertyNames(names: JsonSchema, value, { root, path, errors }) {
    if (!isRecord(value)) return;
    for (const key of Object.keys(value)) {
      errors.push(...validate(names, key, root, `${path}.${key}`));
    }
  },
  required(keys: string[], value, { fail }) {
    if (!isRecord(value)) return;
    for (const key of keys) if (!(key in value)) fail(`has no ${key}`);
  },
  items(items: JsonSchema, value, { root, path, errors }) {
    if (!Array.isArray(value)) return;
    value.forEach((item, i) => errors.push(...validate(items, item, root, `${path}[${i}]`)));
  },
  minItems(count: number, value, { fail }) {
    if (Array.isArray(value) && value.length < count) fail("has too few items");
  },
  minProperties(count: number, value, { fail }) {
    if (isRecord(value) && Object.keys(value).length < count) fail("has too few keys");
  },
  maxProperties(count: number, value, { fail }) {
    if (isRecord(value) && Object.keys(value).length > count) fail("has too many keys");
  },
  minLength(length: number, value, { fail }) {
    if (typeof value === "string" && value.length < length) fail("is too short");
  },
  minimum(limit: number, value, { fail }) {
    if (typeof value === "number" && value < limit) fail("is too small");
  },
  maximum(limit: number, value, { fail }) {
    if (typeof value === "number" && value > limit) fail("is too large");
  },
  pattern(pattern: string, value, { fail }) {
    if (typeof value === "string" && !new RegExp(pattern, "u").test(value)) {
      fail("has another form");
    }
  },
};

function isType(value: Json, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    default:
      return typeof value === "boolean";
  }
}

function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

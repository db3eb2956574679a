/**
 * Writes the operation table (packages/wire/src/api/{iot,iot-data,iot-jobs-data}.json) and the operations' types from the
 * public service model files that AWS publishes with its SDKs: node tools/generate-operations.ts BOTOCORE_FOLDER
 *
 * BOTOCORE_FOLDER is the folder of an installed botocore package (or its `data` folder). What is kept is what a server
 * needs: routes, locations, constraints, declared errors. Documentation is dropped. The same input gives the same bytes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const TARGETS = [
  { service: 'iot', types: 'IotOperations', sdk: '@aws-sdk/client-iot' },
  { service: 'iot-data', types: 'IotDataOperations', sdk: '@aws-sdk/client-iot-data-plane' },
  { service: 'iot-jobs-data', types: 'IotJobsDataOperations', sdk: '@aws-sdk/client-iot-jobs-data-plane' },
  { service: 'lambda', types: 'LambdaOperations', sdk: '@aws-sdk/client-lambda' },
  { service: 'iam', types: 'IamOperations', sdk: '@aws-sdk/client-iam' },
  { service: 'sts', types: 'StsOperations', sdk: '@aws-sdk/client-sts' },
] as const;

/** What is kept of a service that is here in part. */
interface Part {
  readonly operations: readonly string[];
  /** Errors that this server can answer; what others stand for (networks, key stores, images) is not here. */
  readonly errors: readonly string[];
  /** Of the front end that checks constraints: every operation may answer it, and no model says so. */
  readonly frontEnd?: string;
  /** Operations whose path ends in a slash in older models: SDKs in use send both. */
  readonly slashed?: readonly string[];
}

const partFile = (service: string): Part =>
  JSON.parse(readFileSync(join(import.meta.dirname, `models/${service}-part.json`), 'utf8')) as Part;

const PARTS: Readonly<Record<string, Part>> = { lambda: partFile('lambda'), iam: partFile('iam'), sts: partFile('sts') };

type Json = { readonly [key: string]: unknown };
interface SourceModel {
  readonly metadata: {
    readonly apiVersion: string;
    readonly signingName?: string;
    readonly endpointPrefix: string;
    readonly protocol: string;
    readonly xmlNamespace?: string;
  };
  readonly operations: Readonly<Record<string, Json>>;
  readonly shapes: Readonly<Record<string, Json>>;
}

const SHAPE_KEYS = ['type', 'required', 'payload', 'union', 'min', 'max', 'pattern', 'enum', 'sensitive', 'timestampFormat'];
const MEMBER_KEYS = ['shape', 'location', 'locationName', 'jsonvalue', 'idempotencyToken', 'box', 'timestampFormat'];

const pick = (from: Json, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(keys.filter((key) => from[key] !== undefined && from[key] !== false).map((key) => [key, from[key]]));

const byName = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

function readModel(dataFolder: string, service: string): SourceModel {
  const folder = join(dataFolder, service);
  const version = readdirSync(folder).sort().at(-1) ?? '';
  const files = readdirSync(join(folder, version));
  const name = ['service-2.json', 'service-2.json.gz'].find((candidate) => files.includes(candidate));
  if (name === undefined) throw new Error(`no service-2.json[.gz] in ${join(folder, version)}`);
  const bytes = readFileSync(join(folder, version, name));
  const model = JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as SourceModel;
  return partOf(service, withAdditions(service, model));
}

/** The chosen operations of a service that is here in part, with the errors that it can answer here. */
function partOf(service: string, model: SourceModel): SourceModel {
  const part = PARTS[service];
  if (part === undefined) return model;
  const operations = part.operations.map((name): [string, Json] => {
    const operation = model.operations[name];
    if (operation === undefined) throw new Error(`${service} has no operation ${name}`);
    const http = operation.http as { readonly requestUri: string };
    const requestUri = part.slashed?.includes(name) ? http.requestUri.replace(/\/?$/, '/') : http.requestUri;
    const errors = ((operation.errors ?? []) as Json[]).filter(({ shape }) => part.errors.includes(String(shape)));
    const frontEnd = part.frontEnd === undefined ? [] : [{ shape: part.frontEnd }];
    return [name, { ...operation, http: { ...http, requestUri }, errors: [...errors, ...frontEnd] }];
  });
  const added = part.frontEnd === undefined ? {} : { [part.frontEnd]: model.shapes[part.errors[0] ?? ''] ?? {} };
  return { ...model, operations: Object.fromEntries(operations), shapes: { ...model.shapes, ...added } };
}

/** Operations that AWS's newer SDKs know and the model does not yet: tools/models/{service}.json, in the model's form. */
function withAdditions(service: string, model: SourceModel): SourceModel {
  const file = join(import.meta.dirname, 'models', `${service}.json`);
  if (!existsSync(file)) return model;
  const added = JSON.parse(readFileSync(file, 'utf8')) as Pick<SourceModel, 'operations' | 'shapes'>;
  // What the model has learnt meanwhile wins.
  return {
    ...model,
    operations: { ...added.operations, ...model.operations },
    shapes: { ...added.shapes, ...model.shapes },
  };
}

function table(model: SourceModel): Json {
  const reached = new Set<string>();
  const reach = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    const shape = model.shapes[name];
    if (shape === undefined) throw new Error(`unknown shape ${name}`);
    for (const member of Object.values((shape.members ?? {}) as Record<string, Json>)) reach(String(member.shape));
    for (const key of ['member', 'key', 'value']) if (shape[key] !== undefined) reach(String((shape[key] as Json).shape));
  };
  const shapeName = (reference: unknown): string | undefined => {
    if (reference === undefined) return undefined;
    const name = String((reference as Json).shape);
    reach(name);
    return name;
  };
  const status = (name: string): number => {
    const shape = model.shapes[name] ?? {};
    const declared = (shape.error as Json | undefined)?.httpStatusCode;
    return typeof declared === 'number' ? declared : shape.fault === true ? 500 : 400;
  };
  // The query protocol names errors by their codes, which the shapes carry, and an error has no members but its message.
  const query = model.metadata.protocol === 'query';
  const declaredErrors = (operation: Json): [string, number][] =>
    ((operation.errors ?? []) as Json[])
      .map(({ shape }): [string, number] => [
        String((model.shapes[String(shape)]?.error as Json | undefined)?.code),
        status(String(shape)),
      ])
      .sort();
  const operations = byName(model.operations).map(([name, operation]) => {
    const http = operation.http as Json;
    if (query)
      return [
        name,
        {
          method: http.method,
          path: http.requestUri,
          status: 200,
          input: shapeName(operation.input),
          output: shapeName(operation.output),
          errors: Object.fromEntries(declaredErrors(operation)),
        },
      ];
    const errors = ((operation.errors ?? []) as Json[]).map((error) => shapeName(error) ?? '').sort();
    return [
      name,
      {
        method: http.method,
        path: http.requestUri,
        status: http.responseCode ?? 200,
        input: shapeName(operation.input),
        output: shapeName(operation.output),
        errors: Object.fromEntries(errors.map((error) => [error, status(error)])),
      },
    ];
  });
  const shapes = [...reached].sort().map((name) => {
    const shape = model.shapes[name] ?? {};
    const kept: Record<string, unknown> = pick(shape, SHAPE_KEYS);
    if (shape.members !== undefined) {
      // In the model's own order: messages that list several errors follow it.
      const members = Object.entries(shape.members as Record<string, Json>).map(([member, of]) => [
        member,
        pick(of, MEMBER_KEYS),
      ]);
      kept.members = Object.fromEntries(members);
    }
    for (const key of ['member', 'key', 'value']) if (shape[key] !== undefined) kept[key] = (shape[key] as Json).shape;
    return [name, kept];
  });
  return {
    apiVersion: model.metadata.apiVersion,
    signingName: model.metadata.signingName ?? model.metadata.endpointPrefix,
    xmlNamespace: query ? model.metadata.xmlNamespace : undefined,
    operations: Object.fromEntries(operations),
    shapes: Object.fromEntries(shapes),
  };
}

/** One operation or shape per line: small, and a change of the model reads well as a diff. */
function compact(of: Json): string {
  const block = (record: Json): string =>
    Object.entries(record)
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      .join(',\n');
  const { operations, shapes, ...head } = of;
  return `{${JSON.stringify(head).slice(1, -1)},\n"operations":{\n${block(operations as Json)}},\n"shapes":{\n${block(shapes as Json)}}}\n`;
}

function typesModule(tables: readonly { types: string; sdk: string; operations: string[] }[]): string {
  const parts = tables.map(({ types, sdk }) => `import type * as ${types.replace('Operations', 'Sdk')} from '${sdk}';`);
  const bodies = tables.map(({ types, operations }) => {
    const sdk = types.replace('Operations', 'Sdk');
    const lines = operations.map(
      (name) => `  ${name}: { input: Input<${sdk}.${name}CommandInput>; output: Output<${sdk}.${name}CommandOutput> };`,
    );
    return `export interface ${types} {\n${lines.join('\n')}\n}`;
  });
  const head = [
    '/**',
    " * Input and output of every operation, by the AWS SDK's own types. Written by tools/generate-operations.ts: do not edit.",
    ' */',
  ];
  const output = [
    '/** A blob is plain bytes here, whatever else the SDK takes and gives (streams, adapters). */',
    'type Bytes<T> = Uint8Array extends T ? Exclude<T, object> | Uint8Array : T extends Uint8Array ? Uint8Array : T;',
    '/** What a handler is given: parsed, so blobs are bytes. */',
    'type Input<T> = { [K in keyof T]: Bytes<T[K]> };',
    '/** What a handler answers: no metadata, and any member may be undefined (the renderer drops those). */',
    "type Output<T> = { [K in keyof Omit<T, '$metadata'>]: Bytes<T[K]> | undefined };",
  ];
  return `${[...head, ...parts, '', ...output, '', bodies.join('\n\n')].join('\n')}\n`;
}

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error('usage: node tools/generate-operations.ts BOTOCORE_FOLDER');
  process.exit(2);
}
const dataFolder = readdirSync(given).includes('data') ? join(given, 'data') : given;
const target = join(import.meta.dirname, '../packages/wire/src/api');
mkdirSync(target, { recursive: true });
const tables = TARGETS.map(({ service, types, sdk }) => {
  const made = table(readModel(dataFolder, service));
  writeFileSync(join(target, `${service}.json`), compact(made));
  return { types, sdk, operations: Object.keys(made.operations as Json) };
});
writeFileSync(join(target, 'operation-types.ts'), typesModule(tables));

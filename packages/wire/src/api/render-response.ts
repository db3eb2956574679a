/** A handler's output -> status, headers and body of the AWS REST-JSON protocol. Members that the model lacks are dropped. */
import { toBase64 } from './base64.ts';
import type { ServiceName, Shape } from './model.ts';
import { rawJson } from './raw-json.ts';
import { membersOf, type Operation, shapeOf } from './table.ts';
import { epochSeconds } from './timestamps.ts';

export interface Rendered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

type Data = Readonly<Record<string, unknown>>;
const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null;

function structureJson(service: ServiceName, value: Data, shape: Shape): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, member] of membersOf(shape)) {
    if (member.location !== undefined || !Object.hasOwn(value, name)) continue;
    const rendered = toJson(service, value[name], member.shape);
    if (rendered !== undefined) result[member.locationName ?? name] = rendered;
  }
  return result;
}

function mapJson(service: ServiceName, value: Data, shape: Shape): Record<string, unknown> {
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    const rendered = toJson(service, member, shape.value ?? '');
    if (rendered !== undefined) map[key] = rendered;
  }
  return map;
}

/** The value in JSON's terms; undefined when there is none. */
export function toJson(service: ServiceName, value: unknown, shapeName: string): unknown {
  if (value === undefined || value === null) return undefined;
  const shape = shapeOf(service, shapeName);
  if (typeof value === 'bigint') return rawJson(String(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : epochSeconds(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value))
    return value.map((each) => toJson(service, each, shape.member ?? '')).filter((each) => each !== undefined);
  if (!isData(value)) return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
  return shape.type === 'map' ? mapJson(service, value, shape) : structureJson(service, value, shape);
}

const JSON_TYPE = { 'content-type': 'application/json' };

function payloadBody(service: ServiceName, value: unknown, shapeName: string): string | Uint8Array {
  if (value === undefined || value === null) return '';
  if (value instanceof Uint8Array || typeof value === 'string') return value;
  return JSON.stringify(toJson(service, value, shapeName));
}

/** What goes back for a handler's output. */
export function renderResponse(operation: Operation, output: object | undefined): Rendered {
  const { service } = operation;
  if (operation.output === undefined) return { status: operation.status, headers: JSON_TYPE, body: '{}' };
  const shape = shapeOf(service, operation.output);
  const data = (output ?? {}) as Data;
  const headers: Record<string, string> = { ...JSON_TYPE };
  let { status } = operation;
  for (const [name, member] of membersOf(shape)) {
    const value = data[name];
    if (value === undefined || value === null) continue;
    if (member.location === 'statusCode' && typeof value === 'number') status = value;
    if (member.location === 'header') headers[(member.locationName ?? name).toLowerCase()] = String(value);
  }
  if (status === 204) return { status, headers: {}, body: '' };
  const payload = shape.payload;
  const body =
    payload === undefined
      ? JSON.stringify(structureJson(service, data, shape))
      : payloadBody(service, data[payload], shape.members?.[payload]?.shape ?? '');
  return { status, headers, body };
}

/** Reads what a request says about its own signature: from the Authorization header, or from a presigned query. */
import { createHash } from 'node:crypto';
import { parseQuery } from '@thingkeep/wire/api/percent.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { headerOf, type SignedHead } from './signed-request.ts';

export interface Signature {
  readonly accessKeyId: string;
  /** YYYYMMDD, region and service that the key was scoped to. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  /** Lower-case hex. */
  readonly signature: string;
  /** When it was made: as written, and in milliseconds since the epoch. */
  readonly date: string;
  readonly at: number;
  /** Seconds that a presigned request lives; undefined when signed by header, or presigned without a term. */
  readonly expires?: number;
  readonly presigned: boolean;
  readonly sessionToken?: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_PRESIGNED_SECONDS = 604_800;

const incomplete = (message: string): never => fail('IncompleteSignatureException', message);

/** `YYYYMMDDTHHMMSSZ` -> milliseconds, undefined when it is none. */
function parseBasicDate(text: string): number | undefined {
  const found = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second] = found;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : at;
}

export const basicDate = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** The date that a header-signed request carries, in the basic form. */
function requestDate(head: SignedHead): string | undefined {
  const amzDate = headerOf(head, 'x-amz-date');
  if (amzDate !== undefined) return amzDate.trim();
  const date = headerOf(head, 'date')?.trim();
  if (date === undefined || parseBasicDate(date) !== undefined) return date;
  const at = Date.parse(date);
  return Number.isNaN(at) || at < 0 || at > 253_402_300_799_000 ? date : basicDate(at);
}

function scope(credential: string): Pick<Signature, 'accessKeyId' | 'day' | 'region' | 'service'> {
  const parts = credential.split('/');
  if (parts.length !== 5)
    incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential.slice(0, 256)}'`,
    );
  const [accessKeyId = '', day = '', region = '', service = '', term = ''] = parts;
  if (term !== 'aws4_request')
    fail(
      'InvalidSignatureException',
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${term.slice(0, 64)}'.`,
    );
  return { accessKeyId, day, region, service };
}

function headerNames(text: string): readonly string[] {
  const names = text.toLowerCase().split(';');
  if (names.length > 100 || names.some((name) => name === ''))
    incomplete(`'SignedHeaders' must list header names, separated by semicolons.`);
  if (!names.includes('host'))
    fail('InvalidSignatureException', `'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.`);
  return names;
}

function dated(date: string, day: string): number {
  const at = parseBasicDate(date);
  if (at === undefined)
    return incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${date.slice(0, 64)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  if (day !== date.slice(0, 8))
    fail(
      'InvalidSignatureException',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day.slice(0, 64)}' != '${date.slice(0, 8)}', from '${date}'.`,
    );
  return at;
}

/** AWS shows the header that it could not read by its hash, for it may hold a secret. */
const hashed = (authorization: string): string =>
  `(Hashed with SHA-256 and encoded with Base64) Authorization=${createHash('sha256').update(authorization).digest('base64')}`;

function fromHeader(head: SignedHead, authorization: string): Signature {
  const space = authorization.indexOf(' ');
  const fields = new Map<string, string>();
  if (space < 0 || authorization.slice(0, space) !== ALGORITHM)
    incomplete(`Unsupported AWS 'algorithm': the Authorization header must begin with ${ALGORITHM}. ${hashed(authorization)}`);
  for (const part of authorization.slice(space + 1).split(/[,\s]+/)) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals <= 0) incomplete(`Invalid key=value pair (missing equal-sign) in Authorization header ${hashed(authorization)}.`);
    const name = part.slice(0, equals);
    if (fields.has(name))
      incomplete(`Authorization header holds '${name.slice(0, 64)}' more than once. ${hashed(authorization)}`);
    fields.set(name, part.slice(equals + 1));
  }
  const date = requestDate(head);
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (!date) missing.push(`Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.`);
  if (missing.length > 0) incomplete(`${missing.join(' ')} ${hashed(authorization)}`);
  const scoped = scope(fields.get('Credential') ?? '');
  const signedHeaders = headerNames(fields.get('SignedHeaders') ?? '');
  const sessionToken = headerOf(head, 'x-amz-security-token');
  return {
    ...scoped,
    signedHeaders,
    signature: fields.get('Signature') ?? '',
    date: date ?? '',
    at: dated(date ?? '', scoped.day),
    presigned: false,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

function fromQuery(pairs: readonly [string, string][]): Signature {
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!name.startsWith('X-Amz-')) continue;
    if (fields.has(name)) incomplete(`Query-string parameter '${name.slice(0, 64)}' is given more than once.`);
    fields.set(name, value);
  }
  if (fields.get('X-Amz-Algorithm') !== ALGORITHM)
    incomplete(`Unsupported AWS 'algorithm': 'X-Amz-Algorithm' must be ${ALGORITHM}.`);
  const missing = ['X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date'].filter(
    (name) => !fields.get(name),
  );
  if (missing.length > 0) incomplete(missing.map((name) => `AWS query-string parameters must include '${name}'.`).join(' '));
  const term = fields.get('X-Amz-Expires');
  if (term !== undefined && !(/^\d{1,6}$/.test(term) && Number(term) <= MAX_PRESIGNED_SECONDS))
    incomplete(`'X-Amz-Expires' must be a number of seconds from 0 to ${MAX_PRESIGNED_SECONDS}.`);
  const scoped = scope(fields.get('X-Amz-Credential') ?? '');
  const date = fields.get('X-Amz-Date') ?? '';
  const sessionToken = fields.get('X-Amz-Security-Token');
  return {
    ...scoped,
    signedHeaders: headerNames(fields.get('X-Amz-SignedHeaders') ?? ''),
    signature: fields.get('X-Amz-Signature') ?? '',
    date,
    at: dated(date, scoped.day),
    presigned: true,
    ...(term !== undefined && { expires: Number(term) }),
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

/** What the request claims; undefined when it is not signed at all. */
export function readSignature(head: SignedHead): Signature | undefined {
  const authorization = headerOf(head, 'authorization');
  const pairs = head.query.includes('X-Amz-') ? (parseQuery(head.query) ?? []) : [];
  const inQuery = pairs.some(([name]) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature');
  if (authorization !== undefined && inQuery)
    incomplete('A request is signed in its Authorization header or in its query string, not in both.');
  if (authorization !== undefined) return fromHeader(head, authorization);
  return inQuery ? fromQuery(pairs) : undefined;
}

/** Service of the scope that a request names, proven or not: it decides the form in which an error is said. */
export function claimedService(head: SignedHead): string | undefined {
  // Version 2 of the signatures is S3's alone.
  if (head.query.includes('AWSAccessKeyId=')) return 's3';
  const text = headerOf(head, 'authorization') ?? parseQuery(head.query)?.find(([name]) => name === 'X-Amz-Credential')?.[1];
  return text === undefined
    ? undefined
    : /[^\s/=]+\/\d{8}\/[^/]{1,64}\/([a-z0-9-]{1,64})\/aws4_request/.exec(text.slice(0, 1024))?.[1];
}

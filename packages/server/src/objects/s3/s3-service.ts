/**
 * S3's API over the embedded objects: single objects (PUT, GET, HEAD, DELETE, lists, presigned GET and PUT) and the buckets
 * that they are in.
 */
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { hostedBucket, type IsOwnName } from '../../api/host-check.ts';
import type { ObjectCall, ObjectService, RenderedObject } from '../../api/objects.ts';
import { headerOf } from '../../api/signed-request.ts';
import { ObjectFault, objectFault } from '../contract.ts';
import type { EmbeddedObjects } from '../embedded-objects.ts';
import type { ObjectRecord } from '../store.ts';
import { bucketList, etagOf, faultAnswer, bucketLocation, nothing, objectList } from './answers.ts';
import { type ObjectOperation, type ObjectRequest, readObjectRequest } from './requests.ts';
import { readUpload } from './upload.ts';

export interface S3ServiceOptions {
  readonly objects: EmbeddedObjects;
  readonly isOwnName: IsOwnName;
}

type ObjectAnswer = RenderedObject | Rendered;

/** Service Authorization Reference, Amazon S3: the action of each operation, and whether it is about an object. */
const ACTIONS: Readonly<Record<ObjectOperation, readonly [action: string, about: 'all' | 'bucket' | 'object']>> = {
  CreateBucket: ['CreateBucket', 'bucket'],
  DeleteBucket: ['DeleteBucket', 'bucket'],
  DeleteObject: ['DeleteObject', 'object'],
  GetBucketLocation: ['GetBucketLocation', 'bucket'],
  GetObject: ['GetObject', 'object'],
  HeadBucket: ['ListBucket', 'bucket'],
  HeadObject: ['GetObject', 'object'],
  ListBuckets: ['ListAllMyBuckets', 'all'],
  ListObjects: ['ListBucket', 'bucket'],
  ListObjectsV2: ['ListBucket', 'bucket'],
  PutObject: ['PutObject', 'object'],
};

/** Headers of an upload that come back with the object, and their bytes at most (S3 user guide, page UsingMetadata). */
const KEPT = /^(?:cache-control|content-disposition|content-encoding|content-language|expires|x-amz-meta-.+)$/;
const MAX_KEPT = 2048;
/** Parameters of a GET that replace a header of its answer. */
const REPLACED = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires'];
const MAX_LISTED = 1000;

function neededFor({ operation, bucket, key, query }: ObjectRequest): NeededPermission {
  const [action, about] = ACTIONS[operation];
  const arn = `arn:aws:s3:::${bucket}`;
  const resource = about === 'all' ? '*' : about === 'bucket' ? arn : `${arn}/${key}`;
  const keys = ['prefix', 'delimiter', 'max-keys'].flatMap((name): (readonly [string, string])[] => {
    const value = query.get(name);
    return value === undefined ? [] : [[`s3:${name}`, value]];
  });
  return { action: `s3:${action}`, resource, keys };
}

/** Headers that are kept with an object. `aws-chunked` is the framing of the request, and no encoding of the object. */
function keptHeaders({ head }: ObjectCall): Record<string, string> {
  const kept = [...head.headers.keys()]
    .filter((name) => KEPT.test(name))
    .map((name) => [name, headerOf(head, name) ?? ''] as const);
  if (kept.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > MAX_KEPT)
    objectFault('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  const unframed = kept.map(([name, value]) => [
    name,
    name === 'content-encoding' ? value.replace(/(?:^|,)\s*aws-chunked\s*(?=,|$)/, '') : value,
  ]);
  return Object.fromEntries(unframed.filter(([, value]) => value !== ''));
}

const checksumHeaders = ({ checksum }: ObjectRecord): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' };

/** The part of an object that a Range header asks for; the whole where there is none, or one of another form. */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly from: number; readonly to: number; readonly isPart: boolean } {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return { from: 0, to: size, isPart: false };
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (from >= size || from >= to) objectFault('InvalidRange', 'The requested range is not satisfiable');
  return { from, to, isPart: true };
}

/** Whether a client has the object as it is already (RFC 9110 section 13); fails where it wants another one. */
function isKnown({ head }: ObjectCall, record: ObjectRecord): boolean {
  const etag = etagOf(record);
  const named = (name: string): string[] | undefined =>
    headerOf(head, name)
      ?.split(',')
      .map((each) => each.trim().replace(/^W\//, ''));
  const second = Math.floor(record.lastModified / 1000) * 1000;
  const match = named('if-match');
  const unmodified = headerOf(head, 'if-unmodified-since');
  if (
    match !== undefined
      ? !match.includes('*') && !match.includes(etag)
      : unmodified !== undefined && second > Date.parse(unmodified)
  )
    objectFault('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  const none = named('if-none-match');
  if (none !== undefined) return none.includes('*') || none.includes(etag);
  const modified = headerOf(head, 'if-modified-since');
  return modified !== undefined && second <= Date.parse(modified);
}

function objectHeaders({ query }: ObjectRequest, record: ObjectRecord): Record<string, string> {
  const replaced = REPLACED.flatMap((name): (readonly [string, string])[] => {
    const value = query.get(`response-${name}`);
    return value === undefined || /[^\t\x20-\x7e]/.test(value) ? [] : [[name, value]];
  });
  return {
    'content-type': record.contentType ?? 'binary/octet-stream',
    ...record.headers,
    ...Object.fromEntries(replaced),
    etag: etagOf(record),
    'last-modified': new Date(record.lastModified).toUTCString(),
    'accept-ranges': 'bytes',
  };
}

export function createS3Service({ objects, isOwnName }: S3ServiceOptions): ObjectService {
  async function get(call: ObjectCall, request: ObjectRequest): Promise<ObjectAnswer> {
    const record = await objects.describe(call.caller.accountId, request);
    const headers = objectHeaders(request, record);
    if (isKnown(call, record)) return nothing(304, headers);
    const { from, to, isPart } = rangeOf(headerOf(call.head, 'range'), record.size);
    const sums = headerOf(call.head, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' ? checksumHeaders(record) : {};
    // A checksum is of the whole.
    const part: Record<string, string> = isPart ? { 'content-range': `bytes ${from}-${to - 1}/${record.size}` } : sums;
    const content = request.operation === 'HeadObject' ? noBytes() : objects.content(record, from, to);
    return { status: isPart ? 206 : 200, headers: { ...headers, ...part, 'content-length': String(to - from) }, content };
  }

  async function put(call: ObjectCall, request: ObjectRequest): Promise<ObjectAnswer> {
    const { size, content, check } = readUpload(call);
    const contentType = headerOf(call.head, 'content-type');
    const mustBeNew = headerOf(call.head, 'if-none-match')?.trim() === '*';
    const record = await objects.put(call.caller.accountId, request, content, {
      ...{ size, contentType, check, mustBeNew },
      headers: keptHeaders(call),
    });
    return nothing(200, { etag: etagOf(record), ...checksumHeaders(record) });
  }

  async function list({ caller }: ObjectCall, { operation, bucket, query }: ObjectRequest): Promise<ObjectAnswer> {
    const version = operation === 'ListObjectsV2' ? 2 : 1;
    const asked = query.get('max-keys') ?? String(MAX_LISTED);
    if (!/^\d{1,9}$/.test(asked)) objectFault('InvalidArgument', 'Argument max-keys must be an integer between 0 and 2147483647');
    const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
    const token = query.get('continuation-token');
    const given = version === 1 ? query.get('marker') : (token ?? query.get('start-after'));
    const after = (token === undefined ? given : Buffer.from(token, 'base64url').toString()) ?? '';
    const limit = Math.min(Number(asked), MAX_LISTED);
    const found =
      limit === 0
        ? { objects: [], prefixes: [] }
        : await objects.list(caller.accountId, { bucket, prefix, delimiter, after, limit });
    const isUrlEncoded = query.get('encoding-type') === 'url';
    return objectList(version, { bucket, prefix, delimiter, limit, isUrlEncoded, after: given }, found);
  }

  async function answer(call: ObjectCall, request: ObjectRequest): Promise<ObjectAnswer> {
    const { accountId } = call.caller;
    switch (request.operation) {
      case 'ListBuckets':
        return bucketList(accountId, await objects.buckets.ofAccount(accountId));
      case 'CreateBucket':
        await objects.buckets.create(call.caller, request.bucket);
        return nothing(200, { location: `/${request.bucket}` });
      case 'DeleteBucket':
        await objects.buckets.delete(accountId, request.bucket);
        return nothing(204);
      case 'HeadBucket':
        return nothing(200, { 'x-amz-bucket-region': (await objects.buckets.get(accountId, request.bucket)).region });
      case 'GetBucketLocation':
        return bucketLocation((await objects.buckets.get(accountId, request.bucket)).region);
      case 'ListObjects':
      case 'ListObjectsV2':
        return list(call, request);
      case 'GetObject':
      case 'HeadObject':
        return get(call, request);
      case 'PutObject':
        return put(call, request);
      case 'DeleteObject':
        await objects.delete(accountId, request);
        return nothing(204);
    }
  }

  return async (call) => {
    try {
      const request = readObjectRequest(call.head, hostedBucket(headerOf(call.head, 'host'), isOwnName));
      const { bucket, key } = request;
      const input = { bucketName: bucket, ...(key !== '' && { objectName: key }) };
      await call.authorize(request.operation, [neededFor(request)], input);
      return await answer(call, request);
    } catch (error) {
      if (error instanceof ObjectFault) return faultAnswer(error, call.caller.requestId);
      throw error;
    }
  };
}

async function* noBytes(): AsyncGenerator<Uint8Array, void, undefined> {
  // The answer to HEAD has the headers of one to GET.
}

/** What a request to S3 asks for: by its method, its path or host, and the subresources of its query. Pure. */
import { parseQuery, percentDecode } from '@thingkeep/wire/api/percent.ts';
import type { SignedHead } from '../../api/signed-request.ts';
import { objectFault } from '../contract.ts';

export type ObjectOperation =
  | 'CreateBucket'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'GetBucketLocation'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'PutObject';

export interface ObjectRequest {
  readonly operation: ObjectOperation;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

const OF_OBJECT: Readonly<Record<string, ObjectOperation>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};
const OF_BUCKET: Readonly<Record<string, ObjectOperation>> = {
  GET: 'ListObjects',
  HEAD: 'HeadBucket',
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
};

/** Parameters that select nothing: of lists, of presigned requests, of answers, and what SDKs add for themselves. */
const PLAIN =
  /^(?:x-amz-(?!copy)|X-Amz-|response-|x-id$|AWSAccessKeyId$|Signature$|Expires$|list-type$|prefix$|delimiter$|max-keys$|marker$|continuation-token$|start-after$|encoding-type$|fetch-owner$|max-buckets$|bucket-region$)/;

/** Headers that ask for what there is not; some values of them ask for what there is. */
const UNSERVED: readonly (readonly [name: RegExp, served: RegExp])[] = [
  [/^x-amz-acl$/, /^(?:private|bucket-owner-full-control|bucket-owner-read)$/],
  [/^x-amz-storage-class$/, /^STANDARD$/],
  [/^x-amz-(?:server-side-encryption|object-lock|tagging|website|grant|copy-source|bucket-object-lock)/, /^$/],
];

const notImplemented = (what: string): never =>
  objectFault(
    'NotImplemented',
    `${what} is not implemented: the embedded store has single objects alone (PUT, GET, HEAD, DELETE, lists, presigned GET and PUT).`,
  );

/** Bucket and key of a path; `hosted` is a bucket that the Host names. */
function nameOf(path: string, hosted: string | undefined): Pick<ObjectRequest, 'bucket' | 'key'> {
  const whole = percentDecode(path.slice(1)) ?? objectFault('InvalidRequest', 'The path is not valid.');
  if (hosted !== undefined) return { bucket: hosted, key: whole };
  const slash = whole.indexOf('/');
  return slash < 0 ? { bucket: whole, key: '' } : { bucket: whole.slice(0, slash), key: whole.slice(slash + 1) };
}

export function readObjectRequest(head: SignedHead, hosted: string | undefined): ObjectRequest {
  const { method, path } = head;
  const query = new Map(parseQuery(head.query) ?? objectFault('InvalidRequest', 'The query string is not valid.'));
  const { bucket, key } = nameOf(path, hosted);
  const request = (operation: ObjectOperation): ObjectRequest => ({ operation, bucket, key, query });
  if (bucket !== '' && key === '' && method === 'GET' && query.has('location')) return request('GetBucketLocation');
  if (method === 'POST' || query.has('uploads') || query.has('uploadId'))
    return notImplemented('An upload in parts, a form or a batch');
  const other = [...query.keys()].find((name) => !PLAIN.test(name));
  if (other !== undefined) return notImplemented(`The subresource ${other.slice(0, 64)}`);
  for (const [name, values] of head.headers)
    if (UNSERVED.some(([names, served]) => names.test(name) && values.some((value) => !served.test(value.trim()))))
      return notImplemented(`What the header ${name} asks for`);
  if (bucket === '')
    return method === 'GET' ? request('ListBuckets') : objectFault('MethodNotAllowed', 'The method is not allowed.');
  const operation = (key === '' ? OF_BUCKET : OF_OBJECT)[method];
  if (operation === undefined) return objectFault('MethodNotAllowed', 'The method is not allowed.');
  return request(operation === 'ListObjects' && query.get('list-type') === '2' ? 'ListObjectsV2' : operation);
}

/** Answers of S3 in XML (S3 API reference). Pure. */
import { percentEncode } from '@thingkeep/wire/api/percent.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { textWithReferences, type Xml, xmlDocument } from '../../api/xml.ts';
import { OBJECT_FAULTS, type ObjectFault } from '../contract.ts';
import type { ListedObjects } from '../embedded-objects.ts';
import type { BucketRecord, ObjectRecord } from '../store.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const TYPE = { 'content-type': 'application/xml' };

const document = (name: string, content: Xml): Rendered => ({
  status: 200,
  headers: TYPE,
  body: xmlDocument(name, NAMESPACE, content, textWithReferences),
});

const time = (at: number): string => new Date(at).toISOString();

export const nothing = (status: number, headers: Readonly<Record<string, string>> = {}): Rendered => ({
  status,
  headers,
  body: '',
});

export const etagOf = ({ md5 }: Pick<ObjectRecord, 'md5'>): string => `"${md5}"`;

export function faultAnswer({ code, message }: ObjectFault, requestId: string): Rendered & { failure: string } {
  const content = [
    ['Code', code],
    ['Message', message],
    ['RequestId', requestId],
  ] as const;
  return { status: OBJECT_FAULTS[code], headers: TYPE, body: xmlDocument('Error', undefined, content), failure: code };
}

export const bucketList = (accountId: string, owned: readonly BucketRecord[]): Rendered =>
  document('ListAllMyBucketsResult', [
    ['Owner', [['ID', accountId]]],
    [
      'Buckets',
      owned.map(({ bucket, createdAt, region }) => [
        'Bucket',
        [
          ['Name', bucket],
          ['CreationDate', time(createdAt)],
          ['BucketRegion', region],
        ],
      ]),
    ],
  ]);

/** Of us-east-1 it is empty, as it was before there were others. */
export const bucketLocation = (region: string): Rendered => document('LocationConstraint', region === 'us-east-1' ? '' : region);

/** What a list was asked for. */
export interface AskedList {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly isUrlEncoded: boolean;
  /** As it was given: the key or the token that the list begins behind. */
  readonly after: string | undefined;
}

const contents = (objects: readonly ObjectRecord[], name: (text: string) => string): (readonly [string, Xml])[] =>
  objects.map((record) => [
    'Contents',
    [
      ['Key', name(record.key)],
      ['LastModified', time(record.lastModified)],
      ['ETag', etagOf(record)],
      ['Size', String(record.size)],
      ['StorageClass', 'STANDARD'],
    ],
  ]);

const maybe = (name: string, text: string | undefined): (readonly [string, Xml])[] =>
  text === undefined || text === '' ? [] : [[name, text]];

/** ListObjects, and its second version, whose pages end with a token. */
export function objectList(version: 1 | 2, asked: AskedList, { objects, prefixes, next }: ListedObjects): Rendered {
  const name = asked.isUrlEncoded ? (text: string) => percentEncode(text).replaceAll('%2F', '/') : (text: string) => text;
  const token = next === undefined ? undefined : Buffer.from(next).toString('base64url');
  return document('ListBucketResult', [
    ['Name', asked.bucket],
    ['Prefix', name(asked.prefix)],
    ...maybe('Delimiter', name(asked.delimiter)),
    ['MaxKeys', String(asked.limit)],
    ...maybe('EncodingType', asked.isUrlEncoded ? 'url' : undefined),
    ['IsTruncated', String(next !== undefined)],
    ...(version === 1
      ? ([['Marker', name(asked.after ?? '')]] as const)
      : ([['KeyCount', String(objects.length + prefixes.length)]] as const)),
    ...(version === 1 ? maybe('NextMarker', next === undefined ? undefined : name(next)) : []),
    ...(version === 2 ? [...maybe('ContinuationToken', asked.after), ...maybe('NextContinuationToken', token)] : []),
    ...contents(objects, name),
    ...prefixes.map((prefix) => ['CommonPrefixes', [['Prefix', name(prefix)]]] as const),
  ]);
}

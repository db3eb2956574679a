/** Streams for tests: an object, a stream of it, and a device that gets the whole of a file block by block. */
import { CreateStreamCommand } from '@aws-sdk/client-iot';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decode, encode } from 'cbor2';
import type mqtt from 'mqtt';
import { allow } from './devices.ts';
import { makeRole } from './identities.ts';
import type { TestServer } from './test-core.ts';
import { within } from './until.ts';

export type StreamFormat = 'json' | 'cbor';

const s3Of = (server: TestServer): S3Client =>
  new S3Client({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), forcePathStyle: true });

/** Puts files into a bucket and makes a stream of them, with ids from 0 on. Gives the ARN of the stream's role. */
export async function makeStream(server: TestServer, streamId: string, files: readonly Buffer[]): Promise<string> {
  const Bucket = `bucket-${streamId}`;
  const s3 = s3Of(server);
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [i, Body] of files.entries()) await s3.send(new PutObjectCommand({ Bucket, Key: `file-${i}`, Body }));
  s3.destroy();
  const roleArn = await makeRole(server, `streams-${streamId}`, [allow('s3:GetObject', `arn:aws:s3:::${Bucket}/*`)]);
  const listed = files.map((_, fileId) => ({ fileId, s3Location: { bucket: Bucket, key: `file-${fileId}` } }));
  await server.iot.send(new CreateStreamCommand({ streamId, roleArn, files: listed, description: 'firmware' }));
  return roleArn;
}

export const readMessage = (payload: Buffer, format: StreamFormat): Record<string, unknown> =>
  format === 'json' ? (JSON.parse(payload.toString()) as Record<string, unknown>) : decode(payload);
export const writeMessage = (body: object, format: StreamFormat): Buffer =>
  Buffer.from(format === 'json' ? JSON.stringify(body) : encode(body));

export interface StreamAnswer {
  readonly what: string;
  readonly body: Record<string, unknown>;
}

/** Publishes a request; resolves with as many answers, which come without a subscription. */
export async function askStream(
  client: mqtt.MqttClient,
  topic: string,
  body: object,
  count = 1,
  qos: 0 | 1 = 0,
): Promise<StreamAnswer[]> {
  const [, thing = '', streamId = '', format] = /things\/([^/]+)\/streams\/([^/]+)\/\w+\/(json|cbor)$/.exec(topic) ?? [];
  const prefix = `$aws/things/${thing}/streams/${streamId}/`;
  const { promise, resolve } = Promise.withResolvers<StreamAnswer[]>();
  const answers: StreamAnswer[] = [];
  const take = (on: string, payload: Buffer): void => {
    if (!on.startsWith(prefix)) return;
    const [what = '', as] = on.slice(prefix.length).split('/');
    answers.push({ what, body: readMessage(payload, as as StreamFormat) });
    if (answers.length === count || what === 'rejected') resolve(answers);
  };
  client.on('message', take);
  client.publish(topic, writeMessage(body, format as StreamFormat), { qos });
  return within('the answers of a stream', promise, 60_000).finally(() => client.off('message', take));
}

const bytesOf = (p: unknown): Buffer => (typeof p === 'string' ? Buffer.from(p, 'base64') : Buffer.from(p as Uint8Array));

/** Gets a whole file, as many blocks in a request as fit. */
export async function download(
  client: mqtt.MqttClient,
  { thing, streamId, format }: { readonly thing: string; readonly streamId: string; readonly format: StreamFormat },
  { fileId, size, blockSize }: { readonly fileId: number; readonly size: number; readonly blockSize: number },
): Promise<Buffer> {
  const file = Buffer.alloc(size);
  const count = Math.floor(131_072 / blockSize);
  const blocks = Math.ceil(size / blockSize);
  const topic = `$aws/things/${thing}/streams/${streamId}/get/${format}`;
  for (let o = 0; o < blocks; o += count) {
    const n = Math.min(count, blocks - o);
    for (const { what, body } of await askStream(client, topic, { f: fileId, l: blockSize, o, n }, n)) {
      if (what !== 'data') throw new TypeError(JSON.stringify(body));
      bytesOf(body.p).copy(file, Number(body.i) * blockSize);
    }
  }
  return file;
}

/**
 * Files for a device: over HTTPS, or block by block over MQTT (streams). A file is written beside its place, and comes there when
 * its SHA-256 is the expected one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { AgentError } from './agent-error.ts';
import type { DeviceConnection } from './device-connection.ts';
import { readJsonObject } from './topic-request.ts';

export interface Download {
  /** Name in the folder of downloads. */
  readonly file: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly from: { readonly url: string } | { readonly stream: string; readonly fileId: number };
}

export interface DownloadSettings {
  readonly folder: string;
  readonly maxBytes: number;
  /** Authorities of HTTPS servers beside those of Node.js, in PEM. */
  readonly ca?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, total: number | undefined) => void;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Bytes of a block of a stream; one request gives 128 KiB at most. */
const BLOCK = 4096;
const BLOCKS = 16;
/** Milliseconds without anything coming. */
const SILENCE = 30_000;
const TRIES = 5;

export const isFileName = (name: string): boolean => NAME.test(name) && !name.endsWith('.part');

/** Parts of a file over HTTPS. Redirects are not followed: a presigned URL has none. */
async function* overHttps(url: string, { ca, signal, maxBytes, onProgress }: DownloadSettings): AsyncGenerator<Buffer> {
  if (!url.startsWith('https://')) throw new AgentError('content', 'files are got by https:// alone');
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  const request = getHttps(
    url,
    { ca: ca === undefined ? undefined : [...rootCertificates, ca], signal, timeout: SILENCE },
    resolve,
  );
  request.once('timeout', () => request.destroy(new AgentError('timeout', `nothing came within ${SILENCE / 1000} s`)));
  request.once('error', (cause) =>
    // The address has a signature in it, which nothing says.
    reject(cause instanceof AgentError ? cause : new AgentError('connection', `the file's server: ${cause.message}`, { cause })),
  );
  const response = await promise;
  if (response.statusCode !== 200) {
    request.destroy();
    throw new AgentError('refused', `the file's server answers with ${response.statusCode}`);
  }
  const total = Number(response.headers['content-length'] ?? Number.NaN);
  if (total > maxBytes) {
    request.destroy();
    throw new AgentError('content', `the file has ${total} bytes, over ${maxBytes}`);
  }
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      onProgress(bytes, Number.isNaN(total) ? undefined : total);
      yield chunk as Buffer;
    }
  } catch (cause) {
    throw cause instanceof AgentError
      ? cause
      : new AgentError('connection', `the file's server: ${(cause as Error).message}`, { cause });
  }
}

/** One request on the topics of a stream; what comes goes to `take`, until it says that it has all. */
async function askStream(
  connection: DeviceConnection,
  topic: string,
  { what, answer, body, signal }: { what: string; answer: string; body: object; signal: AbortSignal },
  take: (answer: Readonly<Record<string, unknown>>) => boolean,
): Promise<boolean> {
  const clientToken = randomUUID();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  promise.catch(() => undefined);
  const onAbort = (): void => reject(new AgentError('timeout', 'interrupted'));
  signal.addEventListener('abort', onAbort, { once: true });
  const stop = connection.hear(`${topic}/+/json`, (message) => {
    try {
      const came = readJsonObject(message);
      if (came.c !== clientToken) return;
      if (message.topic.endsWith('/rejected/json'))
        throw new AgentError('refused', `the stream: ${String(came.m)} (${String(came.o)})`);
      if (message.topic.endsWith(`/${answer}/json`) && take(came)) resolve(true);
    } catch (error) {
      reject(error);
    }
  });
  const timer = setTimeout(() => resolve(false), SILENCE / TRIES);
  try {
    await connection.publish(`${topic}/${what}/json`, JSON.stringify({ ...body, c: clientToken }));
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Parts of a file of a stream: blocks that did not come are asked for again. */
async function* overStream(
  connection: DeviceConnection,
  thingName: string,
  { stream, fileId }: { stream: string; fileId: number },
  { maxBytes, onProgress, signal }: DownloadSettings,
): AsyncGenerator<Buffer> {
  const topic = `$aws/things/${thingName}/streams/${stream}`;
  let size = -1;
  let version = 0;
  const describe = { what: 'describe', answer: 'description', body: {}, signal };
  for (let tries = 0; tries < TRIES && size < 0; tries += 1)
    await askStream(connection, topic, describe, ({ r, s }) => {
      const file = Array.isArray(r) ? (r as { f: unknown; z: unknown }[]).find(({ f }) => f === fileId) : undefined;
      if (file === undefined) throw new AgentError('refused', `the stream ${stream} has no file ${fileId}`);
      [size, version] = [Number(file.z), Number(s)];
      return true;
    });
  if (!(size >= 0)) throw new AgentError('timeout', `the stream ${stream} does not answer`);
  if (size > maxBytes) throw new AgentError('content', `the file has ${size} bytes, over ${maxBytes}`);
  const count = Math.ceil(size / BLOCK);
  let tries = 0;
  for (let first = 0; first < count; ) {
    const blocks = new Map<number, Buffer>();
    const wanted = Math.min(BLOCKS, count - first);
    const body = { s: version, f: fileId, l: BLOCK, o: first, n: wanted };
    await askStream(connection, topic, { what: 'get', answer: 'data', body, signal }, ({ i, p }) => {
      const bytes = Buffer.from(String(p), 'base64');
      const expected = Math.min(BLOCK, size - Number(i) * BLOCK);
      if (Number(i) >= first && Number(i) < first + wanted && bytes.length === expected) blocks.set(Number(i), bytes);
      return blocks.size === wanted;
    });
    tries = blocks.has(first) ? 0 : tries + 1;
    if (tries === TRIES) throw new AgentError('timeout', `block ${first} of the stream ${stream} does not come`);
    for (let block = blocks.get(first); block !== undefined; block = blocks.get(first)) {
      first += 1;
      onProgress(Math.min(first * BLOCK, size), size);
      yield block;
    }
  }
}

/** Gets a file; its path. Throws AgentError; `content` where its hash is not the expected one, and then nothing has changed. */
export async function download(
  connection: DeviceConnection,
  thingName: string,
  { file, sha256, from }: Download,
  settings: DownloadSettings,
): Promise<string> {
  const path = join(settings.folder, file);
  const part = `${path}.part`;
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  rmSync(part, { force: true });
  const hash = createHash('sha256');
  const descriptor = openSync(part, 'wx', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of 'url' in from
      ? overHttps(from.url, settings)
      : overStream(connection, thingName, { ...from, stream: from.stream }, settings)) {
      bytes += chunk.length;
      if (bytes > settings.maxBytes) throw new AgentError('content', `the file has over ${settings.maxBytes} bytes`);
      hash.update(chunk);
      for (let at = 0; at < chunk.length; at += writeSync(descriptor, chunk, at));
    }
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  const found = hash.digest('hex');
  if (found !== sha256) {
    rmSync(part, { force: true });
    throw new AgentError('content', `the file's SHA-256 is ${found}, not ${sha256}`);
  }
  renameSync(part, path);
  return path;
}

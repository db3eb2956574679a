/**
 * The archives of functions on disk, each under the digest of its bytes: written whole and synced before a record names it,
 * removed when no record does any more.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@thingkeep/wire/errors.ts';

/** SHA-256, base64: how the API shows it (CodeSha256). */
export const codeDigest = (zip: Uint8Array): string => createHash('sha256').update(zip).digest('base64');

/** An archive that is missing or damaged; the message is for the caller of the function. */
export class CodeFault extends Error {
  override readonly name = 'CodeFault';
  readonly file: string;

  constructor(what: 'missing' | 'damaged', file: string) {
    super(`The code of the function is ${what}. UpdateFunctionCode brings it back.`);
    this.file = file;
  }
}

/** Name of an archive's file: the digest in hexadecimal digits. */
export const fileName = (digest: string): string => `${Buffer.from(digest, 'base64').toString('hex')}.zip`;

/** Milliseconds that a link to an archive is good for (Lambda API reference, FunctionCodeLocation: ten minutes). */
const LINK = 10 * 60_000;
/** Archives that are fetched at a time: each is in memory until the fetcher has it. */
const MAX_FETCHED = 4;

export class CodeStore {
  readonly #folder: string;
  /** Of this process: a link does not outlive it. */
  readonly #secret = randomBytes(32);
  #turn: Promise<unknown> = Promise.resolve();
  #fetched = 0;
  #holds = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One change after another: no archive is removed between its writing and the record that names it. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Keeps an archive; within `exclusively`, together with the record that names it. */
  async put(zip: Uint8Array): Promise<string> {
    const digest = codeDigest(zip);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, fileName(digest));
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(zip);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    const folder = await open(this.#folder, 'r');
    await folder.sync().finally(() => folder.close());
    return digest;
  }

  /** The archive, whose bytes have this digest. Fails with `CodeFault`. */
  async get(digest: string): Promise<Buffer> {
    const file = join(this.#folder, fileName(digest));
    const zip = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new CodeFault('missing', file);
      throw error;
    });
    if (codeDigest(zip) !== digest) throw new CodeFault('damaged', file);
    return zip;
  }

  /** Keeps archives from being removed until the returned function is called: for a backup. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
    };
  }

  /** Removes archives that no function names. */
  async keepOnly(digests: ReadonlySet<string>): Promise<void> {
    if (this.#holds > 0) return;
    const kept = new Set([...digests].map(fileName));
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names)
      if (/\.zip(\.new)?$/.test(name) && !kept.has(name)) await rm(join(this.#folder, name), { force: true });
  }

  /** A query that fetches this archive until its time is over. */
  linkTo(digest: string, now: number): string {
    const claim = Buffer.from(JSON.stringify({ digest, until: now + LINK })).toString('base64url');
    return `code=${claim}&signature=${this.#sign(claim)}`;
  }

  /**
   * The archive that a query of `linkTo` names; undefined for any other, and when its time is over. It counts as fetched until
   * `done`; fails with TooManyRequestsException when there are too many, and with `CodeFault`.
   */
  async follow(query: string, now: number, done: AbortSignal): Promise<Buffer | undefined> {
    const { code = '', signature = '' } = Object.fromEntries(new URLSearchParams(query)) as Record<string, string>;
    const expected = Buffer.from(this.#sign(code));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const { digest, until } = JSON.parse(Buffer.from(code, 'base64url').toString()) as { digest: string; until: number };
    if (now > until || done.aborted) return undefined;
    if (this.#fetched >= MAX_FETCHED) fail('TooManyRequestsException', 'Too many archives are fetched at the moment');
    this.#fetched += 1;
    done.addEventListener('abort', () => (this.#fetched -= 1), { once: true });
    return this.get(digest);
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#secret).update(claim).digest('base64url');
  }
}

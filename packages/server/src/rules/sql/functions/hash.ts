/** Hashes of texts as UTF-8, in lower-case hexadecimal (developer guide, page iot-sql-functions, Hashing functions). */
import { createHash } from 'node:crypto';
import { type SqlFunctions, ofTexts, type SqlFunction } from './definition.ts';
import { md2 } from './md2.ts';

/** Steps for a character: MD2 is slow. */
const hash = (digest: (bytes: Buffer) => string, cost = 0.25): SqlFunction =>
  ofTexts({ least: 1 }, ([text = ''], evaluation) => {
    evaluation.spend(text.length * cost);
    return digest(Buffer.from(text, 'utf8'));
  });

const digestOf =
  (algorithm: string) =>
  (bytes: Buffer): string =>
    createHash(algorithm).update(bytes).digest('hex');

export const HASHES: SqlFunctions = {
  md2: hash(md2, 4),
  ...Object.fromEntries(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => [name, hash(digestOf(name))])),
};

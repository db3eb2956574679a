/** How the place of a row is written in checksums, tallies and messages. */
import { crc32 } from 'node:zlib';
import type { Key } from '../contract.ts';

export const rowTally = (rows: string): string => `row/${rows}`;

/** What a row adds to the digest of its tally: its place alone, so that a removal need not read it. */
export const rowDigest = (rows: string, region: string, owner: number, at: number): number =>
  crc32(rowName(rows, region, owner, at));

/** The key that names a row to a person. */
export const rowKey = (region: string, owner: number, at: number): Key => (region === '' ? [owner, at] : [region, owner, at]);

/** What the checksum of a row begins with. */
export const rowName = (rows: string, region: string, owner: number, at: number): string => `${rows}\0${region}\0${owner}\0${at}`;

/** Zip files for tests: proper ones, and those that say of themselves what is not so (PKWARE APPNOTE.TXT). */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Unix mode with its type; a plain file's when absent. */
  readonly mode?: number;
  /** What the entry says its size is, when that is not so. */
  readonly claimedSize?: number;
  readonly encrypted?: boolean;
}

const FILE = 0o100644;

function header(signature: number, { name, content = '', claimedSize, encrypted }: ZipEntry): { fixed: Buffer; data: Buffer } {
  const bytes = Buffer.from(content);
  const data = deflateRawSync(bytes);
  const fixed = Buffer.alloc(30);
  fixed.writeUInt32LE(signature, 0);
  fixed.writeUInt16LE(20, 4);
  fixed.writeUInt16LE(encrypted === true ? 0x801 : 0x800, 6);
  fixed.writeUInt16LE(8, 8);
  fixed.writeUInt32LE(crc32(bytes), 14);
  fixed.writeUInt32LE(data.length, 18);
  fixed.writeUInt32LE(claimedSize ?? bytes.length, 22);
  fixed.writeUInt16LE(Buffer.byteLength(name), 26);
  return { fixed, data };
}

function centralOf(entry: ZipEntry, offset: number): Buffer {
  const { fixed } = header(0, entry);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  // Made on Unix.
  central.writeUInt16LE((3 << 8) | 20, 4);
  fixed.copy(central, 6, 4, 30);
  central.writeUInt32LE((((entry.mode ?? FILE) << 16) >>> 0) >>> 0, 38);
  central.writeUInt32LE(offset, 42);
  return Buffer.concat([central, Buffer.from(entry.name)]);
}

export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { fixed, data } = header(0x04034b50, entry);
    centrals.push(centralOf(entry, offset));
    const local = Buffer.concat([fixed, Buffer.from(entry.name), data]);
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** An archive of text files. */
export const zipOfFiles = (files: Readonly<Record<string, string>>): Buffer =>
  zipOf(Object.entries(files).map(([name, content]) => ({ name, content })));

/**
 * Software bills of materials: a zip archive of files in JSON, each in the form of SPDX or CycloneDX (developer guide, page
 * preparing-to-use-software-package-catalog).
 */
import { isObject } from '@thingkeep/wire/is-object.ts';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { refuseInput } from './packages.ts';
import type { SbomResult } from './store.ts';

/** Bytes of an archive, of one of its files, and of all together; files of an archive, and bytes of their names: ours. */
export const MAX_ARCHIVE = 2 * 1024 * 1024;
const MAX_FILE = 4 * 1024 * 1024;
const MAX_IN_ALL = 16 * 1024 * 1024;
const MAX_FILES = 100;
const MAX_NAME = 1024;

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value);

/** Whether a document says of itself that it is one of the known forms (SPDX 2.x; CycloneDX 1.x). */
function isSbom(document: unknown): boolean {
  if (!isObject(document)) return false;
  const { spdxVersion, SPDXID, bomFormat, specVersion } = document as Readonly<Record<string, unknown>>;
  if (bomFormat === 'CycloneDX') return isText(specVersion, /^1\.\d{1,2}$/);
  return isText(spdxVersion, /^SPDX-2\.\d{1,2}$/) && SPDXID === 'SPDXRef-DOCUMENT';
}

const incompatible = (fileName: string, errorMessage: string): SbomResult => ({
  fileName,
  errorCode: 'INCOMPATIBLE_FORMAT',
  errorMessage,
});

function checkedText(fileName: string, text: string): SbomResult {
  try {
    return isSbom(JSON.parse(text)) ? { fileName } : incompatible(fileName, 'The file is neither SPDX 2 nor CycloneDX 1 in JSON');
  } catch {
    return incompatible(fileName, 'The file is not JSON');
  }
}

async function checkedFile(archive: ZipFile, entry: Entry): Promise<SbomResult> {
  const { fileName, uncompressedSize } = entry;
  if (uncompressedSize > MAX_FILE)
    return { fileName, errorCode: 'FILE_SIZE_LIMIT_EXCEEDED', errorMessage: `The file is larger than ${MAX_FILE} bytes` };
  if (entry.isEncrypted()) return incompatible(fileName, 'The file is encrypted');
  const pieces: Buffer[] = [];
  // The reader stops at the size that was looked at, whatever comes out of it.
  for await (const piece of await archive.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
  return checkedText(fileName, Buffer.concat(pieces).toString());
}

async function opened(zip: Buffer): Promise<ZipFile> {
  try {
    return await fromBufferPromise(zip, { lazyEntries: true, strictFileNames: true });
  } catch {
    return refuseInput('The SBOM is not a zip archive');
  }
}

/** What is found in each file of an archive; fails with ValidationException where it is none. */
export async function checkSbom(zip: Buffer): Promise<readonly SbomResult[]> {
  const archive = await opened(zip);
  const results: SbomResult[] = [];
  let entries = 0;
  let left = MAX_IN_ALL;
  try {
    for await (const entry of archive.eachEntry()) {
      entries += 1;
      if (entries > MAX_FILES || entry.fileName.length > MAX_NAME)
        refuseInput(`The SBOM has more than ${MAX_FILES} files, or a name that is too long`);
      left -= Math.min(entry.uncompressedSize, MAX_FILE);
      if (left < 0) refuseInput(`The files of the SBOM have more than ${MAX_IN_ALL} bytes together`);
      if (!entry.fileName.endsWith('/')) results.push(await checkedFile(archive, entry));
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationException') throw error;
    return refuseInput('The zip archive of the SBOM can not be read');
  }
  return results.length === 0 ? refuseInput('The SBOM has no file') : results;
}

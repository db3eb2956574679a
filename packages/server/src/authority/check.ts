/** What is damaged in the folder of an authority, without changing anything there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readKeyFileText } from './certified-key.ts';

/** A line for each key file that is not as it was written. */
export async function authorityFaults(folder: string): Promise<string[]> {
  const faults: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if (name.endsWith('.pem') && readKeyFileText(await readFile(path, 'utf8')) === undefined)
      faults.push(`key file ${path} is damaged`);
  }
  return faults;
}

/** What is damaged in the folder of functions' archives, without changing anything there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeDigest, fileName } from './code-store.ts';

/** A line for each archive whose bytes have not the digest that its name says. */
export async function archiveFaults(folder: string): Promise<string[]> {
  const faults: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if (name.endsWith('.zip') && fileName(codeDigest(await readFile(path))) !== name) faults.push(`archive ${path} is damaged`);
  }
  return faults;
}

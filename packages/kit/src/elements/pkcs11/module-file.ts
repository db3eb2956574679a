/** Finds the file of a PKCS #11 module: by its path, by its name where modules are installed, or p11-kit's proxy for all of them. */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ElementError } from '../contract.ts';
import type { Pkcs11Uri } from './pkcs11-uri.ts';

/** Names of the architecture as Debian's folders have it, by Node's. */
const TRIPLETS: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  ia32: 'i386-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
};

function foldersOfModules(): string[] {
  const triplet = TRIPLETS[process.arch];
  const bases = [...(triplet === undefined ? [] : [`/usr/lib/${triplet}`]), '/usr/lib64', '/usr/lib', '/usr/local/lib'];
  return bases.flatMap((base) => ['pkcs11', 'softhsm', ''].map((folder) => join(base, folder)));
}

const kindOf = (path: string): 'file' | 'folder' | undefined => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : found.isDirectory() ? 'folder' : 'file';
};

/** Packages of Debian that bring a module, by the name that it is asked for with. */
const PACKAGES: Readonly<Record<string, string>> = {
  softhsm2: 'softhsm2',
  'p11-kit-proxy': 'p11-kit-modules',
  'opensc-pkcs11': 'opensc-pkcs11',
  tpm2_pkcs11: 'libtpm2-pkcs11-1',
  ykcs11: 'ykcs11',
};

function findByName(name: string, folders: readonly string[]): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(name))
    throw new ElementError('invalid', `${name} is no name of a module`, { hint: 'module-path=PATH takes the path of one' });
  const names = [`${name}.so`, `lib${name}.so`, ...(process.platform === 'darwin' ? [`lib${name}.dylib`, `${name}.dylib`] : [])];
  for (const folder of folders) for (const file of names) if (kindOf(join(folder, file)) === 'file') return join(folder, file);
  const brought = PACKAGES[name];
  throw new ElementError('missing-library', `the PKCS #11 module ${names.join(' or ')} is in none of ${folders.join(', ')}`, {
    hint: brought === undefined ? 'give its path with module-path=PATH' : `apt-get install ${brought}, or give module-path=PATH`,
  });
}

/** The path of the module that a URI means. Throws ElementError. */
export function moduleFileOf({ moduleName, modulePath }: Pkcs11Uri): string {
  if (modulePath === undefined) return findByName(moduleName ?? 'p11-kit-proxy', foldersOfModules());
  if (!isAbsolute(modulePath))
    throw new ElementError('invalid', `module-path ${modulePath} is not absolute`, {
      hint: 'module-name=NAME looks in the folders of modules',
    });
  const kind = kindOf(modulePath);
  if (kind === 'folder' && moduleName !== undefined) return findByName(moduleName, [modulePath]);
  if (kind === 'file') return modulePath;
  throw new ElementError('missing-library', `there is no PKCS #11 module ${modulePath}`);
}

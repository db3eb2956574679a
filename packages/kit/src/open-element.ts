/** Opens the element that a URI names. */
import type { KeyObject } from 'node:crypto';
import { ElementError, type SecureElement } from './elements/contract.ts';

async function atecc(uri: string): Promise<SecureElement> {
  const { openAteccElement } = await import('./elements/atecc/atecc-element.ts');
  return openAteccElement(uri, (await import('./virtual-chips/kinds.ts')).openVirtualChip);
}

/** OPTIGA chips: on a bus, or virtual ones. */
const openOptiga =
  (kind: 'optiga-trust-m' | 'optiga-trust-x') =>
  async (uri: string): Promise<SecureElement> => {
    const { openOptigaElement } = await import('./elements/optiga/optiga-element.ts');
    const { openBus } = await import('./buses/place.ts');
    const { openVirtualOptiga } = await import('./virtual-chips/optiga/virtual-optiga.ts');
    const { memoryFile } = await import('./virtual-chips/memory-file.ts');
    return openOptigaElement(uri, kind, async (place) => {
      let virtualKey: ((key: string) => KeyObject) | undefined;
      const bus = await openBus(place, (path) => {
        const chip = openVirtualOptiga(kind, memoryFile(path));
        virtualKey = (key) => chip.privateKeyForTls(key);
        return chip;
      });
      return { bus, virtualKey };
    });
  };

/** By scheme. Each is loaded when it is asked for, so that nobody needs what another kind needs. */
const SCHEMES: Readonly<Record<string, (uri: string) => Promise<SecureElement>>> = {
  atecc508a: atecc,
  atecc608: atecc,
  file: async (uri) => (await import('./elements/file/file-element.ts')).openFileElement(uri),
  pkcs11: async (uri) => (await import('./elements/pkcs11/pkcs11-element.ts')).openPkcs11Element(uri),
  'optiga-trust-m': openOptiga('optiga-trust-m'),
  'optiga-trust-x': openOptiga('optiga-trust-x'),
};

export const ELEMENT_SCHEMES: readonly string[] = Object.keys(SCHEMES);

/** Throws ElementError. Who opens an element disposes of it. */
export async function openElement(uri: string): Promise<SecureElement> {
  const scheme = uri.slice(0, Math.max(uri.indexOf(':'), 0));
  const open = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (open === undefined)
    throw new ElementError('invalid', `${uri} is no URI of an element`, {
      hint: `schemes: ${ELEMENT_SCHEMES.join(', ')}; such as file:device.key`,
    });
  return open(uri);
}

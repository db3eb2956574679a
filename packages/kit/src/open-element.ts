/** Opens the element that a URI names. */
import type { KeyObject } from 'node:crypto';
import { ElementError, type ElementKind, type SecureElement } from './elements/contract.ts';

/** The bus that a place names; of a virtual chip in this process also the way to its keys. `kind`: the only one that fits. */
const openPlace = (kind?: ElementKind) => async (place: string) => {
  const { openBus } = await import('./buses/place.ts');
  const { openVirtualChip } = await import('./virtual-chips/kinds.ts');
  let virtualKey: ((key: string) => KeyObject) | undefined;
  const bus = await openBus(place, (path) => {
    const opened = openVirtualChip(path, kind);
    virtualKey = opened.privateKeyForTls;
    return opened.chip;
  });
  return { bus, virtualKey };
};

/** These say themselves of which kind they are. */
const atecc =
  (kind: 'atecc508a' | 'atecc608') =>
  async (uri: string): Promise<SecureElement> =>
    (await import('./elements/atecc/atecc-element.ts')).openAteccElement(uri, kind, openPlace());

const optiga =
  (kind: 'optiga-trust-m' | 'optiga-trust-x') =>
  async (uri: string): Promise<SecureElement> =>
    (await import('./elements/optiga/optiga-element.ts')).openOptigaElement(uri, kind, openPlace(kind));

/** By scheme. Each is loaded when it is used: a `file:` needs no native library that `pkcs11:` needs. */
const SCHEMES: Readonly<Record<string, (uri: string) => Promise<SecureElement>>> = {
  atecc508a: atecc('atecc508a'),
  atecc608: atecc('atecc608'),
  file: async (uri) => (await import('./elements/file/file-element.ts')).openFileElement(uri),
  pkcs11: async (uri) => (await import('./elements/pkcs11/pkcs11-element.ts')).openPkcs11Element(uri),
  'optiga-trust-m': optiga('optiga-trust-m'),
  'optiga-trust-x': optiga('optiga-trust-x'),
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

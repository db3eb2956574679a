/**
 * The URI of an element: `scheme:place?name=value&name=value`. Values are percent-decoded; the place is taken as it stands, so
 * that it can be the path of a file or of a bus. `pkcs11:` has a form of its own (RFC 7512) and is read by elements/pkcs11.
 */
import { ElementError } from './contract.ts';

export interface ElementUri {
  readonly scheme: string;
  readonly place: string;
  readonly attributes: ReadonlyMap<string, string>;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ElementError('invalid', `${text} is not percent-encoded as it should be`);
  }
}

/** Throws ElementError `invalid` where the text is none, or has attributes that `known` does not name. */
export function parseElementUri(text: string, known: readonly string[]): ElementUri {
  const [, scheme = '', place = '', query = ''] = /^([a-z][a-z0-9-]*):([^?]*)(?:\?(.*))?$/s.exec(text) ?? [];
  if (scheme === '') throw new ElementError('invalid', `${text} is no URI of an element`, { hint: 'such as file:device.key' });
  const attributes = new Map<string, string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!known.includes(name)) {
      const names = known.length === 0 ? 'none' : known.join(', ');
      throw new ElementError('invalid', `${scheme}: has no attribute ${name}`, { hint: `known: ${names}` });
    }
    if (attributes.has(name)) throw new ElementError('invalid', `the attribute ${name} is given twice`);
    attributes.set(name, decoded(at < 0 ? '' : pair.slice(at + 1)));
  }
  return { scheme, place, attributes };
}

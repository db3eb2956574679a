/** The flags with which commands name an element and a key in it. */
import type { SecureElement } from '../elements/contract.ts';
import { openElement } from '../open-element.ts';
import { type Flag, type Given, KitError, type Surroundings } from './command.ts';

export const ELEMENT_FLAGS: readonly Flag[] = [
  { name: 'element', short: 'e', value: 'URI', what: 'the secure element; else that of THINGKIT_ELEMENT' },
];
export const KEY_FLAG: Flag = {
  name: 'key',
  short: 'k',
  value: 'NAME',
  what: "the key: a slot, an object id, a label; else the element's usual one",
};

/** Opens the element that a command line or THINGKIT_ELEMENT names. */
export async function elementOf(given: Given, { environment }: Surroundings): Promise<SecureElement> {
  const uri = given.text('element') ?? environment.THINGKIT_ELEMENT;
  if (uri === undefined || uri === '')
    throw new KitError('usage', '--element is missing', { hint: 'such as --element file:device.key, or set THINGKIT_ELEMENT' });
  return openElement(uri);
}

export const keyOf = (given: Given, element: SecureElement): string => given.text('key') ?? element.defaultKey;

/** `thingkit element read` and `write`: the objects of any element. */
import { type Command, KitError } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';
import { fileBytes, hexBytes } from './input-bytes.ts';
import { bytesResult, OUT_FLAG } from './output-file.ts';

const OBJECT_FLAG = {
  name: 'object',
  value: 'NAME',
  what: 'the object: a slot, an object id, a file; thingkit element show lists them',
  isRequired: true,
};

export const readObjectCommand: Command = {
  name: 'element read',
  summary: 'Read an object of an element.',
  flags: [...ELEMENT_FLAGS, OBJECT_FLAG, OUT_FLAG],
  examples: ['thingkit element read --element atecc608:/dev/i2c-1 --object 10 --out device.comp'],
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const object = given.needed('object');
    return bytesResult(given, await element.readObject(object), { object });
  },
};

export const writeObjectCommand: Command = {
  name: 'element write',
  summary: 'Write an object of an element, and read it back.',
  flags: [
    ...ELEMENT_FLAGS,
    OBJECT_FLAG,
    { name: 'in', short: 'i', value: 'FILE', what: 'the content, as it is', isPath: true },
    { name: 'hex', value: 'HEX', what: 'the content in hexadecimal, in the place of a file' },
  ],
  examples: ['thingkit element write --element atecc608:/dev/i2c-1 --object 10 --in device.comp'],
  isWriting: true,
  async run(given, surroundings) {
    const [path, hex] = [given.text('in'), given.text('hex')];
    if ((path === undefined) === (hex === undefined)) throw new KitError('usage', 'either --in or --hex is needed');
    const content = hex === undefined ? fileBytes(path ?? '') : hexBytes(hex, '--hex');
    await using element = await elementOf(given, surroundings);
    const object = given.needed('object');
    const data = { object, length: content.length };
    if (given.has('dry-run'))
      return { data: { dryRun: true, ...data }, text: `would write ${content.length} bytes to object ${object}` };
    await element.writeObject(object, content);
    return { data, text: `wrote ${content.length} bytes to object ${object}, and read them back` };
  },
};

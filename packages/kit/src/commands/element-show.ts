/** `thingkit element show`: what an element is, what is locked, what objects it has. */
import type { Command } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';

export const elementShowCommand: Command = {
  name: 'element show',
  summary: 'Show what a secure element is, what of it is locked, and what objects it has.',
  flags: ELEMENT_FLAGS,
  examples: ['thingkit element show --element atecc608:/dev/i2c-1', 'thingkit element show --element file:device.key --json'],
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const identity = await element.identify();
    const locks = await element.lockState();
    const objects = await element.objects();
    const { kind, maker, model, serialNumber, revision } = identity;
    const named = (isLocked: boolean): string =>
      locks.parts.flatMap((part) => (part.isLocked === isLocked ? [part.name] : [])).join(', ') || 'none';
    const lines = [
      `${maker} ${model} (${kind})`,
      ...(serialNumber === '' ? [] : [`serial number  ${serialNumber}`]),
      ...(revision === '' ? [] : [`revision       ${revision}`]),
      `default key    ${element.defaultKey}`,
      `ready for keys ${locks.isReady ? 'yes' : 'no'}`,
      ...(locks.parts.length === 0 ? [] : [`locked         ${named(true)}`, `open           ${named(false)}`]),
      `objects        ${objects.map(({ name, capacity }) => `${name} (${capacity} bytes)`).join(', ') || 'none'}`,
    ];
    return {
      data: {
        ...{ kind, maker, model, serialNumber, revision, defaultKey: element.defaultKey, isReady: locks.isReady },
        locks: locks.parts.map(({ name, isLocked }) => ({ name, isLocked })),
        objects: objects.map(({ name, capacity }) => ({ name, capacity })),
      },
      text: lines.join('\n'),
    };
  },
};

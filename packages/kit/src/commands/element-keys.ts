/** `thingkit element generate-key`, `public-key`, `sign` and `random`: the keys and random numbers of any element. */
import { createHash } from 'node:crypto';
import { toPem } from '@thingkeep/x509/pem.ts';
import { keyIdentifier } from '@thingkeep/x509/public-key.ts';
import { ecdsaSignature } from '@thingkeep/x509/signing.ts';
import { replaceFile } from '../files/replace-file.ts';
import { type Command, type CommandResult, type Given, KitError } from './command.ts';
import { ELEMENT_FLAGS, elementOf, KEY_FLAG, keyOf } from './element-flag.ts';
import { fileBytes, hexBytes } from './input-bytes.ts';
import { bytesResult, OUT_FLAG } from './output-file.ts';

const PEM_OUT = { ...OUT_FLAG, what: 'where the public key goes in PEM; else to standard output' };

function publicKeyResult(given: Given, key: string, spki: Buffer): CommandResult {
  const pem = toPem('PUBLIC KEY', spki);
  const out = given.text('out');
  if (out !== undefined) replaceFile(out, pem, 0o644);
  return {
    data: { key, publicKey: pem, keyIdentifier: keyIdentifier(spki).toString('hex'), out },
    text: out === undefined ? pem.trimEnd() : `wrote ${out}`,
  };
}

export const generateKeyCommand: Command = {
  name: 'element generate-key',
  summary: 'Make a key pair in an element; the old one in its place is gone, and the private key stays in the element.',
  flags: [...ELEMENT_FLAGS, KEY_FLAG, PEM_OUT],
  examples: ['thingkit element generate-key --element atecc608:/dev/i2c-1 --key 0'],
  isWriting: true,
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const key = keyOf(given, element);
    if (given.has('dry-run')) return { data: { dryRun: true, key }, text: `would make a new key in ${key}` };
    return publicKeyResult(given, key, await element.generateKey(key));
  },
};

export const publicKeyCommand: Command = {
  name: 'element public-key',
  summary: "Print a key's public half in PEM.",
  flags: [...ELEMENT_FLAGS, KEY_FLAG, PEM_OUT],
  examples: ['thingkit element public-key --element atecc608:/dev/i2c-1 --key 0 --out device.pub'],
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const key = keyOf(given, element);
    return publicKeyResult(given, key, await element.publicKey(key));
  },
};

/** The digest of the file, or the one that is given. */
function digestOf(given: Given): Buffer {
  const [path, hex] = [given.text('in'), given.text('digest')];
  if ((path === undefined) === (hex === undefined)) throw new KitError('usage', 'either --in or --digest is needed');
  if (hex === undefined)
    return createHash('sha256')
      .update(fileBytes(path ?? ''))
      .digest();
  const digest = hexBytes(hex, '--digest');
  if (digest.length !== 32) throw new KitError('usage', `--digest takes 32 bytes of SHA-256, not ${digest.length}`);
  return digest;
}

export const signCommand: Command = {
  name: 'element sign',
  summary: 'Sign a file, or a SHA-256 digest, with a key in an element (ECDSA).',
  flags: [
    ...ELEMENT_FLAGS,
    KEY_FLAG,
    { name: 'in', short: 'i', value: 'FILE', what: 'the file to sign', isPath: true },
    { name: 'digest', value: 'HEX', what: 'the SHA-256 digest to sign, in the place of a file' },
    { name: 'form', value: 'FORM', what: 'DER where it is absent, as openssl has it; raw is r and s', oneOf: ['der', 'raw'] },
    OUT_FLAG,
  ],
  examples: ['thingkit element sign --element atecc608:/dev/i2c-1 --key 0 --in message.txt --out message.sig'],
  async run(given, surroundings) {
    const digest = digestOf(given);
    await using element = await elementOf(given, surroundings);
    const key = keyOf(given, element);
    const numbers = await element.sign(key, digest);
    const signature = given.text('form') === 'raw' ? numbers : ecdsaSignature(numbers);
    return bytesResult(given, signature, { key, digest: digest.toString('hex') });
  },
};

const MAX_BYTES = 4096;

export const randomCommand: Command = {
  name: 'element random',
  summary: 'Print random bytes that the element makes.',
  flags: [...ELEMENT_FLAGS, { name: 'length', value: 'BYTES', what: `1 to ${MAX_BYTES}; 32 where it is absent` }, OUT_FLAG],
  examples: ['thingkit element random --element atecc608:/dev/i2c-1 --length 16'],
  async run(given, surroundings) {
    const length = given.number('length', 32, { least: 1, most: MAX_BYTES });
    await using element = await elementOf(given, surroundings);
    return bytesResult(given, await element.random(length), { length });
  },
};

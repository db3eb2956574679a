/** What the process of native code can be asked for: calls of one PKCS #11 module, and of one bus. */
import { Cryptoki, type ModuleFacts, type TokenFacts } from './cryptoki.ts';
import type { AttributeInput, Handle } from './cryptoki-memory.ts';
import { I2cDevice } from './i2c-device.ts';
import { loadKoffi } from './load-koffi.ts';
import { NativeFault } from './native-fault.ts';

let opened: Cryptoki | undefined;
let bus: I2cDevice | undefined;

function cryptoki(): Cryptoki {
  if (opened === undefined) throw new NativeFault('failed', 'no module is open');
  return opened;
}

function device(): I2cDevice {
  if (bus === undefined) throw new NativeFault('failed', 'no bus is open');
  return bus;
}

export const NATIVE_CALLS = {
  openModule: async (path: string): Promise<ModuleFacts> => {
    opened ??= new Cryptoki(await loadKoffi(), path);
    return opened.moduleInfo();
  },
  tokens: (): TokenFacts[] => cryptoki().tokens(),
  openSession: (slot: Handle): void => cryptoki().openSession(slot),
  login: (pin: string | null): void => cryptoki().login(pin),
  find: (attributes: readonly AttributeInput[]): Handle[] => cryptoki().find(attributes),
  attributes: (object: Handle, types: readonly number[]): (Buffer | undefined)[] => cryptoki().attributes(object, types),
  create: (attributes: readonly AttributeInput[]): Handle => cryptoki().create(attributes),
  destroy: (object: Handle): void => cryptoki().destroy(object),
  generateEcKeyPair: (publicKey: readonly AttributeInput[], privateKey: readonly AttributeInput[]) =>
    cryptoki().generateEcKeyPair(publicKey, privateKey),
  signDigest: (key: Handle, digest: Buffer): Buffer => cryptoki().signDigest(key, digest),
  agree: (key: Handle, point: Buffer): Buffer => cryptoki().agree(key, point),
  random: (length: number): Buffer => cryptoki().random(length),
  openBus: async (path: string): Promise<void> => {
    bus ??= new I2cDevice(await loadKoffi(), path);
  },
  writeBus: (address: number, bytes: Buffer): void => device().write(address, bytes),
  readBus: (address: number, length: number): Buffer => device().read(address, length),
};

export type NativeCalls = typeof NATIVE_CALLS;

/** Ends what is open, as the standard of modules wants it. */
export function closeNative(): void {
  opened?.close();
  bus?.close();
}

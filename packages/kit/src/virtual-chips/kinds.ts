/** The kinds of virtual chips, and how one is made and opened. */
import type { KeyObject } from 'node:crypto';
import { ElementError } from '../elements/contract.ts';
import { newAteccState, type AteccState } from './atecc/silicon.ts';
import { VirtualAtecc } from './atecc/virtual-atecc.ts';
import type { ChipMemory, VirtualChip } from './contract.ts';
import { memoryFile } from './memory-file.ts';
import { newOptiga, type OptigaState } from './optiga/chip-state.ts';
import { VirtualOptiga } from './optiga/virtual-optiga.ts';

/** A virtual chip, and the way to its keys that no real one has: for TLS inside this process alone. */
export interface OpenedVirtualChip {
  readonly chip: VirtualChip;
  /** Throws ElementError `not-found` where there is no key by this name. */
  privateKeyForTls(key: string): KeyObject;
}

interface ChipKind {
  /** The state of a new chip. Throws ElementError `invalid` where the serial number is none that such a chip can have. */
  readonly make: (serialNumber: string | undefined) => { readonly kind: string };
  readonly open: (memory: ChipMemory<never>) => OpenedVirtualChip;
}

const atecc = (kind: 'atecc508a' | 'atecc608'): ChipKind => ({
  make: (serialNumber) => newAteccState(kind, serialNumber),
  open: (memory) => {
    const chip = new VirtualAtecc(memory as ChipMemory<AteccState>);
    return { chip, privateKeyForTls: (key) => chip.privateKeyForTls(Number(key)) };
  },
});

const optiga = (kind: 'optiga-trust-m' | 'optiga-trust-x'): ChipKind => ({
  make: (serialNumber) => {
    if (serialNumber === undefined) return newOptiga(kind);
    throw new ElementError('invalid', 'an OPTIGA has a number that its maker gives, and no other can be asked for');
  },
  open: (memory) => {
    const chip = new VirtualOptiga(kind, memory as ChipMemory<OptigaState>);
    return { chip, privateKeyForTls: (key) => chip.privateKeyForTls(key) };
  },
});

const KINDS: Readonly<Record<string, ChipKind>> = {
  atecc508a: atecc('atecc508a'),
  atecc608: atecc('atecc608'),
  'optiga-trust-m': optiga('optiga-trust-m'),
  'optiga-trust-x': optiga('optiga-trust-x'),
};

export const CHIP_KINDS: readonly string[] = Object.keys(KINDS);

function kindOf(name: unknown): ChipKind {
  const kind = typeof name === 'string' && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined)
    throw new ElementError('invalid', `there is no virtual chip of this kind`, { hint: `kinds: ${CHIP_KINDS.join(', ')}` });
  return kind;
}

/** Makes a chip in a file that is not there yet. Throws ElementError. */
export function makeVirtualChip(name: string, path: string, serialNumber?: string): void {
  const memory = memoryFile<{ readonly kind: string }>(path);
  if (stateIn(path) !== undefined)
    throw new ElementError('invalid', `${path} holds a virtual chip already`, { hint: 'remove the file, or take another one' });
  memory.save(kindOf(name).make(serialNumber));
}

/** What a file holds: undefined where there is none. */
function stateIn(path: string): { readonly kind?: unknown } | undefined {
  try {
    return memoryFile<{ readonly kind?: unknown }>(path).load();
  } catch (cause) {
    throw new ElementError('invalid', `${path} is no state of a virtual chip`, { cause });
  }
}

/** The kind of the chip in a file. Throws ElementError where there is none. */
export function kindOfVirtualChip(path: string): string {
  const state = stateIn(path);
  if (state === undefined)
    throw new ElementError('not-found', `there is no virtual chip in ${path}`, { hint: 'thingkit chip new makes one' });
  kindOf(state?.kind);
  return String(state.kind);
}

/**
 * The chip whose state is in a file, of the kind that the file says; where `expected` is given, of that kind. Throws
 * ElementError.
 */
export function openVirtualChip(path: string, expected?: string): OpenedVirtualChip {
  const kind = kindOfVirtualChip(path);
  if (expected !== undefined && kind !== expected)
    throw new ElementError('invalid', `the virtual chip in ${path} is of the kind ${kind}, and not ${expected}`);
  return kindOf(kind).open(memoryFile(path));
}

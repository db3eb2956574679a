/** The kinds of virtual chips, and how one is made and opened. */
import { ElementError } from '../elements/contract.ts';
import { newAteccState, type AteccState } from './atecc/silicon.ts';
import { VirtualAtecc } from './atecc/virtual-atecc.ts';
import type { ChipMemory, VirtualChip } from './contract.ts';
import { memoryFile } from './memory-file.ts';

interface ChipKind {
  /** The state of a new chip. Throws ElementError `invalid` where the serial number is none that such a chip can have. */
  readonly make: (serialNumber: string | undefined) => { readonly kind: string };
  readonly open: (memory: ChipMemory<never>) => VirtualChip;
}

const atecc = (kind: 'atecc508a' | 'atecc608'): ChipKind => ({
  make: (serialNumber) => newAteccState(kind, serialNumber),
  open: (memory) => new VirtualAtecc(memory as ChipMemory<AteccState>),
});

const KINDS: Readonly<Record<string, ChipKind>> = { atecc508a: atecc('atecc508a'), atecc608: atecc('atecc608') };

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

/** The chip whose state is in a file, of the kind that the file says. Throws ElementError. */
export const openVirtualChip = (path: string): VirtualChip => kindOf(kindOfVirtualChip(path)).open(memoryFile(path));

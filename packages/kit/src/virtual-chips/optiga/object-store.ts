/** Objects of a virtual chip: read and written where their access conditions and bounds allow it. Throws ChipFault. */
import type { ChipMemory } from '../contract.ts';
import type { OptigaState, StoredKey, StoredObject } from './chip-state.ts';
import { ChipFault, conditionHolds, FAULT, metadataBytes, metadataValues } from './object-metadata.ts';

const LIFE_CYCLE = 0xc0;
const MAX_SIZE = 0xc4;
const USED_SIZE = 0xc5;
const READ = 0xd1;
const CHANGE = 0xd0;
const EXECUTE = 0xd3;
const UPDATE = 0xd8;
const ALGORITHM = 0xe0;
const USAGE = 0xe1;
/** Values that only the chip itself sets. */
const OWN = [0xc1, MAX_SIZE, USED_SIZE, ALGORITHM, USAGE];

const OPERATIONAL = 0x07;
const LIFE_CYCLES = [0x01, 0x03, 0x07, 0x0f];
/** Objects whose content is a life cycle, of the chip and of the application. */
const GLOBAL = 'e0c0';
const APPLICATION = 'f1c0';

type Access = 'read' | 'change' | 'execute';
const ACCESS: Readonly<Record<Access, number>> = { read: READ, change: CHANGE, execute: EXECUTE };

export class ObjectStore {
  readonly #memory: ChipMemory<OptigaState>;
  #state: OptigaState;

  constructor(memory: ChipMemory<OptigaState>, state: OptigaState) {
    this.#memory = memory;
    this.#state = state;
  }

  get address(): number {
    return this.#state.address;
  }

  keepAddress(address: number): void {
    this.#save({ ...this.#state, address });
  }

  #save(state: OptigaState): void {
    this.#memory.save(state);
    this.#state = state;
  }

  #object(id: string): StoredObject {
    const object = Object.hasOwn(this.#state.objects, id) ? this.#state.objects[id] : undefined;
    if (object === undefined) throw new ChipFault(FAULT.invalidOid);
    return object;
  }

  #keep(id: string, object: StoredObject): void {
    this.#save({ ...this.#state, objects: { ...this.#state.objects, [id]: object } });
  }

  #values(id: string): Map<number, Buffer> {
    return metadataValues(Buffer.from(this.#object(id).metadata, 'hex'));
  }

  #stateByte(id: string): number {
    return Number.parseInt(this.#state.objects[id]?.data ?? '00', 16);
  }

  #holds(id: string, tag: number): boolean {
    const values = this.#values(id);
    return conditionHolds(values.get(tag), {
      object: values.get(LIFE_CYCLE)?.[0] ?? 0,
      application: this.#stateByte(APPLICATION),
      global: this.#stateByte(GLOBAL),
    });
  }

  check(id: string, access: Access): void {
    this.#object(id);
    if (!this.#holds(id, ACCESS[access])) throw new ChipFault(FAULT.accessCondition);
  }

  /** All that is in an object, whatever its conditions say. */
  content(id: string): Buffer {
    return Buffer.from(this.#object(id).data, 'hex');
  }

  metadata(id: string): Buffer {
    return Buffer.from(this.#object(id).metadata, 'hex');
  }

  read(id: string, offset: number, length: number): Buffer {
    this.check(id, 'read');
    const content = this.content(id);
    if (offset >= content.length) throw new ChipFault(FAULT.boundary);
    return content.subarray(offset, offset + length);
  }

  write(id: string, offset: number, bytes: Buffer, erases: boolean): void {
    this.check(id, 'change');
    const values = this.#values(id);
    const room = values.get(MAX_SIZE);
    const before = this.content(id);
    if (room === undefined || offset + bytes.length > room.readUIntBE(0, room.length)) throw new ChipFault(FAULT.boundary);
    if (!erases && offset > before.length) throw new ChipFault(FAULT.boundary);
    if ((id === GLOBAL || id === APPLICATION) && (bytes[0] ?? 0) < (before[0] ?? 0)) throw new ChipFault(FAULT.invalidData);
    const length = erases ? offset + bytes.length : Math.max(before.length, offset + bytes.length);
    const data = Buffer.alloc(length);
    if (!erases) before.copy(data);
    bytes.copy(data, offset);
    const used = values.get(USED_SIZE);
    if (used !== undefined) {
      // As wide as the largest size.
      const counted = Buffer.alloc(room.length);
      counted.writeUIntBE(length, 0, room.length);
      values.set(USED_SIZE, counted);
    }
    this.#keep(id, { metadata: metadataBytes(values).toString('hex'), data: data.toString('hex') });
  }

  /**
   * Sets values of metadata; others stay. Before the object is operational its change condition decides, or one for metadata
   * where it has one; after that the life cycle alone can be set, and it only rises.
   */
  setMetadata(id: string, metadata: Buffer): void {
    const values = this.#values(id);
    const changes = metadataValues(metadata);
    const lifeCycle = values.get(LIFE_CYCLE)?.[0];
    const isRiseAlone = changes.size === 1 && changes.has(LIFE_CYCLE);
    if (lifeCycle === undefined) throw new ChipFault(FAULT.accessCondition);
    if (values.has(UPDATE) ? !this.#holds(id, UPDATE) : !isRiseAlone && !(lifeCycle < OPERATIONAL && this.#holds(id, CHANGE)))
      throw new ChipFault(FAULT.accessCondition);
    for (const [tag, value] of changes) {
      if (OWN.includes(tag)) throw new ChipFault(FAULT.invalidMetadata);
      if (tag === LIFE_CYCLE) {
        const next = value.length === 1 ? value.readUInt8(0) : -1;
        if (!LIFE_CYCLES.includes(next) || next < lifeCycle) throw new ChipFault(FAULT.invalidMetadata);
      }
      if (tag === READ || tag === CHANGE || tag === EXECUTE || tag === UPDATE)
        conditionHolds(value, { object: 0, application: 0, global: 0 });
      values.set(tag, Buffer.from(value));
    }
    this.#keep(id, { ...this.#object(id), metadata: metadataBytes(values).toString('hex') });
  }

  key(id: string): StoredKey | undefined {
    return Object.hasOwn(this.#state.keys, id) ? this.#state.keys[id] : undefined;
  }

  keepKey(id: string, key: StoredKey, algorithm: number): void {
    const values = this.#values(id);
    values.set(ALGORITHM, Buffer.of(algorithm)).set(USAGE, Buffer.of(key.usage));
    const objects = {
      ...this.#state.objects,
      [id]: { ...this.#object(id), metadata: metadataBytes(values).toString('hex') },
    };
    this.#save({ ...this.#state, objects, keys: { ...this.#state.keys, [id]: key } });
  }
}

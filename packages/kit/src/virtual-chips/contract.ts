/** A chip in software that answers at the level of packets, as the real one does on its bus. */

/** What a virtual chip sees of its bus. Throws BusError `nack` where the real chip would not acknowledge. */
export interface VirtualChip {
  /** A write to this 7-bit address; 0 is the general call, with which some chips are woken. */
  write(address: number, bytes: Buffer): void;
  read(address: number, length: number): Buffer;
  /** Time goes by: `milliseconds` of the chip's own clock, which only this moves. */
  elapse(milliseconds: number): void;
}

/** Where a virtual chip keeps its state: a JSON value, whole, so that a power cut leaves the old or the new one. */
export interface ChipMemory<State> {
  load(): State | undefined;
  save(state: State): void;
}

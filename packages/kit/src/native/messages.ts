/** What goes between the kit and the process of its native code, over Node's channel: one answer to each request, in order. */
import type { NativeFaultKind } from './native-fault.ts';

export interface NativeRequest {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type NativeAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: { kind: NativeFaultKind; message: string; code: number | string } };

/** Most bytes of all buffers of one message: an object of 64 KiB with its attributes fits. */
export const MAX_MESSAGE = 262_144;

/** Bytes of all buffers in a value, and in arrays and plain objects in it. */
export function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce((sum: number, each) => sum + bytesIn(each), 8);
}

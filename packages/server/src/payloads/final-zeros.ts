/**
 * A payload without the zero bytes at its end. Device SDKs in C send a JSON text with the zero that ends it (AWS's embedded C
 * SDK until its version 3), and AWS takes it.
 */
export function withoutFinalZeros(payload: Uint8Array): Uint8Array {
  let end = payload.length;
  while (end > 0 && payload[end - 1] === 0) end -= 1;
  return end === payload.length ? payload : payload.subarray(0, end);
}

/** A value as AWS's validation messages show it, which is Java's toString: `[a, b]`, `{key=value}`. Never longer than a bound. */

const LONGEST = 1_024;

const cut = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, '')}...` : text;

function write(value: unknown, room: number): string {
  if (room <= 0) return '';
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  let text = '';
  const list = Array.isArray(value);
  for (const [key, member] of Object.entries(value)) {
    if (text.length > room) break;
    const shown = write(member, room - text.length);
    text += `${text === '' ? '' : ', '}${list ? shown : `${key}=${shown}`}`;
  }
  return list ? `[${text}]` : `{${text}}`;
}

export const describeValue = (value: unknown): string => cut(write(value, LONGEST));

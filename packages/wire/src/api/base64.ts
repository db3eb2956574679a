/** Base64 of RFC 4648 section 4, padded, nothing ignored: what blobs look like in JSON. */

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Characters that are checked and decoded at a time: a function's code may have millions. */
const PIECE = 0x8000;

/** The bytes, or undefined when the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let filled = 0;
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = text.slice(at, at + PIECE);
    const last = at + PIECE >= text.length;
    if (!BASE64.test(piece) || (!last && piece.endsWith('='))) return undefined;
    const binary = decoded(piece);
    if (binary === undefined) return undefined;
    for (let i = 0; i < binary.length; i += 1) bytes[filled++] = binary.charCodeAt(i);
  }
  return bytes;
}

function decoded(piece: string): string | undefined {
  try {
    return atob(piece);
  } catch {
    return undefined;
  }
}

const CHUNK = 0x2000;

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

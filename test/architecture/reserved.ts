/** Words that only some files may use, each with the reason. */

export interface Reserved {
  readonly words: RegExp;
  /** Beginnings of paths under packages/. */
  readonly allowed: readonly string[];
  readonly reason: string;
}

export const RESERVED: readonly Reserved[] = [
  {
    words: /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|from 'node:process'/,
    allowed: ['server/src/config/env.ts', 'kit/src/commands/terminal.ts', 'kit/src/elements/pkcs11/pin.ts'],
    reason: 'reads the environment, which only config/env.ts may: a setting has one way in',
  },
  {
    words: /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\s*\)|\bprocess\.hrtime\b/,
    allowed: ['server/src/runtime/clock.ts', 'server/src/runtime/log.ts', 'server/src/commands/', 'kit/src/clock.ts'],
    reason: 'reads the clock, which is handed in as runtime/clock.ts has it: a test must be able to move it',
  },
  {
    words: /\b(SELECT \S+ FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET|CREATE TABLE|PRAGMA)\b/,
    allowed: ['server/src/store/', 'server/src/fleet-index/engine/'],
    reason: 'holds SQL, which only store/ and the engine of the fleet index may: everything else speaks the store contract',
  },
  {
    words: /\b(?:httpRequest|httpsRequest|createConnection)\b|(?<![#.\w])fetch\(|\b(?:net|tls)\.connect\(/,
    allowed: ['server/src/outgoing/', 'server/src/commands/', 'server/src/functions/sandbox/', 'kit/src/'],
    reason: 'connects to elsewhere, which only outgoing/ may: an address that a user chose is checked first',
  },
  {
    words: /\b(?:client|session|account|share|register)\.\w+ (?:[-+]|\?\?)?= /,
    allowed: [],
    reason:
      'writes a field of a client, a session, an account or what it has, which own their state: a method of theirs says what happens',
  },
  {
    words: /\bcreateRequire\b|\bgetBuiltinModule\b|\bimport\(\s*[^'"`\s]/,
    allowed: [],
    reason: 'imports what can not be read from the text, so that no arrow can be kept',
  },
  {
    words: /\bthrow new Error\(/,
    allowed: [],
    reason:
      'throws a plain Error: fail(code, message) of wire/errors.ts, or an error class of its own folder, says what went wrong',
  },
];

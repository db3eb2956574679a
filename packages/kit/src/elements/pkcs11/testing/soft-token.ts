/** Tokens of SoftHSM2 in a temporary folder, for tests: the module finds them by SOFTHSM2_CONF of this process. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const USER_PIN = '73519204';

export interface SoftTokens extends Disposable {
  readonly folder: string;
  /** File of mode 0600 with the user's PIN. */
  readonly pinFile: string;
  /** Initializes one more token. */
  add(label: string): void;
  /** Any program with the tokens at hand. */
  run(program: string, ...args: string[]): string;
  /** URI of a key of a token; `query` goes behind the PIN's place. */
  uri(label: string, object: string, query?: string): string;
}

/** Makes tokens with these labels. */
export function softTokens(...labels: readonly string[]): SoftTokens {
  const folder = mkdtempSync(join(tmpdir(), 'thingkit-token-'));
  const pinFile = join(folder, 'pin');
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(pinFile, `${USER_PIN}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\n`);
  process.env.SOFTHSM2_CONF = join(folder, 'softhsm2.conf');
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const tokens: SoftTokens = {
    folder,
    pinFile,
    add: (label) => {
      run('softhsm2-util', '--init-token', '--free', '--label', label, '--so-pin', '11223344', '--pin', USER_PIN);
    },
    run,
    uri: (label, object, query = '') =>
      `pkcs11:token=${encodeURIComponent(label)};object=${encodeURIComponent(object)}?module-name=softhsm2&pin-source=file:${pinFile}${query}`,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  for (const label of labels) tokens.add(label);
  return tokens;
}

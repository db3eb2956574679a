/** For tests: authorities whose keys are in memory alone, and a device's request. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEcKey, csrDer, csrPem } from '@thingkeep/x509/testing/csrs.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import type { Clock } from '../runtime/clock.ts';

/** An authority of its own, which can't renew its server certificates: its folder is gone. */
export async function openTestAuthority(clock: Clock, hostNames: readonly string[] = []): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'authority-'));
  try {
    return await openAuthority({ folder: join(folder, 'ca'), clock, hostNames });
  } finally {
    // Its keys are in memory now.
    await rm(folder, { recursive: true });
  }
}

/** Making an authority takes a while; it keeps no state that tests could share by mistake. */
let authority: Promise<Authority> | undefined;
export const sharedAuthority = (): Promise<Authority> => {
  authority ??= openTestAuthority({ now: () => Date.UTC(2026, 10, 20, 12), monotonic: () => 0 });
  return authority;
};

let request: string | undefined;
/** A certificate signing request in PEM. */
export const sharedRequest = (): string => {
  request ??= csrPem(csrDer({ key: newEcKey() }));
  return request;
};

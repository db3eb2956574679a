/** What functions are run in, as the operator has it: bubblewrap, or all rights of the server; said at the start. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Logger } from '../../runtime/log.ts';
import type { BubbleUser } from './bubble.ts';
import type { Cgroups } from './cgroups.ts';
import { Confined, type FunctionNetwork } from './confined.ts';
import type { ApiShare } from '../../runtime/api-share.ts';
import type { ApiAddress } from './doors.ts';
import type { Enclosures } from './enclosure.ts';
import { RuntimeApi } from './runtime-api.ts';
import { Unconfined } from './unconfined.ts';
import { SandboxDirectory } from './sandbox-directory.ts';

export interface EnclosuresOptions {
  readonly log: Logger;
  readonly endpointUrl: () => string;
  readonly apiAddress: () => ApiAddress;
  readonly apiShare: ApiShare;
  readonly authorityPem?: string | undefined;
  readonly note: string;
  readonly cgroups: Cgroups | undefined;
  readonly network: FunctionNetwork;
  readonly allowUnconfined: boolean;
  readonly python: string;
}

/** Ids that neither accounts of people nor those of systemd have (systemd.io, UIDS-GIDS). */
const FIRST = 60_600;
const LAST = 61_183;

/** A number that no account and no group of this machine has, as far as its files say. */
function freeUser(): BubbleUser {
  const taken = new Set<number>();
  for (const [path, column] of [
    ['/etc/passwd', 2],
    ['/etc/group', 2],
  ] as const) {
    try {
      for (const line of readFileSync(path, 'utf8').split('\n')) taken.add(Number(line.split(':')[column]));
    } catch {
      // A machine without the file has no account of it either.
    }
  }
  for (let id = FIRST; id < LAST; id += 1) if (!taken.has(id)) return { uid: id, gid: id };
  return { uid: LAST, gid: LAST };
}

/** Root itself never runs a function: bubblewrap would show it files that are root's alone. */
const userOf = (): BubbleUser | undefined => (process.getuid?.() === 0 ? freeUser() : undefined);

export interface OpenedEnclosures {
  readonly directory: SandboxDirectory;
  readonly enclosures: Enclosures;
  /** Writes into the log with whose rights functions run: once the server is up, so that a start that fails is one line. */
  readonly announce: () => void;
}

export function openEnclosures(options: EnclosuresOptions): OpenedEnclosures {
  const { log, endpointUrl, authorityPem, note, python, allowUnconfined } = options;
  const user = allowUnconfined ? undefined : userOf();
  const runtimeApi = new RuntimeApi();
  const apiHost = new URL(endpointUrl()).hostname;
  const directory = new SandboxDirectory({ parents: [tmpdir(), '/tmp'], group: user?.gid, authorityPem, apiHost, note });
  if (allowUnconfined) {
    const announce = (): void =>
      log.warn(
        { event: 'functions-unconfined' },
        'functions run with all rights of this server (--allow-unconfined-functions): their authors have them too',
      );
    return { directory, enclosures: new Unconfined({ directory, runtimeApi, endpointUrl, python }), announce };
  }
  const announce = (): void => {
    if (user === undefined) return;
    log.info(
      { event: 'running-as-root', functionsRunAs: user.uid },
      'the server stays root, which it need not be (--user); functions run as a user that has nothing',
    );
  };
  return { directory, enclosures: new Confined({ ...options, directory, runtimeApi, user }), announce };
}

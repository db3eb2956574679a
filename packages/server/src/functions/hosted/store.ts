/** Records of hosted functions: the function, its published versions, its aliases; and the queue of events that wait. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { collection, rows } from '../../store/contract.ts';

/** What a version is: of $LATEST it changes, of a published version it stays. Times are milliseconds since the epoch. */
export interface VersionSettings {
  readonly runtime: string;
  readonly role: string;
  readonly handler: string;
  readonly description: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memorySize: number;
  /** SHA-256 of the archive, base64. */
  readonly codeSha256: string;
  readonly codeSize: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly modifiedAt: number;
  readonly revisionId: string;
  /** Kept and shown; without effect. */
  readonly shown: ShownSettings;
}

export interface ShownSettings {
  readonly architectures: readonly string[];
  readonly tracingMode: string;
  /** MB. */
  readonly ephemeralStorage: number;
  readonly logFormat: string;
  readonly logGroup?: string;
  readonly kmsKeyArn?: string;
  readonly deadLetterArn?: string;
}

/** One statement of a function's resource policy, as AddPermission makes it. */
export interface PermissionStatement {
  readonly sid: string;
  readonly action: string;
  /** `*`, a service's name, an account or an ARN. */
  readonly principal: string;
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
  readonly eventSourceToken?: string;
  readonly principalOrgId?: string;
}

export interface Permissions {
  readonly revisionId: string;
  readonly statements: readonly PermissionStatement[];
}

export interface EventInvokeSettings {
  readonly modifiedAt: number;
  readonly retries?: number;
  /** Seconds. */
  readonly maximumAge?: number;
  readonly onSuccess?: string;
  readonly onFailure?: string;
}

export interface FunctionRecord {
  readonly accountId: string;
  readonly name: string;
  /** Owner of its rows in the queue. */
  readonly queue: number;
  readonly createdAt: number;
  readonly latest: VersionSettings;
  /** Number of the last published version; 0 before the first. */
  readonly lastVersion: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  /** By qualifier; those without one under $LATEST. */
  readonly permissions: Readonly<Record<string, Permissions>>;
  readonly eventInvoke: Readonly<Record<string, EventInvokeSettings>>;
}

export interface VersionRecord {
  readonly accountId: string;
  readonly name: string;
  readonly version: number;
  readonly settings: VersionSettings;
}

export interface AliasRecord {
  readonly accountId: string;
  readonly name: string;
  readonly alias: string;
  readonly version: string;
  readonly description: string;
  /** Another version, and its share of the events, above 0 and at most 1. */
  readonly routing?: { readonly version: string; readonly weight: number };
  readonly revisionId: string;
}

export const functions = collection<FunctionRecord>('functions', (f) => [f.accountId, f.name]);
export const versions = collection<VersionRecord>('function-versions', (v) => [v.accountId, v.name, v.version]);
export const aliases = collection<AliasRecord>('function-aliases', (a) => [a.accountId, a.name, a.alias]);

/** Events that wait for their function, as `queue.ts` writes them; the owner is the function's `queue`. */
export const waitingEvents = rows('function-events');

/** An alias may have any name, also one that every object knows. */
const own = <T>(of: Readonly<Record<string, T>>, qualifier: string): T | undefined =>
  Object.hasOwn(of, qualifier) ? of[qualifier] : undefined;

export const permissionsOf = ({ permissions }: FunctionRecord, qualifier: string): Permissions | undefined =>
  own(permissions, qualifier);

export const eventInvokeOf = ({ eventInvoke }: FunctionRecord, qualifier: string): EventInvokeSettings | undefined =>
  own(eventInvoke, qualifier);

export const LATEST = '$LATEST';

/** The function's ARN, or that of one version or alias of it. */
export const functionArn = ({ region, accountId }: Place, name: string, qualifier?: string): string =>
  `arn:aws:lambda:${region}:${accountId}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`;

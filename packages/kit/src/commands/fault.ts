/** What an error is to the user of a command: an exit code, a line, and what to do. */
import { DerError } from '@thingkeep/x509/der.ts';
import { NameError } from '@thingkeep/x509/names.ts';
import { SignatureError } from '@thingkeep/x509/signing.ts';
import { CeremonyError } from '../ceremony/records.ts';
import { BusError } from '../buses/contract.ts';
import { JournalError } from '../provisioning/journal.ts';
import { FolderBusyError } from '../files/folder-lock.ts';
import { ElementError } from '../elements/contract.ts';
import { EXIT, type ExitReason, KitError } from './command.ts';

export interface Fault {
  readonly exitCode: number;
  /** A word that programs can tell faults apart by: an element's code, AWS's error code, or the exit code's name. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Codes of system calls and of TLS for an endpoint that could not be reached. */
const UNREACHABLE =
  /^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE|CERT_|ERR_TLS|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|TimeoutError)/;

const of = (reason: ExitReason, code: string, message: string, hint?: string): Fault => ({
  exitCode: EXIT[reason],
  code,
  message,
  hint,
});

/** An error of the AWS SDK: its name is AWS's code. */
function serviceFault(error: Error): Fault | undefined {
  const { $fault, $metadata, $response } = error as Error & {
    $fault?: string;
    $metadata?: { httpStatusCode?: number };
    $response?: unknown;
  };
  if ($fault === undefined && $metadata?.httpStatusCode === undefined && $response === undefined) return undefined;
  return of('service', error.name, error.message);
}

/** The fault that an error is; undefined where it is one of the program. */
export function faultOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof KitError) return of(error.reason, error.reason, error.message, error.hint);
  if (error instanceof ElementError)
    return of(error.code === 'verification' ? 'verification' : 'element', error.code, error.message, error.hint);
  if (error instanceof BusError) return of('element', 'communication', error.message);
  if (error instanceof SignatureError) return of('verification', 'verification', error.message);
  if (error instanceof CeremonyError) return of('failed', 'ceremony', error.message);
  if (error instanceof JournalError) return of('failed', 'journal', error.message);
  if (error instanceof FolderBusyError) return of('failed', 'busy', error.message);
  if (error instanceof NameError) return of('usage', 'usage', error.message);
  if (error instanceof DerError) return of('failed', 'failed', `damaged data: ${error.message}`);
  if (error.message === 'Region is missing') return of('usage', 'usage', 'no region is set', 'set AWS_REGION, or say --region');
  const service = serviceFault(error);
  if (service !== undefined) return service;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && UNREACHABLE.test(code)) return of('unreachable', code, error.message || code);
  if (error.name === 'CredentialsProviderError')
    return of('usage', error.name, error.message, 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile');
  if (error.name === 'AbortError') return of('failed', 'interrupted', 'interrupted');
  if (typeof code === 'string' && syscall !== undefined)
    return of('failed', code, path === undefined || error.message.includes(path) ? error.message : `${path}: ${error.message}`);
  return undefined;
}

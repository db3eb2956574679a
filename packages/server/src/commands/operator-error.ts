/** Errors whose message is meant for the operator: one line is all they need, and no stack. */
import { AuditError } from '../audit/audit-log.ts';
import { AuditKeyError } from '../audit/files.ts';
import { AuthorityError } from '../authority/key-folder.ts';
import { FileWriteError } from '../config/config-error.ts';
import { ConfigError } from '../config/settings.ts';
import { chainOf, diskFailure } from '../runtime/disk-failure.ts';
import { ListenError } from '../runtime/listen.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { DataFileError } from '../store/sqlite/sqlite-store.ts';

export interface OperatorLine {
  readonly text: string;
  readonly code: number;
}

/** Of a setting, the data folder or the root keys; of everything else. */
const SETTINGS = 2;
const OTHER = 1;

/** Node has no name for EDQUOT. */
const QUOTA = /Unknown system error -122(: Unknown system error -122)?/g;

const lineOf = (text: string, code: number): OperatorLine => ({ text: text.replace(QUOTA, 'EDQUOT: disk quota exceeded'), code });

/** The line for an error, of itself or of what stands behind it; undefined where it is a fault of the program. */
export function operatorLine(error: unknown): OperatorLine | undefined {
  for (const each of chainOf(error)) {
    if (each instanceof ConfigError || each instanceof FileWriteError) return lineOf(each.message, SETTINGS);
    if (
      each instanceof DataFileError ||
      each instanceof DamagedRecordError ||
      each instanceof AuditKeyError ||
      each instanceof AuthorityError ||
      each instanceof AuditError ||
      each instanceof ListenError
    )
      return lineOf(each.message, OTHER);
  }
  for (const each of chainOf(error)) {
    const { code, path, syscall } = each as NodeJS.ErrnoException;
    if (!(each instanceof Error) || diskFailure(each) === undefined) continue;
    if (code === 'ERR_SQLITE_ERROR') return lineOf(`the data file can't be written: ${each.message}`, OTHER);
    if (syscall === undefined) continue;
    return {
      text: path === undefined || each.message.includes(path) ? each.message : `${path}: ${each.message}`,
      code: SETTINGS,
    };
  }
  return undefined;
}

/** What differs between the versions of the SQL (developer guide, page iot-rule-sql-version). */
import { fail } from '@thingkeep/wire/errors.ts';

/** Versions that AWS takes, in lower case: it does not look at case (probe pf-iot-sql-version-value of cdk-preflight). */
export type SqlVersion = '2015-10-08' | '2016-03-23' | '2016-03-23-beta' | 'beta';

export interface Dialect {
  readonly version: SqlVersion;
  /** 10.0 is a Decimal of its own, as written; from 2016-03-23 on a whole number is an Int (page iot-sql-data-types). */
  readonly keepsDecimals: boolean;
  /** Literals of objects and arrays, nested queries, IN, `encode`. */
  readonly nests: boolean;
}

const later = (version: SqlVersion): Dialect => ({ version, keepsDecimals: false, nests: true });

export const DIALECTS: Readonly<Record<SqlVersion, Dialect>> = {
  '2015-10-08': { version: '2015-10-08', keepsDecimals: true, nests: false },
  '2016-03-23': later('2016-03-23'),
  '2016-03-23-beta': later('2016-03-23-beta'),
  beta: later('beta'),
};

const isVersion = (text: string): text is SqlVersion => Object.hasOwn(DIALECTS, text);

/** The version of a rule that names none, or an empty one. */
const FIRST_VERSION: SqlVersion = '2015-10-08';

/** The version that a rule names; fails with SqlParseException for one that AWS does not have. */
export function sqlVersion(given: string | undefined): SqlVersion {
  if (given === undefined || given === '') return FIRST_VERSION;
  const version = given.toLowerCase();
  return isVersion(version) ? version : fail('SqlParseException', `Invalid SQL version: ${given.slice(0, 128)}`);
}

/** What differs between the versions of the SQL (developer guide, page iot-rule-sql-version). */

/** A rule without a version has the first. */
export type SqlVersion = '2015-10-08' | '2016-03-23' | 'beta';

export interface Dialect {
  readonly version: SqlVersion;
  /** 10.0 is a Decimal of its own, as written; from 2016-03-23 on a whole number is an Int (page iot-sql-data-types). */
  readonly keepsDecimals: boolean;
  /** Literals of objects and arrays, nested queries, and the functions that came with them. */
  readonly nests: boolean;
}

export const DIALECTS: Readonly<Record<SqlVersion, Dialect>> = {
  '2015-10-08': { version: '2015-10-08', keepsDecimals: true, nests: false },
  '2016-03-23': { version: '2016-03-23', keepsDecimals: false, nests: true },
  beta: { version: 'beta', keepsDecimals: false, nests: true },
};

/** Whether there is a dialect of this version. */
export const isSqlVersion = (version: string): version is SqlVersion => Object.hasOwn(DIALECTS, version);

/** What a rule has that names none. */
export const FIRST_VERSION: SqlVersion = '2015-10-08';

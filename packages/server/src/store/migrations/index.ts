/**
 * Numbered steps from an empty data file to today's form; a file's number is the count of steps it has taken.
 * A step is never changed once it has been released: what it got wrong, the next one mends.
 */

export interface Migration {
  readonly describes: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    describes: 'records and their index entries',
    sql: `
      CREATE TABLE record (collection TEXT NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
      CREATE TABLE entry (scope TEXT NOT NULL, entry BLOB NOT NULL, key BLOB NOT NULL, PRIMARY KEY (scope, entry)) WITHOUT ROWID;
    `,
  },
  {
    describes: 'rows of bytes: queues',
    sql: `
      CREATE TABLE row (rows TEXT NOT NULL, owner INTEGER NOT NULL, at INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (rows, owner, at)) WITHOUT ROWID;
    `,
  },
];

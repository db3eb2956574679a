/**
 * The tables of an index file: documents, and the terms that they are found by. The file holds nothing that can't be
 * derived from the store: it is written without syncs, and made anew when it is damaged or of another form.
 */

/** Form of the tables, kept as `user_version`: a file of another form is made anew. */
export const INDEX_FORM = 2;

export const INDEX_TABLES = `
  CREATE TABLE indexes (
    id INTEGER PRIMARY KEY,
    region TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (region, account, name)
  ) STRICT;
  CREATE TABLE fields (
    id INTEGER PRIMARY KEY,
    index_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    unnamed INTEGER NOT NULL,
    UNIQUE (index_id, name)
  ) STRICT;
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    index_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    shown TEXT NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (index_id, name)
  ) STRICT;
  CREATE INDEX documents_of_index ON documents (index_id);
  CREATE TABLE terms (
    field INTEGER NOT NULL,
    value ANY NOT NULL,
    id INTEGER NOT NULL,
    shown TEXT,
    PRIMARY KEY (field, value, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX terms_of_document ON terms (id, field, value);
  CREATE TABLE points (
    field INTEGER NOT NULL,
    id INTEGER NOT NULL,
    latitude REAL NOT NULL,
    longitude REAL NOT NULL,
    PRIMARY KEY (field, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX points_of_document ON points (id);
`;

/** A cache of 64 MB; the process is the only one that has the file. */
export const INDEX_SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -65536;
`;

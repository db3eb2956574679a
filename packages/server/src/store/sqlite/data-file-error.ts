/** What is wrong with the data file, in one line for the operator. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError';
}

/** Another process holds the data file. */
export class DataFileInUseError extends DataFileError {}

/** The log beside the data file is damaged: what lies before the damage can be saved. */
export class DamagedLogError extends DataFileError {}

/** What is wrong with a setting, in one line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** IAM, as core takes it: its operations are of the query protocol, and have a table of their own. */
import type { Domain } from '../domain.ts';
import type { KeyUses } from './key-uses.ts';

const MINUTE = 60_000;

export const iamDomain = (uses: KeyUses): Domain => ({
  name: 'iam',
  timers: [{ every: MINUTE, failure: 'uses of access keys could not be written', run: () => uses.tick() }],
});

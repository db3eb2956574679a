/** Which domain configurations there are to tag: they are named by name and random part, `{name}/{id}`. */
import type { ReadTransaction } from '../store/contract.ts';
import { domainConfigurations } from './store.ts';

export const taggableDomains = {
  domainconfiguration: async (tx: ReadTransaction, accountId: string, name: string): Promise<boolean> => {
    const [own = '', id] = name.split('/');
    return (await tx.get(domainConfigurations, [accountId, own]))?.id === id && id !== undefined;
  },
};

/** The fields that a query looks at. Pure. */
import type { Query } from './query.ts';

/** Names of the fields; undefined stands for a term without a field. */
export function fieldsOfQuery(query: Query): ReadonlySet<string | undefined> {
  switch (query.kind) {
    case 'all':
      return new Set();
    case 'term':
      return new Set([query.field]);
    case 'not':
      return fieldsOfQuery(query.of);
    case 'and':
    case 'or':
      return new Set(query.of.flatMap((each) => [...fieldsOfQuery(each)]));
  }
}

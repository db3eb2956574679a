/** Names of the headers that members of inputs stand in, over all services of the operation table. */
import { membersOf, operationsOf, SERVICE_NAMES, shapeOf } from './table.ts';

/** Lower-case names. */
export function headerMembers(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const service of SERVICE_NAMES)
    for (const { input } of operationsOf(service))
      for (const [name, { location, locationName }] of input === undefined ? [] : membersOf(shapeOf(service, input)))
        if (location === 'header') names.add((locationName ?? name).toLowerCase());
  return names;
}

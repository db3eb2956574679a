/** The document of a thing group in `AWS_ThingGroups`. Pure. */
import { defined } from '@thingkeep/wire/defined.ts';
import { attributeTerms, boundedTerms, textTerm } from './flatten.ts';
import type { IndexedThingGroup } from './sources.ts';
import type { IndexedDocument, IndexedTerm } from './values.ts';

function* terms(facts: IndexedThingGroup): Generator<IndexedTerm> {
  yield textTerm('thingGroupName', facts.thingGroupName);
  yield textTerm('thingGroupId', facts.thingGroupId);
  if (facts.description !== undefined) yield textTerm('description', facts.description);
  for (const name of facts.parentGroupNames) yield textTerm('parentGroupNames', name);
  for (const [name, value] of Object.entries(facts.attributes)) yield* attributeTerms(`attributes.${name}`, value);
  yield { field: 'version', value: facts.version };
}

export function thingGroupDocument(facts: IndexedThingGroup): IndexedDocument {
  const { thingGroupName, thingGroupId, description, attributes, parentGroupNames } = facts;
  const shown = defined({
    thingGroupName,
    thingGroupId,
    thingGroupDescription: description,
    attributes,
    parentGroupNames: parentGroupNames.length > 0 ? parentGroupNames : undefined,
  });
  return { name: thingGroupName, shown, terms: boundedTerms(terms(facts)), points: [] };
}

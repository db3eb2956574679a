/** TagResource, UntagResource, ListTagsForResource over every domain's resources: each says which exist. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { parseArn, type ResourceType } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { TaggableResources } from '../domain.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { billingGroups, thingGroups } from './groups/store.ts';
import { required } from './required.ts';
import { caCertificates, thingTypes } from './store.ts';
import { putTags, removeTagKeys, tagsOf } from './tags.ts';

/** Taggable resources of the registry. Things and device certificates can't (developer guide, page tagging-iot). */
export const taggableRegistry: TaggableResources = {
  cacert: async (tx, accountId, name) => (await tx.get(caCertificates, [accountId, name])) !== undefined,
  billinggroup: async (tx, accountId, name) => (await tx.get(billingGroups, [accountId, name])) !== undefined,
  thinggroup: async (tx, accountId, name) => (await tx.get(thingGroups, [accountId, name])) !== undefined,
  thingtype: async (tx, accountId, name) => (await tx.get(thingTypes, [accountId, name])) !== undefined,
};

type Operations = Handlers<Pick<IotOperations, 'ListTagsForResource' | 'TagResource' | 'UntagResource'>>;

export function tagOperations({ store, taggable }: { store: Store; taggable: TaggableResources }): Operations {
  /** The ARN, once it names an existing resource of the caller's that can carry tags. */
  async function resource(tx: ReadTransaction, caller: Caller, given: string | undefined): Promise<string> {
    const text = required(given, 'resourceArn');
    const arn = parseArn(text);
    if (arn?.service !== 'iot' || arn.name === '' || !Object.hasOwn(taggable, arn.type))
      return fail('InvalidRequestException', `Invalid resource arn or a resource that can not be tagged: ${text}`);
    if (arn.region !== caller.region || arn.account !== caller.accountId)
      return fail('InvalidRequestException', `The resource is not of this account and region: ${text}`);
    const exists = taggable[arn.type as ResourceType];
    if (exists === undefined || !(await exists(tx, caller.accountId, arn.name)))
      return fail('ResourceNotFoundException', `Resource not found: ${text}`);
    return text;
  }

  return {
    async ListTagsForResource(input, caller) {
      return store.read(async (tx) => {
        const arn = await resource(tx, caller, input.resourceArn);
        // All tags fit into one page, so there never was a token.
        if (input.nextToken !== undefined) fail('InvalidRequestException', 'The pagination token is invalid.');
        return { tags: [...(await tagsOf(tx, caller.accountId, arn))], nextToken: undefined };
      });
    },

    async TagResource(input, caller) {
      await store.write(async (tx) => {
        const arn = await resource(tx, caller, input.resourceArn);
        await putTags(tx, caller.accountId, arn, required(input.tags, 'tags'), 'LimitExceededException');
      });
      return {};
    },

    async UntagResource(input, caller) {
      await store.write(async (tx) => {
        const arn = await resource(tx, caller, input.resourceArn);
        await removeTagKeys(tx, caller.accountId, arn, required(input.tagKeys, 'tagKeys'));
      });
      return {};
    },
  };
}

/** The parts of the rules, put together: the engine, destinations, what actions and SQL work with. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { AwsClients, type AwsClientsOptions } from './actions/aws-clients.ts';
import { ActionRoles } from './action-roles.ts';
import type { RoleCredentialsOf } from '../iam/role-credentials.ts';
import type { Egress } from '../outgoing/egress.ts';
import { destinations as destinationRecords } from './destination-store.ts';
import { rules as ruleRecords } from './store.ts';
import { DestinationDirectory } from './destination-directory.ts';
import { Rules } from './engine.ts';
import type { RuleFailure } from './action-dispatcher.ts';
import { RuleFailures } from './failures.ts';
import { confirmDestination, DestinationConfirmation, holdsDestination } from './destination-confirmation.ts';
import { destinationOperations } from './destinations.operations.ts';
import { ruleOperations } from './rules.operations.ts';
import { type AskRegistry, type AskShadow, queryServices } from './external-services.ts';
import { KnownRoles, type KnownRolesOptions } from './roles.ts';

export interface RulesModuleOptions extends AwsClientsOptions {
  readonly messaging: Messaging;
  readonly store: Store;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  /** As in {@link RuleDirectoryOptions}. */
  readonly evaluationsPerSecond: number;
  readonly functions: FunctionInvoker;
  readonly registry: AskRegistry;
  readonly shadow: AskShadow;
  readonly roles: Omit<KnownRolesOptions, 'log'>;
  readonly roleCredentials: RoleCredentialsOf;
  readonly egress: Egress;
  /** Keeps a record of a rule's failure for its owner. */
  readonly recordFailure: (failure: RuleFailure) => void;
  /** URLs that need no confirmation. */
  readonly trusted: readonly URL[];
  /** Base URL of the API, for the link that confirms a destination. */
  readonly apiUrl: () => string;
}

export interface RulesModule {
  readonly rules: Rules;
  operations(store: Store, tags: PolicyTags): ReturnType<typeof ruleOperations> & ReturnType<typeof destinationOperations>;
  /** Whoever holds a destination's token may follow its link. False when there is none that waits for it. */
  confirm(token: string, begin: () => void): Promise<boolean>;
  close(): Promise<void>;
}

export async function openRules(options: RulesModuleOptions): Promise<RulesModule> {
  const { messaging, store, changes, clock, log, regions, inRegion, functions, registry, shadow, apiUrl, egress } = options;
  const aws = new AwsClients(options);
  const roles = new KnownRoles({ ...options.roles, log });
  const failures = new RuleFailures(clock, log, { publish: messaging.publish.bind(messaging), record: options.recordFailure });
  const failed = failures.report.bind(failures);
  const destinationDirectory = new DestinationDirectory(options.trusted);
  await destinationDirectory.load(await regions(), inRegion);
  const actionRoles = new ActionRoles(roles, options.roleCredentials);
  const rules = new Rules({
    messaging,
    store,
    clock,
    log,
    inRegion,
    regions,
    roles,
    evaluationsPerSecond: options.evaluationsPerSecond,
    tools: (place: Place) => ({ place, clock, functions, aws, egress, destinations: destinationDirectory }),
    actionRoles,
    services: (place, record) =>
      queryServices({ functions, aws, registry, shadow, destinations: destinationDirectory, actionRoles, failed }, place, record),
    failed,
  });
  const ends = [
    changes.on(destinationRecords, ({ place, key: [, id], after }) =>
      after === undefined ? destinationDirectory.remove(place, String(id)) : destinationDirectory.put(place, after),
    ),
    changes.on(ruleRecords, ({ place, key: [, ruleName] }) => rules.refresh(place, String(ruleName))),
  ];
  await rules.load();

  return {
    rules,
    operations(regional, tags) {
      const given = { store: regional, clock, log, destinationDirectory, apiUrl, egress };
      const confirmation = new DestinationConfirmation(given);
      return {
        ...ruleOperations({ store: regional, clock, tags, rulesInForce: rules, roles, confirmation }),
        ...destinationOperations(given),
      };
    },
    async confirm(token, begin) {
      for (const region of await regions()) {
        const given = { store: inRegion(region), clock };
        if (!(await holdsDestination(given, token))) continue;
        begin();
        await confirmDestination(given, token);
        return true;
      }
      return false;
    },
    async close() {
      // What was done until now is not done again at the next start.
      const written = messaging.journal.committed();
      for (const end of ends) end();
      rules.close();
      roles.close();
      aws.close();
      await written.catch((error: unknown) => log.error({ err: error }, 'the end of orders could not be stored'));
    },
  };
}

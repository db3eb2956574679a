/**
 * Changes of permissions reach live connections and sessions: each connection of the certificates concerned is authorized
 * anew with the CONNECT that it came with. It gets its new permissions, or, when it may no longer connect, is closed.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Broker } from '../broker/broker.ts';
import type { ConnectAuthorizer } from '../broker/contract.ts';
import type { Connect } from '../mqtt/connect.ts';
import type { PermissionChange, PermissionChanges } from '../policies/permission-changes.ts';

export interface LivePermissionsOptions {
  readonly broker: Broker;
  /** Whether sessions of the certificate, in this account and region, may go on while their client is away. */
  readonly mayKeepSessions: (certificateId: string, place: Place) => Promise<boolean>;
  readonly authorizedAt: (connect: Connect) => number | undefined;
  readonly changes: PermissionChanges;
}

/** Records by which state of the permissions each CONNECT was authorized. */
export function trackAuthorizations(changes: PermissionChanges): {
  tracked: (authorizer: ConnectAuthorizer) => ConnectAuthorizer;
  authorizedAt: (connect: Connect) => number | undefined;
} {
  const marks = new WeakMap<Connect, number>();
  const tracked =
    (authorizer: ConnectAuthorizer): ConnectAuthorizer =>
    (connect) => {
      marks.set(connect, changes.count);
      return authorizer(connect);
    };
  return { tracked, authorizedAt: (connect) => marks.get(connect) };
}

/** Begins to follow changes; gives the function that ends it. */
export function followLivePermissions({ broker, mayKeepSessions, authorizedAt, changes }: LivePermissionsOptions): () => void {
  const review = async (certificateId: string): Promise<void> => {
    for (const place of broker.sessions.placesOf(certificateId))
      if (!(await mayKeepSessions(certificateId, place))) broker.sessions.endOf(certificateId, place);
  };
  // Connections first: the session of one that is closed now is away only then, and must not be overlooked.
  const follow = async (certificateId: string): Promise<void> => {
    await Promise.all(Array.from(broker.connections.clientsOf(certificateId), (client) => client.permissions.reauthorize()));
    await review(certificateId);
  };
  // A certificate may have been revoked at the very end of the last run of the server.
  for (const certificateId of broker.sessions.certificates) void review(certificateId);

  // A change between a CONNECT's authorization and its admission would otherwise be missed.
  broker.connections.listen({
    connected: (client) => {
      const { connect, peer } = client.identity;
      if (connect === undefined || peer.certificateId === undefined) return;
      if (changes.versionOf(peer.certificateId) > (authorizedAt(connect) ?? -1)) void client.permissions.reauthorize();
    },
  });
  return changes.on(({ certificateIds }: PermissionChange) => {
    for (const certificateId of certificateIds ?? broker.connections.certificates) void follow(certificateId);
  });
}

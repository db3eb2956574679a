/** The permissions of a client: policies, evaluated in the context of its connection or request. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Peer } from '../../broker/contract.ts';
import type { CertificateNames } from '../../policies/certificate-names.ts';
import type { CompiledPolicies } from '../../policies/compile.ts';
import { bindPermissions } from '../../policies/evaluate.ts';
import { asksForCertificate, deviceContext, type DeviceFacts } from '../../policies/variables.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ProtocolContext } from './connect-permissions.ts';
import { type ClientPermissions, withClock } from './permissions.ts';

/** The connection or request that permissions are for. */
export interface PermissionsUse {
  readonly peer: Peer;
  readonly context: ProtocolContext;
  readonly clock: Clock;
}

/** The policies of a registered certificate, and what their variables are filled with. */
export interface CertificatePolicies {
  readonly policies: CompiledPolicies;
  /** Read only where a policy asks for them. */
  readonly names: CertificateNames | undefined;
  readonly thing: DeviceFacts['thing'] | undefined;
}

/** What `policies` allow a client without a registered certificate. */
export const clientPermissions = (policies: CompiledPolicies, use: PermissionsUse): ClientPermissions =>
  evaluated(policies, use, {});

/** What its policies, and `more` of another origin beside them, allow a certificate's holder. */
export function certificatePermissions(
  { names, policies, thing }: CertificatePolicies,
  use: PermissionsUse,
  more?: CompiledPolicies,
): ClientPermissions {
  const needsDer = names === undefined && more !== undefined && asksForCertificate(more);
  return evaluated(more === undefined ? policies : joined(policies, more), use, {
    thing,
    certificateNames: names,
    certificateDer: needsDer ? use.peer.certificateDer?.() : undefined,
  });
}

function evaluated(
  policies: CompiledPolicies,
  { peer: { sourceIp, serverName, secureTransport }, context, clock }: PermissionsUse,
  { thing, certificateNames, certificateDer }: Pick<DeviceFacts, 'thing' | 'certificateNames' | 'certificateDer'>,
): ClientPermissions {
  const facts = deviceContext({
    ...context,
    isAttached: thing !== undefined,
    now: clock.now(),
    sourceIp,
    secureTransport,
    ...defined({ thing, domainName: serverName, certificateNames, certificateDer }),
  });
  return withClock(bindPermissions(policies, facts), clock);
}

const joined = (one: CompiledPolicies, other: CompiledPolicies): CompiledPolicies => ({
  statements: [...one.statements, ...other.statements],
  unreadable: [...one.unreadable, ...other.unreadable],
});

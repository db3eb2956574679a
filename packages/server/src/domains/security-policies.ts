/** TLS security policies of domain configurations (developer guide, page iot-endpoints-tls-config). */
import { fail } from '@thingkeep/wire/errors.ts';

export interface TlsVersions {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
}

export const DEFAULT_SECURITY_POLICY = 'IoTSecurityPolicy_TLS13_1_2_2022_10';

const BOTH: TlsVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };
const ONLY_12: TlsVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
const ONLY_13: TlsVersions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' };

const POLICIES: ReadonlyMap<string, TlsVersions> = new Map([
  [DEFAULT_SECURITY_POLICY, BOTH],
  ['IoTSecurityPolicy_TLS13_1_3_2022_10', ONLY_13],
  ['IoTSecurityPolicy_TLS12_1_2_2022_10', ONLY_12],
  ['IoTSecurityPolicy_TLS12_1_0_2016_01', ONLY_12],
  ['IoTSecurityPolicy_TLS12_1_0_2015_01', ONLY_12],
]);

/** The policy's name, once it is known to be one; fails with InvalidRequestException. */
export const checkSecurityPolicy = (name: string): string =>
  POLICIES.has(name) ? name : fail('InvalidRequestException', `Unknown security policy: ${name.slice(0, 128)}`);

/** A policy that a newer version has kept and this one does not know is served as the default one. */
export const tlsVersionsOf = (name: string): TlsVersions => POLICIES.get(name) ?? BOTH;

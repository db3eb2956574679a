/**
 * The event that an authorizer's function is called with. Members that say nothing about the login are left out.
 * Source: AWS IoT developer guide, page custom-auth-lambda; page custom-auth-509cert for the certificate.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Head } from './credentials.ts';

/** The facts of a login that the function gets. */
export interface LoginFacts {
  readonly connectionId: string;
  readonly tls?: {
    /** Host name of the client's SNI. */
    readonly serverName?: string;
    /** Set where the client is authenticated by its certificate as well. */
    readonly certificate?: { readonly pem: string; readonly principalId: string };
  };
  readonly http?: Head;
  readonly mqtt?: { readonly userName?: string; readonly password?: Uint8Array; readonly clientId?: string };
}

export interface TokenProof {
  readonly token?: string;
  readonly signatureVerified: boolean;
}

const present = <T>(name: string, value: T | undefined): Readonly<Record<string, T>> =>
  value === undefined ? {} : { [name]: value };

const tlsData = ({ serverName, certificate }: NonNullable<LoginFacts['tls']>) => ({
  ...present('serverName', serverName),
  ...defined({
    x509CertificatePem: certificate?.pem,
    principalId: certificate?.principalId,
  }),
});

const httpData = ({ headers, query }: Head) => ({
  headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.join(',')])),
  ...present('queryString', query === '' ? undefined : `?${query}`),
});

const mqttData = ({ userName, password, clientId }: NonNullable<LoginFacts['mqtt']>) => ({
  ...present('username', userName),
  ...present('password', password === undefined ? undefined : Buffer.from(password).toString('base64')),
  ...present('clientId', clientId),
});

/** The event as the bytes of its JSON. */
export function eventOf({ connectionId, tls, http, mqtt }: LoginFacts, { token, signatureVerified }: TokenProof): Uint8Array {
  const data = {
    ...present('tls', tls && tlsData(tls)),
    ...present('http', http && httpData(http)),
    ...present('mqtt', mqtt && mqttData(mqtt)),
  };
  const event = {
    ...present('token', token),
    signatureVerified,
    protocols: Object.keys(data),
    protocolData: data,
    connectionMetadata: { id: connectionId },
  };
  return Buffer.from(JSON.stringify(event));
}

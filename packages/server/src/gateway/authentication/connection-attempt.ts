/** A connection attempt: what a client shows of itself, and what is configured for the host name that it asked for. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Peer } from '../../broker/contract.ts';
import type { HttpHead } from './http-head.ts';
import type { Signer } from './sigv4/signer.ts';

/** A domain configuration that governs the host name which the client asked for (SNI). */
export interface DomainConfiguration {
  readonly place: Place;
  readonly name: string;
  readonly authenticationType: 'DEFAULT' | 'AWS_X509' | 'AWS_SIGV4' | 'CUSTOM_AUTH' | 'CUSTOM_AUTH_X509';
  readonly applicationProtocol: 'DEFAULT' | 'SECURE_MQTT' | 'MQTT_WSS' | 'HTTPS';
  readonly serviceType: 'DATA' | 'CREDENTIAL_PROVIDER' | 'JOBS';
  readonly defaultAuthorizerName?: string;
  readonly allowAuthorizerOverride: boolean;
  readonly certificateCallback?: CertificateCallback;
}

/** The function that a domain asks about client certificates, and the domain configuration's ARN, in whose name it does. */
export interface CertificateCallback {
  readonly functionArn: string;
  readonly sourceArn: string;
  /** Whether the account's root has named the function. */
  readonly byRoot?: boolean;
}

/** A connection, WebSocket or HTTPS request that is to be authenticated. */
export interface ConnectionAttempt {
  readonly peer: Peer;
  readonly protocol: 'mqtt' | 'websocket' | 'https';
  /** What TLS agreed on at the HTTPS port; absent at the MQTT port, where it says nothing, and without TLS. */
  readonly alpn?: string | undefined;
  readonly domain?: DomainConfiguration | undefined;
  /** Absent for MQTT straight over TLS. */
  readonly http?: HttpHead;
  /** Who has signed the upgrade or the request: there once it is proven. */
  readonly signer?: Signer;
}

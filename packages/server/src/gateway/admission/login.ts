/**
 * What a connection brings to say who it is, and the ways to judge that: a client certificate, a signature of AWS's
 * (SigV4), or a custom authorizer (developer guide, pages protocols and custom-authentication).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal, Judge, Peer, Rights } from '../../broker/contract.ts';

/** Head of an HTTP request or of a WebSocket's upgrade. */
export interface HttpHead {
  readonly method: string;
  /** Raw path and raw query (without `?`), as sent. */
  readonly path: string;
  readonly query: string;
  /** Lower-case name -> every value, in order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** A domain configuration that governs the host name which the client asked for (SNI). */
export interface Domain {
  readonly place: Place;
  readonly name: string;
  readonly authenticationType: 'DEFAULT' | 'AWS_X509' | 'AWS_SIGV4' | 'CUSTOM_AUTH' | 'CUSTOM_AUTH_X509';
  readonly applicationProtocol: 'DEFAULT' | 'SECURE_MQTT' | 'MQTT_WSS' | 'HTTPS';
  readonly serviceType: 'DATA' | 'CREDENTIAL_PROVIDER' | 'JOBS';
  readonly defaultAuthorizerName?: string;
  readonly allowAuthorizerOverride: boolean;
}

export interface Login {
  readonly peer: Peer;
  readonly protocol: 'mqtt' | 'websocket' | 'https';
  readonly domain?: Domain;
  /** Absent for MQTT straight over TLS. */
  readonly http?: HttpHead;
}

/** An identity without an MQTT session: who sends an HTTPS request. */
export interface Identified {
  readonly place: Place;
  readonly principal: string;
  readonly rights: Rights;
}

/** A way of judging logins. */
export interface LoginMethod {
  /** The judge of the connection's CONNECT. */
  judgeOf(login: Login): Judge;
  /** Judges the sender of one HTTPS request. */
  identify(login: Login): Promise<Identified | AdmissionRefusal>;
}

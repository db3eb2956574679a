/**
 * What a connection brings to say who it is, and the ways to judge that: a client certificate, a signature of AWS's
 * (SigV4), or a custom authorizer (developer guide, pages protocols and custom-authentication).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Decision, Peer, Rights } from '../../broker/contract.ts';

/** Head of an HTTP request or of a WebSocket's upgrade. */
export interface HttpHead {
  readonly method: string;
  /** Raw path and raw query (without `?`), as sent. */
  readonly path: string;
  readonly query: string;
  /** Lower-case name -> every value, in order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Address of this server on which it came. */
  readonly arrivedAt?: string;
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
  readonly certificateCallback?: CertificateCallback;
}

/** The function that a domain asks about client certificates, and the domain configuration's ARN, in whose name it does. */
export interface CertificateCallback {
  readonly functionArn: string;
  readonly sourceArn: string;
  /** Whether the account's root has named the function. */
  readonly byRoot?: boolean;
}

/** Rights that are asked for more than messages: connecting, and the operations of the data plane. */
export interface ActionRights extends Rights {
  decide(action: string, resource: string, keys?: KeyValues): Decision;
}

/** What somebody who signs with an access key is about to do. */
export interface KeyUse {
  readonly protocol: 'mqtt' | 'http';
  readonly clientId?: string;
  readonly sourceIp: string;
  /** Region that the request is signed for. */
  readonly region?: string;
  /** Whether it came over TLS. */
  readonly secureTransport?: boolean;
  /** Headers of these names, as the client has sent them. */
  readonly userAgent?: string | undefined;
  readonly referer?: string | undefined;
  /** Host name that was asked for. */
  readonly domainName?: string | undefined;
  /** What a CONNECT uses beyond the plain, and the ARN of its will's topic: for policies that are the holder's own. */
  readonly connectAttributes?: readonly string[];
  readonly lastWillTopicArn?: string | undefined;
}

/** Condition keys that stand in a request for one question alone. */
export type KeyValues = readonly (readonly [key: string, value: string | readonly string[]])[];

/** Whose access key has signed, for which service and region. */
export interface Signer {
  readonly service: string;
  readonly region: string;
  readonly key: {
    readonly accessKeyId: string;
    /** Of temporary credentials. */
    readonly sessionToken?: string;
    readonly accountId: string;
    readonly arn: string;
    readonly userId: string;
    /** Rights of a key that has less than all; undefined is answered when it stands for nobody any more. */
    readonly rights?: (use: KeyUse) => Promise<ActionRights | undefined>;
    /** `identity`: of IAM; changes of the account's users, roles and policies are the key's too. */
    readonly holder?: 'identity' | 'device';
    readonly isGone?: () => boolean;
    /** Certificate that the key was got with: changes of its rights are the key's too. */
    readonly certificateId?: string;
  };
}

export interface ConnectionAttempt {
  readonly peer: Peer;
  readonly protocol: 'mqtt' | 'websocket' | 'https';
  readonly domain?: Domain | undefined;
  /** Absent for MQTT straight over TLS. */
  readonly http?: HttpHead;
  /** Who has signed the upgrade or the request: there once it is proven. */
  readonly signer?: Signer;
}

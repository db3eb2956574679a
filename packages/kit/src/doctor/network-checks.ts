/** Looks at the way to the endpoint: name, port, the server's certificate. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { bad, type Finding, good, skipped } from './findings.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds for each step. */
const PATIENCE = 10_000;
/** Milliseconds that clocks may differ. */
const SKEW = 300_000;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;

export async function checkName({ host }: Endpoint): Promise<Finding> {
  if (isIP(host) !== 0) return good('name', `${host} is an address`);
  try {
    const found = await lookup(host, { all: true });
    return good('name', `${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return bad('name', `${host} can't be resolved (${codeOf(error)})`, 'is the name right, and does this machine have DNS?');
  }
}

export async function checkPort({ host, port }: Endpoint): Promise<Finding> {
  const socket = connectTcp({ host, port });
  // Without a listener an error after the first event would end the process.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE) });
    return good('port', `${host}:${port} is open`);
  } catch (error) {
    const why = (error as Error).name === 'AbortError' ? `no answer within ${PATIENCE / 1000} s` : codeOf(error);
    return bad(
      'port',
      `${host}:${port} can't be reached (${why})`,
      'does a firewall close the port? 443 with ALPN is another way',
    );
  } finally {
    socket.destroy();
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: 'the root given is not the one of this server',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the root given is not the one of this server',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the root given is not the one of this server',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the root given is not the one of this server',
  CERT_HAS_EXPIRED: "is the clock right? Else the server's certificate has to be renewed",
  CERT_NOT_YET_VALID: 'is the clock right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the name that the server has its certificate for',
};

/** A handshake without a certificate of the device's: is the server the one that is meant? */
export async function checkServer({ host, port }: Endpoint, rootCa: string | undefined, now: number): Promise<Finding[]> {
  const socket: TLSSocket = connectTls({
    host,
    port,
    ca: rootCa,
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
    const code = socket.authorizationError as unknown as string | null;
    const certificate = socket.getPeerCertificate();
    const clock = clockAgainst(certificate, now);
    if (code !== null && code !== undefined)
      return [
        bad(
          'tls',
          `the server's certificate does not verify (${code})`,
          ADVICE[String(code)] ?? 'give the right root with --root-ca',
        ),
        clock,
      ];
    return [good('tls', `${socket.getProtocol()}, the server is ${certificate.subject.CN ?? host}`), clock];
  } catch (error) {
    return [bad('tls', `no handshake with ${host}:${port} (${codeOf(error)})`, 'does a server for devices listen there?')];
  } finally {
    socket.destroy();
  }
}

/** Compares the clock with the dates of the server's certificate, which come from another machine. */
function clockAgainst({ valid_from, valid_to }: PeerCertificate, now: number): Finding {
  const [from, to] = [Date.parse(valid_from), Date.parse(valid_to)];
  const here = new Date(now).toISOString();
  if (!Number.isFinite(from) || !Number.isFinite(to))
    return skipped('clock', "the server's certificate has no dates to compare with");
  if (now < from - SKEW || now > to + SKEW)
    return bad(
      'clock',
      `it says ${here}; the server's certificate is valid from ${valid_from} to ${valid_to}`,
      'set the clock (NTP)',
    );
  return good('clock', `it says ${here}, within the dates of the server's certificate`);
}

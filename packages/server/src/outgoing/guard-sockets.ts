/**
 * Checks every connection that a thread opens, for a client that connects by itself to addresses which its peer names.
 * Only for a thread that does nothing else: it replaces `connect` of all sockets of Node there.
 */
import { isIP, type LookupFunction, Socket } from 'node:net';
import { type Egress, EgressError } from './egress.ts';
import { pinnedLookup } from './requests.ts';

interface ConnectOptions {
  readonly host?: string;
  readonly port?: number | string;
  readonly path?: string;
  lookup?: LookupFunction;
}

type SocketConnect = (this: Socket, ...args: unknown[]) => Socket;

/** The options in the arguments of `connect`; undefined in any form but the two that Node itself uses. */
function optionsOf([first]: readonly unknown[]): ConnectOptions | undefined {
  const given: unknown = Array.isArray(first) ? first[0] : first;
  return typeof given === 'object' && given !== null ? given : undefined;
}

/** `isExempt`: whether the operator has named this host and port. */
export function guardSockets(egress: Egress, isExempt: (host: string, port: number) => boolean): void {
  const connect = Socket.prototype.connect as SocketConnect;
  const guarded: SocketConnect = function guarded(...args) {
    const options = optionsOf(args);
    const { host = 'localhost', port: given, path } = options ?? {};
    const port = Number(given);
    if (options === undefined || path !== undefined || !Number.isInteger(port))
      return this.destroy(new EgressError('a connection without host and port is not allowed'));
    const exempt = isExempt(host, port);
    const fault = isIP(host) === 0 || exempt ? undefined : egress.refusalOf(host, port);
    if (fault !== undefined) return this.destroy(fault);
    options.lookup = (name, how, done) => {
      egress.targetOf(host, port, exempt).then(
        (target) => pinnedLookup(target)(name, how, done),
        (error: Error) => done(error, '', 4),
      );
    };
    return connect.apply(this, args);
  };
  Socket.prototype.connect = guarded;
}

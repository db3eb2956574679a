/** The entries of `--outgoing-allow`: addresses besides the internet that rules, authorizers and functions may reach. */
import { inRange, type IpRange, parseIpAddress, parseIpRange } from '../policies/ip-address.ts';

/** A host name, or a range of addresses; with a port, that port alone. */
export interface AllowedEntry {
  readonly host?: string;
  readonly range?: IpRange;
  readonly port?: number;
}

/** An entry is a host name, an address or a range in CIDR form, alone or with `:PORT`; with a port IPv6 stands in brackets. */
const BRACKETED = /^\[([0-9a-f:.]+(?:\/\d{1,3})?)\](?::(\d{1,5}))?$/i;
const PLAIN = /^([^:[\]\s]+)(?::(\d{1,5}))?$/;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Reads an entry; undefined for any other text. */
export function readAllowed(text: string): AllowedEntry | undefined {
  const bare = text.includes('[') ? undefined : parseIpRange(text);
  if (bare !== undefined) return text.includes('%') ? undefined : { range: bare };
  const [, body = '', portText] = BRACKETED.exec(text) ?? PLAIN.exec(text) ?? [];
  if (portText !== undefined && (Number(portText) < 1 || Number(portText) > 65_535)) return undefined;
  const range = parseIpRange(body);
  const isName = HOST_NAME.test(body) && !/^[\d.]+$/.test(body);
  if (range === undefined && !isName) return undefined;
  return {
    host: range === undefined ? body.toLowerCase() : undefined,
    range,
    port: portText === undefined ? undefined : Number(portText),
  };
}

/** Whether an entry names this port; `mustName`: an entry without a port does not count. */
const coversPort = (entry: AllowedEntry, port: number, mustName: boolean): boolean =>
  entry.port === port || (entry.port === undefined && !mustName);

export const allowsName = (entries: readonly AllowedEntry[], host: string, port: number, mustName = false): boolean =>
  entries.some((entry) => entry.host === host.toLowerCase() && coversPort(entry, port, mustName));

export function allowsAddress(entries: readonly AllowedEntry[], text: string, port: number, mustName = false): boolean {
  const address = text.includes('%') ? undefined : parseIpAddress(text);
  return (
    address !== undefined &&
    entries.some(({ range, ...entry }) => range !== undefined && inRange(address, range) && coversPort(entry, port, mustName))
  );
}

/** How a function, which runs on this machine, reaches the API. */

export interface ApiPlace {
  readonly bind: string;
  readonly apiTls: boolean;
  /** Host name that is in the server's certificates, beside `localhost`. */
  readonly endpoint: string;
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::', '127.0.0.1', 'localhost']);

/** The loopback address wherever the API listens there: no name has to be found. */
export function localUrl({ bind, apiTls, endpoint }: ApiPlace, port: number): string {
  const isHere = EVERYWHERE.has(bind);
  if (apiTls) return `https://${isHere ? 'localhost' : endpoint}:${port}`;
  const host = bind.includes(':') ? `[${bind}]` : bind;
  return `http://${isHere ? '127.0.0.1' : host}:${port}`;
}

/** Where a process of this machine connects to the API. */
export function localAddress({ bind }: Pick<ApiPlace, 'bind'>, port: number): { host: string; port: number } {
  if (!EVERYWHERE.has(bind)) return { host: bind, port };
  return { host: bind === '::' ? '::1' : '127.0.0.1', port };
}

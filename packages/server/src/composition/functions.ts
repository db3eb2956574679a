/** Functions and what they write: hosted here, at URLs, or in Lambda; log groups; and backups, which hold functions still. */
import { signRequest } from '../api/sign-request.ts';
import { openActionKeys } from '../config/action-keys.ts';
import { FunctionFigures } from '../functions/function-figures.ts';
import { FunctionHosting } from '../functions/hosted/hosting.ts';
import { localAddress, localUrl } from '../functions/hosted/local-url.ts';
import { Functions } from '../functions/invoke.ts';
import { Backups } from '../installation/backups.ts';
import { LogWriter } from '../logs/writer.ts';
import { UNKNOWN_KEY } from '../rules/actions/aws-clients.ts';
import { ApiShare, connectionBound } from '../runtime/api-share.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { Storage } from './storage.ts';

export async function openFunctions(base: CoreBase, storage: Storage, { iam, resourceKeys }: Access) {
  const { config, folder, clock, log, cgroups, parts, listening } = base;
  const { common, audit, store, accessKeys, authority, egress, objects } = storage;
  const logs = new LogWriter(common);
  parts.defer(() => logs.flush());
  const mostConnections = connectionBound(config.maxConnections, log);
  const apiShare = new ApiShare(mostConnections);
  const figures = new FunctionFigures(clock);
  const hosting = parts.use(
    await FunctionHosting.open({
      ...common,
      cgroups,
      codeFolder: folder.functions,
      network: config.functionNetwork,
      roleCredentials: iam.roleCredentials,
      rolePermissions: iam.rolePermissions,
      resourceKeys,
      endpointUrl: () => localUrl(config, listening.api),
      apiAddress: () => localAddress(config, listening.api),
      apiShare,
      authorityPem: config.apiTls ? authority.rootCaPem : undefined,
      writeLog: (place, lines) => logs.write(place, place.group, place.stream, lines),
      allowUnconfined: config.allowUnconfinedFunctions,
      python: config.functionPython,
      concurrency: config.functionConcurrency,
      calls: figures.places.hosted,
    }),
  );
  const backups = parts.use(new Backups({ folder, store, holds: [audit, hosting, objects], clock, log }));
  const operatorKeys = openActionKeys(config.actionCredentials, accessKeys.values(), config.accountId);
  const functions = new Functions({
    hosted: hosting.host,
    lambdaEndpoint: config.lambdaEndpoint,
    egress,
    calls: figures.places.elsewhere,
    sign: ({ accountId, ...request }) => {
      const key = operatorKeys === undefined ? UNKNOWN_KEY : operatorKeys.of(accountId, 'lambda');
      if (key === undefined) return undefined;
      return signRequest({ method: 'POST', service: 'lambda', ...request, now: clock.now(), key });
    },
  });
  parts.defer(() => functions.close());
  return { logs, mostConnections, apiShare, hosting, backups, operatorKeys, functions, figures };
}

export type FunctionParts = Awaited<ReturnType<typeof openFunctions>>;

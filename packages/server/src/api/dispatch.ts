/** A routed and proven request -> its operation's handler -> the answer. */
import type { Caller, Handler, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type {
  IotDataOperations,
  IotJobsDataOperations,
  IotOperations,
  LambdaOperations,
} from '@thingkeep/wire/api/operation-types.ts';
import { parseRequest, type RequestParts } from '@thingkeep/wire/api/parse-request.ts';
import { type Rendered, renderResponse } from '@thingkeep/wire/api/render-response.ts';
import type { Route } from '@thingkeep/wire/api/route.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';

export interface Services {
  readonly iot: Handlers<IotOperations>;
  readonly 'iot-data': Handlers<IotDataOperations>;
  readonly 'iot-jobs-data': Handlers<IotJobsDataOperations>;
  readonly lambda: Handlers<LambdaOperations>;
}

/** The handler by the operation's name: the table and the handlers' types come from the same models, so the shapes agree. */
function handlerOf(services: Services, { service, name }: Operation): Handler | undefined {
  const handlers = services[service] as Readonly<Record<string, Handler | undefined>>;
  return Object.hasOwn(handlers, name) ? handlers[name] : undefined;
}

/** Fails when the caller may not do this. */
export type Authorize = (operation: Operation, input: object) => Promise<void>;

/** Runs the operation. Fails with a code that the operation declares, or a front-end one. */
export async function dispatch(
  services: Services,
  route: Route,
  request: RequestParts,
  caller: Caller,
  authorize: Authorize,
): Promise<Rendered> {
  const { operation } = route;
  // Input first: a request that AWS would refuse is refused the same way whether or not there is a handler yet.
  const input = parseRequest(route, request);
  await authorize(operation, input);
  const handler = handlerOf(services, operation);
  if (handler === undefined) return fail('UnknownOperationException', `${operation.name} is not implemented by Thingkeep yet`);
  return renderResponse(operation, await handler(input, caller));
}

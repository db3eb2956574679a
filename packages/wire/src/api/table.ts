/**
 * The operation table: every operation of the three AWS IoT services, and the chosen ones of Lambda, with the shapes that it
 * takes and gives.
 */
import iot from './iot.json' with { type: 'json' };
import iotData from './iot-data.json' with { type: 'json' };
import iotJobsData from './iot-jobs-data.json' with { type: 'json' };
import iam from './iam.json' with { type: 'json' };
import lambda from './lambda.json' with { type: 'json' };
import sts from './sts.json' with { type: 'json' };
import type { Member, ModelName, OperationModel, QueryServiceName, ServiceModel, ServiceName, Shape } from './model.ts';

export type { ServiceName } from './model.ts';

export interface Operation extends OperationModel {
  readonly service: ServiceName;
  readonly name: string;
}

/** As {@link Operation}, of the query protocol: its errors are named by their codes there. */
export interface QueryOperation extends OperationModel {
  readonly service: QueryServiceName;
  readonly name: string;
}

const MODELS: Readonly<Record<ModelName, ServiceModel>> = {
  iot: iot as unknown as ServiceModel,
  'iot-data': iotData as unknown as ServiceModel,
  'iot-jobs-data': iotJobsData as unknown as ServiceModel,
  lambda: lambda as unknown as ServiceModel,
  iam: iam as unknown as ServiceModel,
  sts: sts as unknown as ServiceModel,
};

export const SERVICE_NAMES: readonly ServiceName[] = ['iot', 'iot-data', 'iot-jobs-data', 'lambda'];

/** Name that a service's requests are signed for. */
export const signingName = (service: ServiceName): string => MODELS[service].signingName;

const BY_SERVICE = new Map(
  SERVICE_NAMES.map((service) => [
    service,
    new Map(
      Object.entries(MODELS[service].operations).map(([name, model]): [string, Operation] => [name, { ...model, service, name }]),
    ),
  ]),
);

export const operationsOf = (service: ServiceName): readonly Operation[] => [...(BY_SERVICE.get(service)?.values() ?? [])];

export const findOperation = (service: ServiceName, name: string): Operation | undefined => BY_SERVICE.get(service)?.get(name);

/** What the form's `Action` names, or undefined when the service has no such operation here. */
export function findQueryOperation(service: QueryServiceName, name: string): QueryOperation | undefined {
  const { operations } = MODELS[service];
  const model = Object.hasOwn(operations, name) ? operations[name] : undefined;
  return model === undefined ? undefined : { ...model, service, name };
}

export const queryOperationsOf = (service: QueryServiceName): readonly string[] => Object.keys(MODELS[service].operations);

/** API version and XML namespace of a service of the query protocol. */
export const queryService = (service: QueryServiceName): { readonly apiVersion: string; readonly xmlNamespace: string } => {
  const { apiVersion, xmlNamespace = '' } = MODELS[service];
  return { apiVersion, xmlNamespace };
};

/** A shape that the table itself refers to; a test walks every reference, so a miss is a damaged data file. */
export function shapeOf(service: ModelName, name: string): Shape {
  const shape = MODELS[service].shapes[name];
  if (shape === undefined) throw new TypeError(`operation table: no shape ${name} in ${service}`);
  return shape;
}

const MEMBERS = new WeakMap<Shape, readonly [name: string, member: Member][]>();

/** A structure's members in the model's order; listed once, for a request may hold many of one structure. */
export function membersOf(shape: Shape): readonly [name: string, member: Member][] {
  let members = MEMBERS.get(shape);
  if (members === undefined) {
    members = Object.entries(shape.members ?? {});
    MEMBERS.set(shape, members);
  }
  return members;
}

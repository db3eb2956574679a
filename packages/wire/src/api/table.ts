/** The operation table: every operation of the three AWS IoT services, with the shapes that it takes and gives. */
import iot from './iot.json' with { type: 'json' };
import iotData from './iot-data.json' with { type: 'json' };
import iotJobsData from './iot-jobs-data.json' with { type: 'json' };
import type { Member, OperationModel, ServiceModel, ServiceName, Shape } from './model.ts';

export type { ServiceName } from './model.ts';

export interface Operation extends OperationModel {
  readonly service: ServiceName;
  readonly name: string;
}

const MODELS: Readonly<Record<ServiceName, ServiceModel>> = {
  iot: iot as unknown as ServiceModel,
  'iot-data': iotData as unknown as ServiceModel,
  'iot-jobs-data': iotJobsData as unknown as ServiceModel,
};

export const SERVICE_NAMES: readonly ServiceName[] = ['iot', 'iot-data', 'iot-jobs-data'];

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

/** A shape that the table itself refers to; a test walks every reference, so a miss is a damaged data file. */
export function shapeOf(service: ServiceName, name: string): Shape {
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

/** The form of the operation table's data files: what tools/generate-operations.ts keeps of a public AWS service model. */

export type ServiceName = 'iot' | 'iot-data' | 'iot-jobs-data' | 'lambda';

/** Services of the query protocol: a form in, XML out; the form's `Action` names the operation. */
export type QueryServiceName = 'iam' | 'sts';

export type ModelName = ServiceName | QueryServiceName;

export interface Member {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header' | 'statusCode';
  readonly locationName?: string;
  /** A header that carries JSON, base64-encoded. */
  readonly jsonvalue?: boolean;
  readonly timestampFormat?: string;
}

export type ShapeType =
  | 'structure'
  | 'list'
  | 'map'
  | 'string'
  | 'boolean'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'timestamp'
  | 'blob';

export interface Shape {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  /** Member that is the whole body. */
  readonly payload?: string;
  readonly union?: boolean;
  /** Shapes of a list's members, of a map's keys and values. */
  readonly member?: string;
  readonly key?: string;
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
  readonly timestampFormat?: string;
}

export interface OperationModel {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly input?: string;
  readonly output?: string;
  /** Declared error code -> HTTP status. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface ServiceModel {
  readonly apiVersion: string;
  readonly signingName: string;
  /** Of a service of the query protocol. */
  readonly xmlNamespace?: string;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

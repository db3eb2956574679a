/** DescribeEndpoint: the one host name that devices use, whatever the kind asked for. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';

/** API reference DescribeEndpoint. */
const TYPES = new Set(['iot:Data', 'iot:Data-ATS', 'iot:CredentialProvider', 'iot:Jobs']);

export const endpointOperations = ({ endpoint }: { endpoint: string }): Handlers<Pick<IotOperations, 'DescribeEndpoint'>> => ({
  async DescribeEndpoint({ endpointType = 'iot:Data' }) {
    if (!TYPES.has(endpointType)) fail('InvalidRequestException', `Invalid endpointType: ${endpointType.slice(0, 128)}`);
    return { endpointAddress: endpoint };
  },
});

/** AWS IoT's control API as the kit uses it: the AWS SDK, to AWS or to another endpoint. */
import {
  DescribeCACertificateCommand,
  DescribeEndpointCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  RegisterCACertificateCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-iot';

export interface ServiceOptions {
  /** Absent for AWS, or what AWS_ENDPOINT_URL says. */
  readonly endpoint?: string;
  /** Absent for what AWS_REGION or the profile says. */
  readonly region?: string;
}

/** Opens a client; credentials come from the environment or a profile, as for the `aws` command. */
export const openIotClient = ({ endpoint, region }: ServiceOptions): IoTClient =>
  new IoTClient({ ...(endpoint !== undefined && { endpoint }), ...(region !== undefined && { region }) });

/** The code that a verification certificate has to name. */
export async function registrationCode(client: IoTClient): Promise<string> {
  const { registrationCode: code = '' } = await client.send(new GetRegistrationCodeCommand({}));
  return code;
}

/** The host that devices connect to. */
export async function dataEndpoint(client: IoTClient): Promise<string> {
  const { endpointAddress = '' } = await client.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
  return endpointAddress;
}

export interface CaRegistration {
  readonly caCertificate: string;
  readonly verificationCertificate: string;
  readonly isActive: boolean;
  readonly mayRegister: boolean;
}

/** The id of a CA that is registered already, from AWS's refusal; undefined where it is another refusal. */
function knownId(error: unknown): string | undefined {
  if (!(error instanceof ResourceAlreadyExistsException)) return undefined;
  return error.resourceId ?? /ID:([0-9a-zA-Z]+)/.exec(error.message)?.[1];
}

/** Registers a CA, or finds the one that is registered already, and describes it. */
export async function registerCa(
  client: IoTClient,
  { caCertificate, verificationCertificate, isActive, mayRegister }: CaRegistration,
) {
  const certificateId = await client
    .send(
      new RegisterCACertificateCommand({
        caCertificate,
        verificationCertificate,
        setAsActive: isActive,
        allowAutoRegistration: mayRegister,
      }),
    )
    .then(
      (answer) => answer.certificateId ?? '',
      (error: unknown) => {
        const known = knownId(error);
        if (known === undefined) throw error;
        return known;
      },
    );
  const { certificateDescription: found = {} } = await client.send(new DescribeCACertificateCommand({ certificateId }));
  return {
    certificateId,
    certificateArn: found.certificateArn ?? '',
    status: found.status ?? '',
    autoRegistrationStatus: found.autoRegistrationStatus ?? '',
    endpointAddress: await dataEndpoint(client),
  };
}

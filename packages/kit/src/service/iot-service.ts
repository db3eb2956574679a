/** AWS IoT's control API as the kit uses it: the AWS SDK, to AWS or to another endpoint. */
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  ResourceAlreadyExistsException,
  UpdateCertificateCommand,
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

export interface ThingWish {
  readonly thingName: string;
  readonly thingTypeName?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly policyNames: readonly string[];
}

/** A certificate for a request, not active yet. */
export async function certificateFromCsr(
  client: IoTClient,
  csr: string,
): Promise<{ certificateId: string; certificatePem: string }> {
  const answer = await client.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: false }));
  return { certificateId: answer.certificateId ?? '', certificatePem: answer.certificatePem ?? '' };
}

/** Makes a certificate of a registered CA known; one that is known already is taken as it is. Gives its id. */
export async function knownCertificate(
  client: IoTClient,
  certificatePem: string,
  caCertificatePem: string | undefined,
): Promise<string> {
  const send = async () =>
    caCertificatePem === undefined
      ? client.send(new RegisterCertificateWithoutCACommand({ certificatePem }))
      : client.send(new RegisterCertificateCommand({ certificatePem, caCertificatePem }));
  try {
    return (await send()).certificateId ?? '';
  } catch (error) {
    const known = knownId(error);
    if (known === undefined) throw error;
    return known;
  }
}

/** Makes thing, attachments and state of a certificate what is wished for; once more changes nothing. */
export async function attachThing(
  client: IoTClient,
  certificateId: string,
  { thingName, thingTypeName, attributes, policyNames }: ThingWish,
) {
  const { certificateDescription } = await client.send(new DescribeCertificateCommand({ certificateId }));
  const arn = certificateDescription?.certificateArn ?? '';
  await client.send(
    new CreateThingCommand({
      thingName,
      thingTypeName,
      ...(attributes && { attributePayload: { attributes: { ...attributes } } }),
    }),
  );
  await client.send(new AttachThingPrincipalCommand({ thingName, principal: arn }));
  for (const policyName of policyNames) await client.send(new AttachPolicyCommand({ policyName, target: arn }));
  if (certificateDescription?.status !== 'ACTIVE')
    await client.send(new UpdateCertificateCommand({ certificateId, newStatus: 'ACTIVE' }));
}

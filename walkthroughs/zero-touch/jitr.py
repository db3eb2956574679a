"""Activates a device that has just been registered: makes its thing, and the policy for its own topics."""
import json
import os
import ssl

import boto3

iot = boto3.client("iot", region_name=os.environ["AWS_DEFAULT_REGION"])

THING_TYPE = "microchip-zero-touch-kit"

# The object identifier of the subject key identifier, and the headers of an octet string of 20 bytes in another.
KEY_IDENTIFIER = bytes([0x55, 0x1D, 0x0E, 0x04, 22, 0x04, 20])


def key_identifier(pem):
    before, found, after = ssl.PEM_cert_to_DER_cert(pem).partition(KEY_IDENTIFIER)
    if not found:
        raise ValueError("the certificate has no subject key identifier")
    return after[:20].hex()


def allow(actions, *resources):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def policy_for(thing, prefix):
    own, shadow = "${iot:ClientId}", "$aws/things/${iot:ClientId}/shadow"
    statements = [
        allow(["iot:Connect"], f"{prefix}:client/{thing}"),
        allow(["iot:Publish", "iot:Receive"], f"{prefix}:topic/{own}/*", f"{prefix}:topic/{shadow}/*"),
        allow(["iot:Subscribe"], f"{prefix}:topicfilter/{own}/#", f"{prefix}:topicfilter/{shadow}/*"),
        allow(["iot:UpdateThingShadow", "iot:GetThingShadow"], f"{prefix}:topic/{shadow}/*"),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def handler(event, context):
    certificate_id = event["certificateId"]
    certificate = iot.describe_certificate(certificateId=certificate_id)["certificateDescription"]
    thing = key_identifier(certificate["certificatePem"])
    # Both take what is there already as made.
    iot.create_thing_type(thingTypeName=THING_TYPE)
    iot.create_thing(thingName=thing, thingTypeName=THING_TYPE)
    name = f"ZTPolicy_{certificate_id}"
    prefix = f"arn:aws:iot:{os.environ['AWS_DEFAULT_REGION']}:{event['awsAccountId']}"
    try:
        iot.create_policy(policyName=name, policyDocument=policy_for(thing, prefix))
    except iot.exceptions.ResourceAlreadyExistsException:
        print(f"{name} is there already")
    iot.attach_principal_policy(policyName=name, principal=certificate["certificateArn"])
    iot.update_certificate(certificateId=certificate_id, newStatus="ACTIVE")
    print(f"{thing} may connect")

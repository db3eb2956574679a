"""The shape of a just-in-time registration handler: a certificate that has come becomes a thing with a policy, and active.

It reads AWS_DEFAULT_REGION, and of the event only the account and the certificate. The thing is named by the certificate's
subject key identifier.
"""
import base64
import json
import os

import boto3
from botocore.exceptions import ClientError

THING_TYPE = "just-in-time-kit"
SKI_EXTENSION = bytes.fromhex("301d0603551d0e04160414")


def der_of(pem):
    lines = pem.strip().splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")))


def subject_key_identifier(pem):
    der = der_of(pem)
    start = der.index(SKI_EXTENSION) + len(SKI_EXTENSION)
    return der[start : start + 20].hex()


def policy_for(region, account):
    arn = f"arn:aws:iot:{region}:{account}"
    client = "${iot:ClientId}"
    shadow = f"$aws/things/{client}/shadow/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": [f"{arn}:client/{client}"]},
            {
                "Effect": "Allow",
                "Action": ["iot:Publish", "iot:Receive"],
                "Resource": [f"{arn}:topic/{client}/*", f"{arn}:topic/{shadow}"],
            },
            {
                "Effect": "Allow",
                "Action": ["iot:Subscribe"],
                "Resource": [f"{arn}:topicfilter/{client}/#", f"{arn}:topicfilter/{shadow}"],
            },
        ],
    }


def handler(event, context):
    region = os.environ["AWS_DEFAULT_REGION"]
    account, certificate_id = event["awsAccountId"], event["certificateId"]
    iot = boto3.client("iot", region_name=region)

    described = iot.describe_certificate(certificateId=certificate_id)["certificateDescription"]
    thing = subject_key_identifier(described["certificatePem"])
    iot.create_thing_type(thingTypeName=THING_TYPE)
    iot.create_thing(thingName=thing, thingTypeName=THING_TYPE)
    policy = f"JitrPolicy_{certificate_id}"
    try:
        iot.create_policy(policyName=policy, policyDocument=json.dumps(policy_for(region, account), indent=4))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
    iot.attach_principal_policy(policyName=policy, principal=described["certificateArn"])
    iot.update_certificate(certificateId=certificate_id, newStatus="ACTIVE")
    print("registered", thing)
    return thing

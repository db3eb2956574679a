"""A device by boto3: keys and certificate, policy, thing; then a message through the data plane.

Prints one JSON object. Arguments: folder for the certificate and key, name of the device.
"""
import json
import os
import pathlib
import sys

import boto3

folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
endpoint = os.environ["AWS_ENDPOINT_URL"]
iot = boto3.client("iot", endpoint_url=endpoint)
data = boto3.client("iot-data", endpoint_url=endpoint)
sts = boto3.client("sts", endpoint_url=endpoint)

account, region = sts.get_caller_identity()["Account"], iot.meta.region_name
arn = f"arn:aws:iot:{region}:{account}"
made = iot.create_keys_and_certificate(setAsActive=True)
(folder / f"{name}.crt").write_text(made["certificatePem"])
(folder / f"{name}.key").write_text(made["keyPair"]["PrivateKey"])
document = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{arn}:client/{name}*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{arn}:topic/{name}/*"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{arn}:topicfilter/{name}/*"},
    ],
}
iot.create_policy(policyName=f"{name}-policy", policyDocument=json.dumps(document))
iot.create_thing(thingName=name, attributePayload={"attributes": {"made-by": "boto3"}})
iot.attach_policy(policyName=f"{name}-policy", target=made["certificateArn"])
iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])

principals = iot.list_thing_principals(thingName=name)["principals"]
things = [thing["thingName"] for page in iot.get_paginator("list_things").paginate(maxResults=1) for thing in page["things"]]
policies = [policy["policyName"] for policy in iot.list_attached_policies(target=made["certificateArn"])["policies"]]
described = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
missing = None
try:
    iot.describe_thing(thingName=f"no-{name}")
except iot.exceptions.ResourceNotFoundException as error:
    missing = error.response["Error"]["Code"]
data.publish(topic=f"{name}/from-the-cloud", qos=1, payload=b"by boto3")
print(
    json.dumps(
        {
            "principals": principals == [made["certificateArn"]],
            "thing": name in things,
            "policies": policies,
            "status": described["status"],
            "missing": missing,
            "endpoint": iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"],
        }
    )
)

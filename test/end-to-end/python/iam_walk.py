"""IAM and STS by boto3: documents as it decodes them, paginators, waiters, an assumed role that makes a thing.

Prints one JSON object.
"""
import json
import os

import boto3
from botocore.exceptions import ClientError

endpoint = os.environ["AWS_ENDPOINT_URL"]
iam = boto3.client("iam", endpoint_url=endpoint)
sts = boto3.client("sts", endpoint_url=endpoint)
account = sts.get_caller_identity()["Account"]
document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:CreateThing", "Resource": "*"}]}
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]}


def code_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


names = [f"walk-{index}" for index in range(5)]
for name in names:
    iam.create_user(UserName=name, Path="/walk/", Tags=[{"Key": "name", "Value": name}])
iam.get_waiter("user_exists").wait(UserName=names[0])
pages = iam.get_paginator("list_users").paginate(PathPrefix="/walk/", PaginationConfig={"PageSize": 2})
listed = [[user["UserName"] for user in page["Users"]] for page in pages]
iam.put_user_policy(UserName=names[0], PolicyName="p", PolicyDocument=json.dumps(document))
decoded = iam.get_user_policy(UserName=names[0], PolicyName="p")["PolicyDocument"]
iam.create_role(RoleName="walk", AssumeRolePolicyDocument=json.dumps(trust))
iam.put_role_policy(RoleName="walk", PolicyName="p", PolicyDocument=json.dumps(document))
made = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/walk", RoleSessionName="boto3")["Credentials"]
iot = boto3.client(
    "iot",
    endpoint_url=endpoint,
    aws_access_key_id=made["AccessKeyId"],
    aws_secret_access_key=made["SecretAccessKey"],
    aws_session_token=made["SessionToken"],
)
thing = iot.create_thing(thingName="walk")["thingName"]
print(
    json.dumps(
        {
            "listed": listed,
            "decoded": decoded == document,
            "trust": iam.get_role(RoleName="walk")["Role"]["AssumeRolePolicyDocument"] == trust,
            "thing": thing,
            "denied": code_of(lambda: iot.list_things()),
            "missing": code_of(lambda: iam.get_user(UserName="none")),
        }
    )
)

"""Lambda by boto3: a function from its first archive to its end. Prints one JSON object.

Arguments: the function's archive, and another for its update.
"""
import base64
import json
import pathlib
import sys
import urllib.request

import os

import boto3
from botocore.exceptions import ClientError

first, second = (pathlib.Path(name).read_bytes() for name in sys.argv[1:3])
endpoint = os.environ["AWS_ENDPOINT_URL"]
client = boto3.client("lambda", endpoint_url=endpoint)
ROLE = "arn:aws:iam::000000000000:role/r"
seen = {}


def code_of(call):
    try:
        call()
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


def invoke(name, **more):
    answer = client.invoke(FunctionName=name, Payload=b'{"n": 1}', **more)
    return [answer["StatusCode"], answer["ExecutedVersion"], answer["Payload"].read().decode()]


settings = dict(Runtime="python3.12", Role=ROLE, Handler="index.handler", Timeout=10)
made = client.create_function(FunctionName="walk", Code={"ZipFile": first}, Tags={"a": "1"}, **settings)
seen["made"] = [made["State"], made["LastUpdateStatus"], made["Version"], made["CodeSize"] == len(first)]
client.get_waiter("function_active_v2").wait(FunctionName="walk")
seen["again"] = code_of(lambda: client.create_function(FunctionName="walk", Code={"ZipFile": first}, **settings))
seen["missing"] = code_of(lambda: client.get_function(FunctionName="nobody"))
seen["first"] = invoke("walk")
seen["version"] = client.publish_version(FunctionName="walk", Description="one")["Version"]
seen["same version"] = client.publish_version(FunctionName="walk", Description="one")["Version"]
client.create_alias(FunctionName="walk", Name="live", FunctionVersion="1")
updated = client.update_function_code(FunctionName="walk", ZipFile=second)
client.get_waiter("function_updated_v2").wait(FunctionName="walk")
seen["updated"] = updated["CodeSha256"] != made["CodeSha256"]
seen["latest"] = invoke("walk")
seen["live"] = invoke("walk:live")
seen["live by ARN"] = invoke(made["FunctionArn"], Qualifier="live")
client.publish_version(FunctionName="walk")
client.update_alias(FunctionName="walk", Name="live", FunctionVersion="2")
seen["live after"] = invoke("walk", Qualifier="live")
seen["stale"] = code_of(
    lambda: client.update_function_configuration(FunctionName="walk", Timeout=5, RevisionId=made["RevisionId"])
)
seen["versions"] = [each["Version"] for each in client.list_versions_by_function(FunctionName="walk")["Versions"]]
got = client.get_function(FunctionName="walk", Qualifier="1")
with urllib.request.urlopen(got["Code"]["Location"]) as answer:
    seen["archive"] = answer.read() == first
seen["dry"] = client.invoke(FunctionName="walk", InvocationType="DryRun")["StatusCode"]
seen["event"] = client.invoke(FunctionName="walk", InvocationType="Event", Payload=b"{}")["StatusCode"]
seen["not json"] = code_of(lambda: client.invoke(FunctionName="walk", Payload=b"not json"))
tail = client.invoke(FunctionName="walk", LogType="Tail", Payload=b"{}")
seen["tail"] = "START RequestId" in base64.b64decode(tail["LogResult"]).decode()
permission = dict(StatementId="s", Action="lambda:InvokeFunction", Principal="iot.amazonaws.com")
client.add_permission(FunctionName="walk", SourceArn="arn:aws:iot:us-east-1:000000000000:rule/r", **permission)
seen["twice"] = code_of(lambda: client.add_permission(FunctionName="walk", **permission))
seen["policy"] = json.loads(client.get_policy(FunctionName="walk")["Policy"])["Statement"][0]["Principal"]
client.remove_permission(FunctionName="walk", StatementId="s")
seen["no policy"] = code_of(lambda: client.get_policy(FunctionName="walk"))
client.put_function_concurrency(FunctionName="walk", ReservedConcurrentExecutions=0)
seen["throttled"] = code_of(lambda: invoke("walk"))
client.delete_function_concurrency(FunctionName="walk")
client.put_function_event_invoke_config(FunctionName="walk", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
config = client.get_function_event_invoke_config(FunctionName="walk")
seen["event config"] = [config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]]
arn = made["FunctionArn"]
client.tag_resource(Resource=arn, Tags={"b": "2"})
client.untag_resource(Resource=arn, TagKeys=["a"])
seen["tags"] = client.list_tags(Resource=arn)["Tags"]
seen["account"] = client.get_account_settings()["AccountUsage"]["FunctionCount"]
seen["in use"] = code_of(lambda: client.delete_function(FunctionName="walk", Qualifier="2"))
client.delete_alias(FunctionName="walk", Name="live")
client.delete_function(FunctionName="walk", Qualifier="1")
seen["left"] = [each["Version"] for each in client.list_versions_by_function(FunctionName="walk")["Versions"]]
client.delete_function(FunctionName="walk")
seen["functions"] = [each["FunctionName"] for each in client.list_functions()["Functions"]]
print(json.dumps(seen))

"""Lambda by boto3: what the walk leaves out, and waiters. Ends with a traceback where something is missing. Argument: an archive."""
import os
import pathlib
import sys

import boto3

client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
archive = pathlib.Path(sys.argv[1]).read_bytes()
NAME = {"FunctionName": "settings"}


def equal(found, expected):
    assert found == expected, (found, expected)


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


role = "arn:aws:iam::000000000000:role/r"
made = client.create_function(**NAME, Runtime="python3.12", Handler="index.handler", Role=role, Code={"ZipFile": archive}, Publish=True)
for waiter in ("function_exists", "function_active", "function_active_v2"):
    client.get_waiter(waiter).wait(**NAME)
client.update_function_configuration(**NAME, Description="other")
for waiter in ("function_updated", "function_updated_v2"):
    client.get_waiter(waiter).wait(**NAME)
client.get_waiter("published_version_active").wait(**NAME, Qualifier="1")
equal(client.get_function_configuration(**NAME)["Description"], "other")
equal(client.get_function_configuration(**NAME, Qualifier="1")["Description"], "")

client.create_alias(**NAME, Name="__proto__", FunctionVersion="1")
client.create_alias(**NAME, Name="live", FunctionVersion="1")
equal(client.get_alias(**NAME, Name="live")["FunctionVersion"], "1")
equal([each["Name"] for each in client.list_aliases(**NAME)["Aliases"]], ["__proto__", "live"])
for call in (client.get_policy, client.get_function_event_invoke_config):
    try:
        call(**NAME, Qualifier="__proto__")
        raise AssertionError("there is none")
    except client.exceptions.ResourceNotFoundException:
        pass

client.put_function_event_invoke_config(**NAME, MaximumRetryAttempts=1)
client.update_function_event_invoke_config(**NAME, MaximumEventAgeInSeconds=60)
[config] = client.list_function_event_invoke_configs(**NAME)["FunctionEventInvokeConfigs"]
equal((config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]), (1, 60))
client.delete_function_event_invoke_config(**NAME)
equal(client.list_function_event_invoke_configs(**NAME)["FunctionEventInvokeConfigs"], [])

client.put_function_concurrency(**NAME, ReservedConcurrentExecutions=2)
equal(client.get_function_concurrency(**NAME)["ReservedConcurrentExecutions"], 2)
client.delete_function_concurrency(**NAME)
equal(without_metadata(client.get_function_concurrency(**NAME)), {})
equal(without_metadata(client.get_function_code_signing_config(**NAME)), {"FunctionName": "settings"})
equal(client.get_function_recursion_config(**NAME)["RecursiveLoop"], "Allow")
equal(client.get_runtime_management_config(**NAME)["UpdateRuntimeOn"], "Auto")
print("{}")

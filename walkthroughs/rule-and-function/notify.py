"""Keeps the last alarm of each device as an attribute of its thing."""
import os

import boto3

iot = boto3.client("iot", region_name=os.environ["AWS_DEFAULT_REGION"])


def handler(event, context):
    thing = event["device"]
    attributes = {"lastAlarm": str(event["temperature"])}
    iot.update_thing(thingName=thing, attributePayload={"attributes": attributes, "merge": True})
    print(f"{thing} is too hot: {event['temperature']}")
    return attributes

"""Walks every operation of AWS IoT with boto3: what is served, with its refusals; what is not, which must say so at once.

Every raw reply is held against botocore's model: a status and an error code that the operation declares (or one of the
front end that all AWS services share), no member that the shape does not have, JSON that can be read. Prints one line of
JSON with what was walked; any fault is a line on standard error and a status of 1.
"""

import io
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

FRONT_END = {
    "AccessDeniedException", "ExpiredTokenException", "ForbiddenException", "IncompleteSignatureException",
    "InvalidSignatureException", "MissingAuthenticationTokenException", "RequestEntityTooLargeException",
    "RequestExpired", "UnknownOperationException", "UnrecognizedClientException",
}

faults = []
served, refused, unserved = set(), {}, set()
last = {}


def fault(text):
    faults.append(text)
    print(text, file=sys.stderr)


def unknown_members(shape, value, path):
    """Names in a body that the shape does not have."""
    if value is None or shape is None:
        return []
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        known = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        found = []
        for name, member in value.items():
            found += unknown_members(known[name], member, f"{path}.{name}") if name in known else [f"{path}.{name} is unknown"]
        return found
    if shape.type_name == "list":
        return [f for v in value for f in unknown_members(shape.member, v, f"{path}[]")] if isinstance(value, list) else [f"{path} is no list"]
    if shape.type_name == "map":
        return [f for v in value.values() for f in unknown_members(shape.value, v, f"{path}{{}}")] if isinstance(value, dict) else [f"{path} is no map"]
    expected = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": (int, float, str), "double": (int, float), "float": (int, float)}
    if shape.type_name in expected and not isinstance(value, expected[shape.type_name]):
        return [f"{path} is a {type(value).__name__}, not a {shape.type_name}"]
    if getattr(shape, "enum", None) and value not in shape.enum:
        return [f"{path} has the value {value!r} outside its enumeration"]
    return []


def check_reply(operation_model, response_dict, **_):
    """Judges a raw reply; botocore calls it before it parses."""
    name, status, body = operation_model.name, response_dict["status_code"], response_dict["body"]
    last.update(name=name, status=status)
    output = operation_model.output_shape
    payload = output is not None and output.serialization.get("payload")
    if status < 300:
        declared = operation_model.http.get("responseCode", 200)
        members = {} if output is None else output.members
        # A member may be the status itself.
        if status != declared and not any(m.serialization.get("location") == "statusCode" for m in members.values()):
            fault(f"{name}: status {status}, declared {declared}")
        if payload:
            return
        try:
            document = json.loads(body) if body else {}
        except ValueError:
            fault(f"{name}: a body that is no JSON: {body[:200]!r}")
            return
        if output is None and document != {}:
            fault(f"{name}: a body where none is declared: {body[:200]!r}")
        for text in unknown_members(output, document, name):
            fault(text)
        return
    try:
        document = json.loads(body)
    except ValueError:
        fault(f"{name}: an error that is no JSON: {body[:200]!r}")
        return
    code = response_dict["headers"].get("x-amzn-errortype", "").split(":")[0]
    last["code"] = code
    shapes = {s.error_code: s for s in operation_model.error_shapes}
    if code in FRONT_END and code not in shapes:
        return
    if code not in shapes:
        fault(f"{name}: error {code} {status} is not declared: {body[:200]!r}")
        return
    declared = shapes[code].metadata.get("error", {}).get("httpStatusCode", 400)
    if status != declared:
        fault(f"{name}: {code} with status {status}, declared {declared}")
    for member in document:
        if member not in shapes[code].members and member not in {"message", "Message", "__type"}:
            fault(f"{name}: {code} has a member {member}")


def client_of(service, **credentials):
    client = boto3.client(service, **credentials, endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=20))
    client.meta.events.register("before-parse.*", check_reply)
    return client


iot, data, jobs = client_of("iot"), client_of("iot-data"), client_of("iot-jobs-data")
# The root of another account of the same server.
OTHER_ACCOUNT = "222222222222"
other_account = client_of("iot", aws_access_key_id=os.environ["OTHER_KEY_ID"], aws_secret_access_key=os.environ["OTHER_SECRET_KEY"])


def method_of(client, operation):
    methods = {op: method for method, op in client.meta.method_to_api_mapping.items()}
    return getattr(client, methods[operation])


def walked_as(client, operation):
    """What an operation counts as: two services have one of the same name."""
    return f"iot-jobs-data.{operation}" if client is jobs else operation


def ok(operation, client=iot, **arguments):
    try:
        answer = method_of(client, operation)(**arguments)
    except ClientError as error:
        fault(f"{operation}({arguments}): {error}")
        return {}
    served.add(walked_as(client, operation))
    return answer


def err(operation, code, client=iot, **arguments):
    try:
        method_of(client, operation)(**arguments)
        fault(f"{operation}({arguments}): was to be refused with {code}")
    except ClientError as error:
        refused.setdefault(walked_as(client, operation), set()).add(error.response["Error"]["Code"])
        if error.response["Error"]["Code"] != code:
            fault(f"{operation}({arguments}): {error}, was to be {code}")


folder = tempfile.mkdtemp()


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read(name):
    with open(os.path.join(folder, name), encoding="ascii") as file:
        return file.read()


def new_key(name):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


def new_request(name, subject):
    new_key(name)
    openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
    return read(f"{name}.csr")


def new_authority(name):
    new_key(name)
    openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", "30",
            "-addext", "basicConstraints=critical,CA:TRUE", "-out", f"{name}.pem")
    return read(f"{name}.pem")


def signed_by(authority, name, subject):
    new_request(name, subject)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "30", "-out", f"{name}.pem")
    return read(f"{name}.pem")


ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})
NO_ID = "0" * 64
NO_CERTIFICATE = f"arn:aws:iot:us-east-1:000000000000:cert/{NO_ID}"


def walk_things():
    ok("CreateThingType", thingTypeName="sensor", thingTypeProperties={"thingTypeDescription": "d", "searchableAttributes": ["a"]}, tags=[{"Key": "k", "Value": "v"}])
    err("CreateThingType", "ResourceAlreadyExistsException", thingTypeName="sensor", thingTypeProperties={"thingTypeDescription": "other"})
    err("CreateThingType", "InvalidRequestException", thingTypeName="no type!")
    arn = ok("DescribeThingType", thingTypeName="sensor").get("thingTypeArn")
    err("DescribeThingType", "ResourceNotFoundException", thingTypeName="none")
    ok("UpdateThingType", thingTypeName="sensor", thingTypeProperties={"mqtt5Configuration": {"propagatingAttributes": []}})
    err("UpdateThingType", "ResourceNotFoundException", thingTypeName="none", thingTypeProperties={})
    ok("ListThingTypes")
    err("ListThingTypes", "InvalidRequestException", maxResults=251)
    err("ListThingTypes", "InvalidRequestException", nextToken="no token")
    ok("ListTagsForResource", resourceArn=arn)
    ok("TagResource", resourceArn=arn, tags=[{"Key": "k2", "Value": "v2"}])
    ok("UntagResource", resourceArn=arn, tagKeys=["k"])
    missing = "arn:aws:iot:us-east-1:000000000000:thingtype/none"
    err("ListTagsForResource", "ResourceNotFoundException", resourceArn=missing)
    err("TagResource", "ResourceNotFoundException", resourceArn=missing, tags=[{"Key": "k", "Value": "v"}])
    err("UntagResource", "ResourceNotFoundException", resourceArn=missing, tagKeys=["k"])
    err("TagResource", "InvalidRequestException", resourceArn=arn, tags=[{"Key": "aws:k", "Value": "v"}])
    ok("CreateThing", thingName="t", thingTypeName="sensor", attributePayload={"attributes": {"a": "1", "__proto__": "2"}})
    ok("CreateThing", thingName="t", thingTypeName="sensor", attributePayload={"attributes": {"a": "1", "__proto__": "2"}})
    err("CreateThing", "ResourceAlreadyExistsException", thingName="t")
    err("CreateThing", "ResourceNotFoundException", thingName="u", thingTypeName="none")
    err("CreateThing", "InvalidRequestException", thingName="u/u")
    ok("DescribeThing", thingName="t")
    err("DescribeThing", "ResourceNotFoundException", thingName="none")
    ok("UpdateThing", thingName="t", attributePayload={"attributes": {"b": "1"}, "merge": True}, expectedVersion=1)
    err("UpdateThing", "VersionConflictException", thingName="t", expectedVersion=7)
    err("UpdateThing", "ResourceNotFoundException", thingName="none")
    err("UpdateThing", "InvalidRequestException", thingName="t", attributePayload={"attributes": {"a b": "1"}})
    ok("ListThings")
    ok("ListThings", thingTypeName="sensor", maxResults=1)
    err("ListThings", "InvalidRequestException", attributeName="a")
    err("ListThings", "InvalidRequestException", nextToken="!")


def walk_groups():
    """Behind walk_things: the thing `t` is there."""
    ok("CreateThingGroup", thingGroupName="root", thingGroupProperties={"thingGroupDescription": "d", "attributePayload": {"attributes": {"a": "1"}}}, tags=[{"Key": "k", "Value": "v"}])
    ok("CreateThingGroup", thingGroupName="leaf", parentGroupName="root")
    err("CreateThingGroup", "ResourceAlreadyExistsException", thingGroupName="root")
    err("CreateThingGroup", "InvalidRequestException", thingGroupName="no group!")
    err("CreateThingGroup", "InvalidRequestException", thingGroupName="orphan", parentGroupName="none")
    arn = ok("DescribeThingGroup", thingGroupName="leaf").get("thingGroupArn")
    err("DescribeThingGroup", "ResourceNotFoundException", thingGroupName="none")
    err("DescribeThingGroup", "InvalidRequestException", thingGroupName="no group!")
    ok("UpdateThingGroup", thingGroupName="root", thingGroupProperties={"attributePayload": {"attributes": {"b": "2"}, "merge": True}}, expectedVersion=1)
    err("UpdateThingGroup", "VersionConflictException", thingGroupName="root", thingGroupProperties={}, expectedVersion=7)
    err("UpdateThingGroup", "ResourceNotFoundException", thingGroupName="none", thingGroupProperties={})
    err("UpdateThingGroup", "InvalidRequestException", thingGroupName="root", thingGroupProperties={"attributePayload": {"attributes": {"a b": "1"}}})
    ok("ListThingGroups", parentGroup="root", recursive=False, namePrefixFilter="le")
    err("ListThingGroups", "ResourceNotFoundException", parentGroup="none")
    err("ListThingGroups", "InvalidRequestException", nextToken="!")
    ok("AddThingToThingGroup", thingName="t", thingGroupArn=arn)
    err("AddThingToThingGroup", "ResourceNotFoundException", thingName="t", thingGroupName="none")
    err("AddThingToThingGroup", "InvalidRequestException", thingName="t", thingGroupName="root")
    ok("ListThingsInThingGroup", thingGroupName="root", recursive=True)
    err("ListThingsInThingGroup", "ResourceNotFoundException", thingGroupName="none")
    err("ListThingsInThingGroup", "InvalidRequestException", thingGroupName="root", maxResults=251)
    ok("ListThingGroupsForThing", thingName="t")
    err("ListThingGroupsForThing", "ResourceNotFoundException", thingName="none")
    err("ListThingGroupsForThing", "InvalidRequestException", thingName="t", nextToken="!")
    ok("RemoveThingFromThingGroup", thingName="t", thingGroupName="leaf")
    err("RemoveThingFromThingGroup", "ResourceNotFoundException", thingName="none", thingGroupName="leaf")
    err("RemoveThingFromThingGroup", "InvalidRequestException", thingName="t")
    ok("UpdateThingGroupsForThing", thingName="t", thingGroupsToAdd=["leaf"], overrideDynamicGroups=True)
    ok("UpdateThingGroupsForThing", thingName="t", thingGroupsToAdd=["root"], thingGroupsToRemove=["leaf"])
    err("UpdateThingGroupsForThing", "ResourceNotFoundException", thingName="t", thingGroupsToRemove=["none"])
    err("UpdateThingGroupsForThing", "InvalidRequestException", thingName="t", thingGroupsToAdd=["leaf"])
    err("DeleteThingGroup", "InvalidRequestException", thingGroupName="root")
    err("DeleteThingGroup", "VersionConflictException", thingGroupName="leaf", expectedVersion=7)
    ok("DeleteThingGroup", thingGroupName="leaf", expectedVersion=1)
    ok("DeleteThingGroup", thingGroupName="leaf")
    ok("CreateBillingGroup", billingGroupName="b", billingGroupProperties={"billingGroupDescription": "d"}, tags=[{"Key": "k", "Value": "v"}])
    err("CreateBillingGroup", "ResourceAlreadyExistsException", billingGroupName="b")
    err("CreateBillingGroup", "InvalidRequestException", billingGroupName="no group!")
    ok("DescribeBillingGroup", billingGroupName="b")
    err("DescribeBillingGroup", "ResourceNotFoundException", billingGroupName="none")
    err("DescribeBillingGroup", "InvalidRequestException", billingGroupName="no group!")
    ok("UpdateBillingGroup", billingGroupName="b", billingGroupProperties={"billingGroupDescription": "e"}, expectedVersion=1)
    err("UpdateBillingGroup", "VersionConflictException", billingGroupName="b", billingGroupProperties={}, expectedVersion=1)
    err("UpdateBillingGroup", "ResourceNotFoundException", billingGroupName="none", billingGroupProperties={})
    err("UpdateBillingGroup", "InvalidRequestException", billingGroupName="no group!", billingGroupProperties={})
    ok("ListBillingGroups", namePrefixFilter="b")
    err("ListBillingGroups", "InvalidRequestException", nextToken="!")
    ok("AddThingToBillingGroup", thingName="t", billingGroupName="b")
    err("AddThingToBillingGroup", "ResourceNotFoundException", thingName="t", billingGroupName="none")
    err("AddThingToBillingGroup", "InvalidRequestException", thingName="t")
    ok("DescribeThing", thingName="t")
    ok("ListThingsInBillingGroup", billingGroupName="b")
    err("ListThingsInBillingGroup", "ResourceNotFoundException", billingGroupName="none")
    err("ListThingsInBillingGroup", "InvalidRequestException", billingGroupName="b", nextToken="!")
    ok("RemoveThingFromBillingGroup", thingName="t", billingGroupName="b")
    err("RemoveThingFromBillingGroup", "ResourceNotFoundException", thingName="none", billingGroupName="b")
    err("RemoveThingFromBillingGroup", "InvalidRequestException", billingGroupName="b")
    err("DeleteBillingGroup", "VersionConflictException", billingGroupName="b", expectedVersion=7)
    err("DeleteBillingGroup", "InvalidRequestException", billingGroupName="no group!")
    ok("DeleteBillingGroup", billingGroupName="b")
    err("CreateThing", "ResourceNotFoundException", thingName="billed", billingGroupName="b")


def walk_certificates():
    made = ok("CreateKeysAndCertificate", setAsActive=True)
    csr = new_request("device", "/CN=device")
    other = ok("CreateCertificateFromCsr", certificateSigningRequest=csr)
    err("CreateCertificateFromCsr", "InvalidRequestException", certificateSigningRequest="garbage")
    err("CreateCertificateFromCsr", "InvalidRequestException", certificateSigningRequest=csr[:200] + "AAAA" + csr[204:])
    identifier, arn = made.get("certificateId"), made.get("certificateArn")
    ok("DescribeCertificate", certificateId=identifier)
    err("DescribeCertificate", "ResourceNotFoundException", certificateId=NO_ID)
    err("DescribeCertificate", "InvalidRequestException", certificateId="short")
    ok("ListCertificates", ascendingOrder=True)
    err("ListCertificates", "InvalidRequestException", pageSize=0)
    ok("UpdateCertificate", certificateId=other.get("certificateId"), newStatus="INACTIVE")
    err("UpdateCertificate", "ResourceNotFoundException", certificateId=NO_ID, newStatus="ACTIVE")
    err("UpdateCertificate", "InvalidRequestException", certificateId=identifier, newStatus="NEVER")
    err("DeleteCertificate", "CertificateStateException", certificateId=identifier)
    err("DeleteCertificate", "ResourceNotFoundException", certificateId=NO_ID)
    ok("DeleteCertificate", certificateId=other.get("certificateId"))
    new_authority("rootless")
    alone = signed_by("rootless", "alone", "/CN=alone")
    registered = ok("RegisterCertificateWithoutCA", certificatePem=alone, status="ACTIVE")
    err("RegisterCertificateWithoutCA", "ResourceAlreadyExistsException", certificatePem=alone)
    err("RegisterCertificateWithoutCA", "CertificateValidationException", certificatePem="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    ok("UpdateCertificate", certificateId=registered.get("certificateId"), newStatus="REVOKED")
    ok("DeleteCertificate", certificateId=registered.get("certificateId"), forceDelete=True)
    return identifier, arn


def walk_transfers():
    csr = new_request("moving", "/CN=moving")
    identifier = ok("CreateCertificateFromCsr", certificateSigningRequest=csr, setAsActive=True).get("certificateId")
    principal = ok("DescribeCertificate", certificateId=identifier)["certificateDescription"]["certificateArn"]
    send = {"certificateId": identifier, "targetAwsAccount": OTHER_ACCOUNT}
    err("TransferCertificate", "CertificateStateException", **send)
    ok("UpdateCertificate", certificateId=identifier, newStatus="INACTIVE")
    ok("CreatePolicy", policyName="moving", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}))
    ok("AttachPolicy", policyName="moving", target=principal)
    err("TransferCertificate", "TransferConflictException", **send)
    ok("DetachPolicy", policyName="moving", target=principal)
    err("TransferCertificate", "ResourceNotFoundException", certificateId=NO_ID, targetAwsAccount=OTHER_ACCOUNT)
    err("TransferCertificate", "InvalidRequestException", certificateId=identifier, targetAwsAccount="12")
    err("TransferCertificate", "InvalidRequestException", transferMessage="m" * 129, **send)
    for operation, client in [("AcceptCertificateTransfer", other_account), ("RejectCertificateTransfer", other_account), ("CancelCertificateTransfer", iot)]:
        err(operation, "ResourceNotFoundException", client, certificateId=NO_ID)
        err(operation, "InvalidRequestException", client, certificateId="short")
    ok("TransferCertificate", transferMessage="yours", **send)
    err("AttachPolicy", "InvalidRequestException", policyName="moving", target=principal)
    ok("ListOutgoingCertificates", ascendingOrder=True, pageSize=1)
    err("ListOutgoingCertificates", "InvalidRequestException", pageSize=0)
    ok("DescribeCertificate", other_account, certificateId=identifier)
    ok("ListCertificates", other_account)
    ok("CancelCertificateTransfer", certificateId=identifier)
    err("CancelCertificateTransfer", "TransferAlreadyCompletedException", certificateId=identifier)
    err("AcceptCertificateTransfer", "TransferAlreadyCompletedException", other_account, certificateId=identifier)
    ok("TransferCertificate", **send)
    ok("RejectCertificateTransfer", other_account, certificateId=identifier, rejectReason="not ours")
    err("RejectCertificateTransfer", "TransferAlreadyCompletedException", other_account, certificateId=identifier)
    ok("DescribeCertificate", certificateId=identifier)
    ok("TransferCertificate", **send)
    ok("AcceptCertificateTransfer", other_account, certificateId=identifier, setAsActive=True)
    ok("DescribeCertificate", other_account, certificateId=identifier)
    err("CancelCertificateTransfer", "TransferAlreadyCompletedException", certificateId=identifier)


def walk_authorities():
    ok("DeleteRegistrationCode")
    code = ok("GetRegistrationCode").get("registrationCode")
    authority = new_authority("own-ca")
    proof = signed_by("own-ca", "proof", f"/CN={code}")
    err("RegisterCACertificate", "RegistrationCodeValidationException", caCertificate=authority, verificationCertificate=signed_by("own-ca", "wrong", "/CN=wrong"))
    err("RegisterCACertificate", "InvalidRequestException", caCertificate=authority)
    err("RegisterCACertificate", "CertificateValidationException", caCertificate=read("proof.pem"), verificationCertificate=proof)
    registered = ok("RegisterCACertificate", caCertificate=authority, verificationCertificate=proof, setAsActive=True, allowAutoRegistration=True, tags=[{"Key": "k", "Value": "v"}])
    identifier = registered.get("certificateId")
    err("RegisterCACertificate", "ResourceAlreadyExistsException", caCertificate=authority, verificationCertificate=proof)
    ok("DescribeCACertificate", certificateId=identifier)
    err("DescribeCACertificate", "ResourceNotFoundException", certificateId=NO_ID)
    ok("ListCACertificates")
    ok("ListCACertificates", pageSize=1)
    err("ListCACertificates", "InvalidRequestException", marker="!")
    ok("UpdateCACertificate", certificateId=identifier, newAutoRegistrationStatus="DISABLE")
    err("UpdateCACertificate", "ResourceNotFoundException", certificateId=NO_ID, newStatus="INACTIVE")
    ok("UpdateCACertificate", certificateId=identifier, registrationConfig={"templateName": "none"})
    ok("ListCACertificates", templateName="none")
    err("UpdateCACertificate", "InvalidRequestException", certificateId=identifier, removeAutoRegistration=True, newAutoRegistrationStatus="ENABLE")
    ok("UpdateCACertificate", certificateId=identifier, removeAutoRegistration=True)
    device = signed_by("own-ca", "made-by-ca", "/CN=made")
    made = ok("RegisterCertificate", certificatePem=device, caCertificatePem=authority, status="ACTIVE")
    err("RegisterCertificate", "ResourceAlreadyExistsException", certificatePem=device, caCertificatePem=authority)
    new_authority("stranger")
    err("RegisterCertificate", "CertificateValidationException", certificatePem=signed_by("stranger", "strange", "/CN=strange"), caCertificatePem=authority)
    err("RegisterCertificate", "InvalidRequestException", certificatePem=device, status="NEVER")
    ok("ListCertificatesByCA", caCertificateId=identifier)
    err("ListCertificatesByCA", "InvalidRequestException", caCertificateId="short")
    err("DeleteCACertificate", "CertificateStateException", certificateId=identifier)
    err("DeleteCACertificate", "ResourceNotFoundException", certificateId=NO_ID)
    ok("UpdateCACertificate", certificateId=identifier, newStatus="INACTIVE")
    err("RegisterCertificate", "CertificateStateException", certificatePem=signed_by("own-ca", "late", "/CN=late"), caCertificatePem=authority)
    ok("UpdateCertificate", certificateId=made.get("certificateId"), newStatus="INACTIVE")
    ok("DeleteCertificate", certificateId=made.get("certificateId"))
    ok("DeleteCACertificate", certificateId=identifier)
    ok("DeleteRegistrationCode")


def walk_policies(identifier, arn):
    ok("CreatePolicy", policyName="p", policyDocument=ALLOW, tags=[{"Key": "k", "Value": "v"}])
    err("CreatePolicy", "ResourceAlreadyExistsException", policyName="p", policyDocument=ALLOW)
    err("CreatePolicy", "MalformedPolicyException", policyName="q", policyDocument="{}")
    err("CreatePolicy", "MalformedPolicyException", policyName="q", policyDocument="no json")
    err("CreatePolicy", "InvalidRequestException", policyName="no policy!", policyDocument=ALLOW)
    ok("GetPolicy", policyName="p")
    err("GetPolicy", "ResourceNotFoundException", policyName="none")
    for _ in range(4):
        ok("CreatePolicyVersion", policyName="p", policyDocument=ALLOW)
    err("CreatePolicyVersion", "VersionsLimitExceededException", policyName="p", policyDocument=ALLOW)
    err("CreatePolicyVersion", "ResourceNotFoundException", policyName="none", policyDocument=ALLOW)
    err("CreatePolicyVersion", "MalformedPolicyException", policyName="p", policyDocument="[]")
    ok("ListPolicyVersions", policyName="p")
    err("ListPolicyVersions", "ResourceNotFoundException", policyName="none")
    ok("GetPolicyVersion", policyName="p", policyVersionId="2")
    err("GetPolicyVersion", "ResourceNotFoundException", policyName="p", policyVersionId="99")
    ok("SetDefaultPolicyVersion", policyName="p", policyVersionId="2")
    err("SetDefaultPolicyVersion", "ResourceNotFoundException", policyName="p", policyVersionId="99")
    err("DeletePolicyVersion", "DeleteConflictException", policyName="p", policyVersionId="2")
    err("DeletePolicyVersion", "ResourceNotFoundException", policyName="none", policyVersionId="2")
    for version in ("1", "3", "4", "5"):
        ok("DeletePolicyVersion", policyName="p", policyVersionId=version)
    ok("ListPolicies", ascendingOrder=True, pageSize=1)
    err("ListPolicies", "InvalidRequestException", pageSize=251)
    ok("AttachPolicy", policyName="p", target=arn)
    err("AttachPolicy", "ResourceNotFoundException", policyName="none", target=arn)
    err("AttachPolicy", "ResourceNotFoundException", policyName="p", target=NO_CERTIFICATE)
    ok("ListAttachedPolicies", target=arn)
    ok("ListTargetsForPolicy", policyName="p")
    err("ListTargetsForPolicy", "ResourceNotFoundException", policyName="none")
    ok("ListPrincipalPolicies", principal=arn)
    ok("ListPolicyPrincipals", policyName="p")
    ok("GetEffectivePolicies", principal=arn, thingName="t")
    ok("TestAuthorization", principal=arn, authInfos=[{"actionType": "PUBLISH", "resources": ["arn:aws:iot:us-east-1:000000000000:topic/a"]}])
    err("TestAuthorization", "InvalidRequestException", principal=arn, authInfos=[])
    group = ok("CreateThingGroup", thingGroupName="child", parentGroupName="root").get("thingGroupArn")
    ok("AttachPolicy", policyName="p", target=group.replace("child", "root"))
    ok("AttachPolicy", policyName="p", target=group)
    err("AttachPolicy", "ResourceNotFoundException", policyName="p", target=group.replace("child", "none"))
    ok("ListAttachedPolicies", target=group, recursive=True)
    ok("DetachPolicy", policyName="p", target=group.replace("child", "root"))
    ok("GetEffectivePolicies", thingName="t")
    ok("DeleteThingGroup", thingGroupName="child")
    err("DeletePolicy", "DeleteConflictException", policyName="p")
    ok("UpdateCertificate", certificateId=identifier, newStatus="INACTIVE")
    err("DeleteCertificate", "DeleteConflictException", certificateId=identifier)
    ok("UpdateCertificate", certificateId=identifier, newStatus="ACTIVE")
    ok("DetachPolicy", policyName="p", target=arn)
    ok("AttachPrincipalPolicy", policyName="p", principal=arn)
    err("AttachPrincipalPolicy", "ResourceNotFoundException", policyName="none", principal=arn)
    ok("DetachPrincipalPolicy", policyName="p", principal=arn)
    err("DetachPrincipalPolicy", "ResourceNotFoundException", policyName="none", principal=arn)
    ok("DeletePolicy", policyName="p")
    err("DeletePolicy", "ResourceNotFoundException", policyName="p")


def walk_principals(identifier, arn):
    ok("AttachThingPrincipal", thingName="t", principal=arn)
    err("AttachThingPrincipal", "ResourceNotFoundException", thingName="none", principal=arn)
    err("AttachThingPrincipal", "ResourceNotFoundException", thingName="t", principal=NO_CERTIFICATE)
    ok("ListThingPrincipals", thingName="t")
    err("ListThingPrincipals", "ResourceNotFoundException", thingName="none")
    ok("ListThingPrincipalsV2", thingName="t")
    err("ListThingPrincipalsV2", "ResourceNotFoundException", thingName="none")
    ok("ListPrincipalThings", principal=arn)
    ok("ListPrincipalThingsV2", principal=arn)
    err("ListPrincipalThings", "InvalidRequestException", principal=arn, maxResults=0)
    err("DeleteThing", "InvalidRequestException", thingName="t")
    ok("DetachThingPrincipal", thingName="t", principal=arn)
    err("DetachThingPrincipal", "ResourceNotFoundException", thingName="none", principal=arn)
    ok("DeleteThing", thingName="t", expectedVersion=2)
    ok("DeleteThing", thingName="t")
    ok("DeprecateThingType", thingTypeName="sensor")
    err("DeprecateThingType", "ResourceNotFoundException", thingTypeName="none")
    err("DeleteThingType", "InvalidRequestException", thingTypeName="sensor")
    err("CreateThing", "InvalidRequestException", thingName="v", thingTypeName="sensor")
    ok("DeprecateThingType", thingTypeName="sensor", undoDeprecate=True)
    err("DeleteThingType", "InvalidRequestException", thingTypeName="sensor")
    err("DeleteThingType", "ResourceNotFoundException", thingTypeName="none")
    ok("UpdateCertificate", certificateId=identifier, newStatus="INACTIVE")
    ok("DeleteCertificate", certificateId=identifier)


def walk_data():
    ok("DescribeEndpoint", endpointType="iot:Data-ATS")
    err("DescribeEndpoint", "InvalidRequestException", endpointType="no type")
    ok("Publish", client=data, topic="a/b", qos=1, payload=b"x", userProperties=[{"k": "v"}])
    ok("Publish", client=data, topic="a/b", payload=b"x", userProperties=json.dumps([{"k": "v"}]), contentType="text/plain", responseTopic="r", messageExpiry=5, correlationData="YWJj")
    err("Publish", "InvalidRequestException", client=data, topic="a", payload=b"x", userProperties=[["k", "v"]])
    err("Publish", "InvalidRequestException", client=data, topic="a", payload=b"x", userProperties=[{"k": "\0"}])
    ok("Publish", client=data, topic="a/b", retain=True, qos=0, payload=b"x")
    err("Publish", "InvalidRequestException", client=data, topic="a/#", payload=b"x")
    err("Publish", "InvalidRequestException", client=data, topic="a", qos=3, payload=b"x")
    err("Publish", "InvalidRequestException", client=data, topic="a", payload=b"x", userProperties="no list")
    ok("GetRetainedMessage", client=data, topic="a/b")
    err("GetRetainedMessage", "ResourceNotFoundException", client=data, topic="none")
    err("GetRetainedMessage", "InvalidRequestException", client=data, topic="a/#")
    ok("ListRetainedMessages", client=data, maxResults=1)
    err("ListRetainedMessages", "InvalidRequestException", client=data, maxResults=201)
    err("ListRetainedMessages", "InvalidRequestException", client=data, nextToken="!")
    err("DeleteConnection", "ResourceNotFoundException", client=data, clientId="nobody")
    err("DeleteConnection", "InvalidRequestException", client=data, clientId="$nobody")


def walk_shadows():
    shadow = {"client": data, "thingName": "walked-shadow"}
    for name in ({}, {"shadowName": "main"}):
        err("GetThingShadow", "ResourceNotFoundException", **shadow, **name)
        err("DeleteThingShadow", "ResourceNotFoundException", **shadow, **name)
        ok("UpdateThingShadow", payload=b'{"state":{"desired":{"a":1}}}', **shadow, **name)
        ok("GetThingShadow", **shadow, **name)
        err("UpdateThingShadow", "InvalidRequestException", payload=b"{", **shadow, **name)
        err("UpdateThingShadow", "ConflictException", payload=b'{"state":{},"version":7}', **shadow, **name)
        err("UpdateThingShadow", "RequestEntityTooLargeException", payload=b'{"state":{"desired":{"a":"%s"}}}' % (b"x" * 9000), **shadow, **name)
        err("UpdateThingShadow", "UnsupportedDocumentEncodingException", payload=b"\xff", **shadow, **name)
    ok("ListNamedShadowsForThing", pageSize=1, **shadow)
    err("ListNamedShadowsForThing", "InvalidRequestException", nextToken="!", **shadow)
    err("ListNamedShadowsForThing", "InvalidRequestException", pageSize=101, **shadow)
    err("GetThingShadow", "InvalidRequestException", shadowName="a b", **shadow)
    for name in ({}, {"shadowName": "main"}):
        ok("DeleteThingShadow", **shadow, **name)


def walk_authorizers():
    url = "http://127.0.0.1:9/authorize"
    ok("CreateAuthorizer", authorizerName="own", authorizerFunctionArn=url, signingDisabled=True, status="ACTIVE", tags=[{"Key": "k", "Value": "v"}])
    err("CreateAuthorizer", "ResourceAlreadyExistsException", authorizerName="own", authorizerFunctionArn=url, signingDisabled=True)
    err("CreateAuthorizer", "InvalidRequestException", authorizerName="other", authorizerFunctionArn="no function", signingDisabled=True)
    err("CreateAuthorizer", "InvalidRequestException", authorizerName="other", authorizerFunctionArn=url)
    ok("DescribeAuthorizer", authorizerName="own")
    err("DescribeAuthorizer", "ResourceNotFoundException", authorizerName="none")
    ok("ListAuthorizers", pageSize=1, status="ACTIVE")
    err("ListAuthorizers", "InvalidRequestException", pageSize=251)
    ok("UpdateAuthorizer", authorizerName="own", enableCachingForHttp=True)
    err("UpdateAuthorizer", "ResourceNotFoundException", authorizerName="none", status="ACTIVE")
    err("DescribeDefaultAuthorizer", "ResourceNotFoundException")
    err("ClearDefaultAuthorizer", "ResourceNotFoundException")
    ok("SetDefaultAuthorizer", authorizerName="own")
    err("SetDefaultAuthorizer", "ResourceNotFoundException", authorizerName="none")
    ok("DescribeDefaultAuthorizer")
    ok("ClearDefaultAuthorizer")
    err("TestInvokeAuthorizer", "ResourceNotFoundException", authorizerName="none", mqttContext={"username": "u"})
    err("TestInvokeAuthorizer", "InvalidResponseException", authorizerName="own", mqttContext={"username": "u"})
    err("DeleteAuthorizer", "DeleteConflictException", authorizerName="own")
    ok("UpdateAuthorizer", authorizerName="own", status="INACTIVE")
    ok("DeleteAuthorizer", authorizerName="own")
    err("DeleteAuthorizer", "ResourceNotFoundException", authorizerName="own")


def walk_domains():
    ok("CreateDomainConfiguration", domainConfigurationName="own", domainName="devices.example.com", authenticationType="AWS_X509", applicationProtocol="SECURE_MQTT")
    err("CreateDomainConfiguration", "ResourceAlreadyExistsException", domainConfigurationName="own", domainName="other.example.com")
    err("CreateDomainConfiguration", "InvalidRequestException", domainConfigurationName="other", domainName="no name!")
    ok("DescribeDomainConfiguration", domainConfigurationName="own")
    err("DescribeDomainConfiguration", "ResourceNotFoundException", domainConfigurationName="none")
    ok("ListDomainConfigurations", serviceType="DATA")
    err("ListDomainConfigurations", "InvalidRequestException", pageSize=251)
    err("DeleteDomainConfiguration", "InvalidRequestException", domainConfigurationName="own")
    ok("UpdateDomainConfiguration", domainConfigurationName="own", domainConfigurationStatus="DISABLED")
    err("UpdateDomainConfiguration", "ResourceNotFoundException", domainConfigurationName="none", domainConfigurationStatus="DISABLED")
    ok("DeleteDomainConfiguration", domainConfigurationName="own")
    err("DeleteDomainConfiguration", "ResourceNotFoundException", domainConfigurationName="own")


def walk_role_aliases():
    role = "arn:aws:iam::000000000000:role/devices"
    ok("CreateRoleAlias", roleAlias="own", roleArn=role, credentialDurationSeconds=900)
    err("CreateRoleAlias", "ResourceAlreadyExistsException", roleAlias="own", roleArn=role)
    err("CreateRoleAlias", "InvalidRequestException", roleAlias="other", roleArn="no role that anyone has")
    ok("DescribeRoleAlias", roleAlias="own")
    err("DescribeRoleAlias", "ResourceNotFoundException", roleAlias="none")
    ok("ListRoleAliases", ascendingOrder=True)
    err("ListRoleAliases", "InvalidRequestException", pageSize=0)
    ok("UpdateRoleAlias", roleAlias="own", credentialDurationSeconds=3600)
    err("UpdateRoleAlias", "ResourceNotFoundException", roleAlias="none", credentialDurationSeconds=3600)
    ok("DeleteRoleAlias", roleAlias="own")
    err("DeleteRoleAlias", "ResourceNotFoundException", roleAlias="own")


def walk_certificate_providers():
    function = "arn:aws:lambda:us-east-1:000000000000:function:signer"
    default = {"lambdaFunctionArn": function, "accountDefaultForOperations": ["CreateCertificateFromCsr"]}
    ok("CreateCertificateProvider", certificateProviderName="own", tags=[{"Key": "a", "Value": "b"}], **default)
    err("CreateCertificateProvider", "ResourceAlreadyExistsException", certificateProviderName="own", **default)
    err("CreateCertificateProvider", "LimitExceededException", certificateProviderName="other", **default)
    err("CreateCertificateProvider", "InvalidRequestException", certificateProviderName="other", lambdaFunctionArn="none", accountDefaultForOperations=["CreateCertificateFromCsr"])
    ok("DescribeCertificateProvider", certificateProviderName="own")
    err("DescribeCertificateProvider", "ResourceNotFoundException", certificateProviderName="none")
    err("DescribeCertificateProvider", "InvalidRequestException", certificateProviderName="?")
    ok("ListCertificateProviders", ascendingOrder=True)
    err("ListCertificateProviders", "InvalidRequestException", nextToken="?")
    ok("UpdateCertificateProvider", certificateProviderName="own", lambdaFunctionArn=f"{function}:1")
    err("UpdateCertificateProvider", "ResourceNotFoundException", certificateProviderName="none", lambdaFunctionArn=function)
    err("UpdateCertificateProvider", "InvalidRequestException", certificateProviderName="own", lambdaFunctionArn="none")
    ok("DeleteCertificateProvider", certificateProviderName="own")
    err("DeleteCertificateProvider", "ResourceNotFoundException", certificateProviderName="own")
    err("DeleteCertificateProvider", "InvalidRequestException", certificateProviderName="?")


def walk_provisioning():
    iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="provisioning", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    body = json.dumps({"Parameters": {"Name": {"Type": "String"}}, "Resources": {"thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "Name"}}}}})
    ok("CreateProvisioningTemplate", templateName="own", templateBody=body, provisioningRoleArn=role, enabled=True, tags=[{"Key": "a", "Value": "b"}])
    err("CreateProvisioningTemplate", "ResourceAlreadyExistsException", templateName="own", templateBody=body, provisioningRoleArn=role)
    err("CreateProvisioningTemplate", "InvalidRequestException", templateName="other", templateBody="{}", provisioningRoleArn=role)
    err("CreateProvisioningTemplate", "InvalidRequestException", templateName="other", templateBody=body, provisioningRoleArn=f"{role}-none")
    ok("DescribeProvisioningTemplate", templateName="own")
    err("DescribeProvisioningTemplate", "ResourceNotFoundException", templateName="none")
    ok("ListProvisioningTemplates", maxResults=1)
    err("ListProvisioningTemplates", "InvalidRequestException", maxResults=0)
    ok("UpdateProvisioningTemplate", templateName="own", description="lamps", enabled=False)
    err("UpdateProvisioningTemplate", "ResourceNotFoundException", templateName="none", enabled=False)
    err("UpdateProvisioningTemplate", "InvalidRequestException", templateName="own", provisioningRoleArn=f"{role}-none")
    for number in range(2, 6):
        ok("CreateProvisioningTemplateVersion", templateName="own", templateBody=body, setAsDefault=number == 2)
    err("CreateProvisioningTemplateVersion", "VersionsLimitExceededException", templateName="own", templateBody=body)
    err("CreateProvisioningTemplateVersion", "InvalidRequestException", templateName="own", templateBody="[]")
    err("CreateProvisioningTemplateVersion", "ResourceNotFoundException", templateName="none", templateBody=body)
    ok("DescribeProvisioningTemplateVersion", templateName="own", versionId=2)
    err("DescribeProvisioningTemplateVersion", "ResourceNotFoundException", templateName="own", versionId=9)
    ok("ListProvisioningTemplateVersions", templateName="own")
    err("ListProvisioningTemplateVersions", "ResourceNotFoundException", templateName="none")
    err("ListProvisioningTemplateVersions", "InvalidRequestException", templateName="own", nextToken="?")
    ok("DeleteProvisioningTemplateVersion", templateName="own", versionId=1)
    err("DeleteProvisioningTemplateVersion", "DeleteConflictException", templateName="own", versionId=2)
    err("DeleteProvisioningTemplateVersion", "ResourceNotFoundException", templateName="own", versionId=1)
    err("CreateProvisioningClaim", "InvalidRequestException", templateName="own")
    ok("UpdateProvisioningTemplate", templateName="own", enabled=True)
    ok("CreateProvisioningClaim", templateName="own")
    err("CreateProvisioningClaim", "ResourceNotFoundException", templateName="none")
    ok("DeleteProvisioningTemplate", templateName="own")
    err("DeleteProvisioningTemplate", "ResourceNotFoundException", templateName="own")
    ok("RegisterThing", templateBody=body, parameters={"Name": "provisioned"})
    err("RegisterThing", "InvalidRequestException", templateBody="{}")
    err("RegisterThing", "ResourceRegistrationFailureException", templateBody=body)
    failing = json.dumps({"Resources": {"thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": "provisioned", "AttributePayload": {}}, "OverrideSettings": {"AttributePayload": "FAIL"}}}})
    err("RegisterThing", "ConflictingResourceUpdateException", templateBody=failing)


def walk_events():
    ok("DescribeEventConfigurations")
    ok("UpdateEventConfigurations", eventConfigurations={"THING": {"Enabled": True}})
    err("UpdateEventConfigurations", "InvalidRequestException", eventConfigurations={"NEVER": {"Enabled": True}})
    ok("DescribeEventConfigurations")


def walk_index():
    query = {"queryString": "thingName:walk*"}
    ok("GetIndexingConfiguration")
    err("SearchIndex", "ResourceNotFoundException", **query)
    err("DescribeIndex", "ResourceNotFoundException", indexName="AWS_Things")
    err("GetThingConnectivityData", "IndexNotReadyException", thingName="walk")
    err("UpdateIndexingConfiguration", "InvalidRequestException",
        thingIndexingConfiguration={"thingIndexingMode": "OFF", "thingConnectivityIndexingMode": "STATUS"})
    ok("UpdateIndexingConfiguration",
       thingIndexingConfiguration={"thingIndexingMode": "REGISTRY", "thingConnectivityIndexingMode": "STATUS",
                                   "customFields": [{"name": "attributes.a", "type": "Number"}]},
       thingGroupIndexingConfiguration={"thingGroupIndexingMode": "ON"})
    ok("CreateThing", thingName="walk-indexed", attributePayload={"attributes": {"a": "5"}})
    while ok("DescribeIndex", indexName="AWS_Things")["indexStatus"] != "ACTIVE":
        pass
    while not ok("SearchIndex", **query)["things"]:
        pass
    assert ok("ListIndices")["indexNames"] == ["AWS_Things", "AWS_ThingGroups"]
    ok("SearchIndex", indexName="AWS_ThingGroups", queryString="*", maxResults=5, queryVersion="2017-09-30")
    err("SearchIndex", "InvalidQueryException", queryString="a AND")
    err("SearchIndex", "ResourceNotFoundException", indexName="none", **query)
    err("SearchIndex", "InvalidRequestException", nextToken="bm9uZQ==", **query)
    field = {**query, "aggregationField": "attributes.a"}
    assert ok("GetStatistics", **field)["statistics"]["sum"] == 5
    assert ok("GetCardinality", **field)["cardinality"] == 1
    ok("GetPercentiles", percents=[50], **field)
    terms = {"bucketsAggregationType": {"termsAggregation": {"maxBuckets": 3}}}
    assert ok("GetBucketsAggregation", **terms, **field)["buckets"] == [{"keyValue": "5", "count": 1}]
    for name, more in (("GetStatistics", {}), ("GetCardinality", {}), ("GetPercentiles", {}), ("GetBucketsAggregation", terms)):
        err(name, "InvalidAggregationException", queryString="*", aggregationField="none", **more)
        err(name, "InvalidQueryException", queryString="(", aggregationField="attributes.a", **more)
        err(name, "ResourceNotFoundException", indexName="none", **more, **field)
    assert ok("GetThingConnectivityData", thingName="walk-indexed")["connected"] is False
    err("GetThingConnectivityData", "ResourceNotFoundException", thingName="none")
    group = {"thingGroupName": "walk-dynamic"}
    ok("CreateDynamicThingGroup", queryString="thingName:walk-indexed", tags=[{"Key": "k", "Value": "v"}], **group)
    err("CreateDynamicThingGroup", "ResourceAlreadyExistsException", queryString="thingName:other", **group)
    err("CreateDynamicThingGroup", "InvalidQueryException", thingGroupName="none", queryString="a AND")
    err("CreateDynamicThingGroup", "ResourceNotFoundException", thingGroupName="none", queryString="a", indexName="none")
    while ok("ListThingsInThingGroup", **group)["things"] != ["walk-indexed"]:
        pass
    update = {"thingGroupProperties": {"thingGroupDescription": "d"}, **group}
    ok("UpdateDynamicThingGroup", queryString="thingName:walk*", **update)
    err("UpdateDynamicThingGroup", "VersionConflictException", expectedVersion=9, **update)
    err("UpdateDynamicThingGroup", "InvalidQueryException", queryString="(", **update)
    err("UpdateDynamicThingGroup", "ResourceNotFoundException", thingGroupName="none", thingGroupProperties={})
    err("UpdateIndexingConfiguration", "InvalidRequestException", thingIndexingConfiguration={"thingIndexingMode": "OFF"})
    err("DeleteDynamicThingGroup", "VersionConflictException", expectedVersion=9, **group)
    err("DeleteThingGroup", "InvalidRequestException", **group)
    ok("DeleteDynamicThingGroup", **group)
    err("CreateDynamicThingGroup", "InvalidRequestException", thingGroupName="none", queryString="a",
        thingGroupProperties={"attributePayload": {"attributes": {f"a{i}": "b" for i in range(51)}}})
    walk_fleet_metrics()
    ok("DeleteThing", thingName="walk-indexed")
    ok("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "OFF"},
       thingGroupIndexingConfiguration={"thingGroupIndexingMode": "OFF"})


def new_role(name, actions):
    """The ARN of a role that AWS IoT may assume."""
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allowed))
    return made["Role"]["Arn"]


def walk_bulk_registration():
    template = json.dumps({"Parameters": {"N": {"Type": "String"}}, "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "N"}}}}})
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iot:*", "s3:*"], "Resource": "*"}]})
    iam = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    role = iam.create_role(RoleName="walk-bulk", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="walk-bulk", PolicyName="p", PolicyDocument=allowed)
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    s3.create_bucket(Bucket="walk-bulk")
    s3.put_object(Bucket="walk-bulk", Key="lines", Body=b'{"N":"walk-bulk-1"}\n{"N":"bad name"}\n')
    task = {"templateBody": template, "inputFileBucket": "walk-bulk", "inputFileKey": "lines", "roleArn": role}
    err("StartThingRegistrationTask", "InvalidRequestException", **{**task, "templateBody": "{}"})
    err("StartThingRegistrationTask", "InvalidRequestException", **{**task, "roleArn": "arn:aws:iam::000000000000:role/none"})
    task_id = ok("StartThingRegistrationTask", **task)["taskId"]
    while ok("DescribeThingRegistrationTask", taskId=task_id)["status"] == "InProgress":
        pass
    assert ok("DescribeThingRegistrationTask", taskId=task_id)["failureCount"] == 1
    assert ok("ListThingRegistrationTasks", status="Completed")["taskIds"] == [task_id]
    ok("ListThingRegistrationTaskReports", taskId=task_id, reportType="RESULTS")
    ok("ListThingRegistrationTaskReports", taskId=task_id, reportType="ERRORS")
    err("ListThingRegistrationTaskReports", "InvalidRequestException", taskId="none", reportType="ERRORS")
    err("DescribeThingRegistrationTask", "ResourceNotFoundException", taskId="none")
    err("StopThingRegistrationTask", "ResourceNotFoundException", taskId="none")
    err("StopThingRegistrationTask", "InvalidRequestException", taskId=task_id)
    s3.put_object(Bucket="walk-bulk", Key="lines", Body=b"".join(b'{"N":"walk-bulk-%d"}\n' % n for n in range(20000)))
    task_id = ok("StartThingRegistrationTask", **task)["taskId"]
    err("StartThingRegistrationTask", "InvalidRequestException", **task)
    ok("StopThingRegistrationTask", taskId=task_id)
    while ok("DescribeThingRegistrationTask", taskId=task_id)["status"] != "Cancelled":
        pass
    iam.delete_role_policy(RoleName="walk-bulk", PolicyName="p")
    iam.delete_role(RoleName="walk-bulk")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "walk-bulk", "Key": "presigned"}, ExpiresIn=60)
    v4 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(signature_version="s3v4"))
    for presigned in (url, v4.generate_presigned_url("put_object", Params={"Bucket": "walk-bulk", "Key": "presigned"}, ExpiresIn=60)):
        with urllib.request.urlopen(urllib.request.Request(presigned, data=b"hello", method="PUT", headers={"content-type": ""})):
            pass
        assert s3.get_object(Bucket="walk-bulk", Key="presigned")["Body"].read() == b"hello"


def walk_streams():
    role = new_role("walk-streams", ["s3:GetObject", "s3:GetObjectVersion"])
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    s3.create_bucket(Bucket="walk-streams")
    s3.put_object(Bucket="walk-streams", Key="file", Body=b"x" * 1000)
    s3.put_object(Bucket="walk-streams", Key="large", Body=b"x" * (24 * 1024 * 1024 + 1))
    location = {"bucket": "walk-streams", "key": "file"}
    stream = {"streamId": "walk", "description": "d", "roleArn": role, "files": [{"fileId": 0, "s3Location": location}]}
    made = ok("CreateStream", **stream, tags=[{"Key": "k", "Value": "v"}])
    assert ok("ListTagsForResource", resourceArn=made["streamArn"])["tags"] == [{"Key": "k", "Value": "v"}]
    err("CreateStream", "ResourceAlreadyExistsException", **stream)
    stream["streamId"] = "other"
    err("CreateStream", "ResourceNotFoundException", **{**stream, "files": [{"fileId": 0, "s3Location": {**location, "key": "none"}}]})
    err("CreateStream", "ResourceNotFoundException", **{**stream, "files": [{"fileId": 0, "s3Location": {**location, "version": "v"}}]})
    err("CreateStream", "InvalidRequestException", **{**stream, "files": [{"fileId": 0, "s3Location": {**location, "key": "large"}}]})
    err("CreateStream", "InvalidRequestException", **{**stream, "files": []})
    err("CreateStream", "UnauthorizedException", **{**stream, "roleArn": "arn:aws:iam::000000000000:role/none"})
    assert ok("UpdateStream", streamId="walk", files=[{"fileId": 7, "s3Location": location}])["streamVersion"] == 2
    err("UpdateStream", "ResourceNotFoundException", streamId="none")
    err("UpdateStream", "UnauthorizedException", streamId="walk", roleArn="arn:aws:iam::000000000000:role/none", files=stream["files"])
    err("UpdateStream", "InvalidRequestException", streamId="walk", files=stream["files"] * 2)
    info = ok("DescribeStream", streamId="walk")["streamInfo"]
    assert (info["streamVersion"], info["files"][0]["fileId"]) == (2, 7)
    err("DescribeStream", "ResourceNotFoundException", streamId="none")
    assert [s["streamId"] for s in ok("ListStreams", maxResults=1, ascendingOrder=True)["streams"]] == ["walk"]
    err("ListStreams", "InvalidRequestException", nextToken="none")
    ok("DeleteStream", streamId="walk")
    err("DeleteStream", "ResourceNotFoundException", streamId="walk")


def ota_update(name):
    while (info := ok("GetOTAUpdate", otaUpdateId=name)["otaUpdateInfo"])["otaUpdateStatus"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        pass
    return info


def walk_ota_updates():
    role = new_role("walk-ota", ["s3:GetObject"])
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    s3.create_bucket(Bucket="walk-ota")
    s3.put_object(Bucket="walk-ota", Key="file", Body=b"x" * 1000)
    target = ok("CreateThing", thingName="walk-ota")["thingArn"]
    s3_location = {"bucket": "walk-ota", "key": "file"}
    file = {"fileName": "f", "fileLocation": {"s3Location": s3_location}}
    update = {"otaUpdateId": "walk", "targets": [target], "roleArn": role, "files": [file], "protocols": ["MQTT", "HTTP"]}
    signing = {
        "signature": {"inlineDocument": b"signature"},
        "certificateChain": {"certificateName": "c", "inlineDocument": "pem"},
        "hashAlgorithm": "SHA256",
        "signatureAlgorithm": "ECDSA",
    }
    made = ok(
        "CreateOTAUpdate",
        **{**update, "files": [{**file, "fileType": 1, "fileVersion": "1", "attributes": {"a": "b"}, "codeSigning": {"customCodeSigning": signing}}]},
        description="d",
        targetSelection="SNAPSHOT",
        awsJobExecutionsRolloutConfig={"maximumPerMinute": 10},
        awsJobPresignedUrlConfig={"expiresInSec": 60},
        awsJobAbortConfig={"abortCriteriaList": [{"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 10, "minNumberOfExecutedThings": 1}]},
        awsJobTimeoutConfig={"inProgressTimeoutInMinutes": 5},
        additionalParameters={"a": "b"},
        tags=[{"Key": "k", "Value": "v"}],
    )
    assert made["otaUpdateStatus"] == "CREATE_PENDING"
    assert ok("ListTagsForResource", resourceArn=made["otaUpdateArn"])["tags"] == [{"Key": "k", "Value": "v"}]
    err("CreateOTAUpdate", "ResourceAlreadyExistsException", **update)
    info = ota_update("walk")
    stream = info["otaUpdateFiles"][0]["fileLocation"]["stream"]
    assert (info["otaUpdateStatus"], info["awsIotJobId"], stream["fileId"]) == ("CREATE_COMPLETE", "AFR_OTA-walk", 0), info
    assert info["otaUpdateFiles"][0]["codeSigning"]["customCodeSigning"] == signing
    other = {**update, "otaUpdateId": "other"}
    err("CreateOTAUpdate", "InvalidRequestException", **{**other, "files": []})
    err("CreateOTAUpdate", "InvalidRequestException", **{**other, "files": [{**file, "codeSigning": {"awsSignerJobId": "j"}}]})
    err("CreateOTAUpdate", "InvalidRequestException", **{**other, "files": [{"fileName": "f"}]})
    err("CreateOTAUpdate", "ResourceNotFoundException", **{**other, "targets": [target + "-none"]})
    err("CreateOTAUpdate", "ResourceNotFoundException", **{**other, "files": [{"fileLocation": {"stream": {"streamId": "none", "fileId": 0}}}]})
    ok("CreateOTAUpdate", **{**other, "files": [{**file, "fileLocation": {"stream": stream}}]})
    assert ota_update("other")["otaUpdateStatus"] == "CREATE_COMPLETE"
    ok("CreateOTAUpdate", **{**update, "otaUpdateId": "failed", "files": [{"fileLocation": {"s3Location": {**s3_location, "key": "none"}}}]})
    assert ota_update("failed")["errorInfo"]["code"] == "ResourceNotFoundException"
    err("GetOTAUpdate", "ResourceNotFoundException", otaUpdateId="none")
    assert [u["otaUpdateId"] for u in ok("ListOTAUpdates", otaUpdateStatus="CREATE_FAILED", maxResults=1)["otaUpdates"]] == ["failed"]
    err("ListOTAUpdates", "InvalidRequestException", nextToken="none")
    err("DeleteStream", "DeleteConflictException", streamId=stream["streamId"])
    err("DeleteOTAUpdate", "InvalidRequestException", otaUpdateId="walk")
    err("DeleteOTAUpdate", "InvalidRequestException", otaUpdateId="walk", deleteStream=True, forceDeleteAWSJob=True)
    ok("DeleteOTAUpdate", otaUpdateId="other", deleteStream=True, forceDeleteAWSJob=True)
    ok("DeleteOTAUpdate", otaUpdateId="failed")
    ok("DeleteOTAUpdate", otaUpdateId="walk", forceDeleteAWSJob=True)
    err("DeleteOTAUpdate", "ResourceNotFoundException", otaUpdateId="walk")
    ok("DeleteStream", streamId=stream["streamId"])


def walk_packages():
    package, version = {"packageName": "walk"}, {"packageName": "walk", "versionName": "1.0"}
    arn = ok("CreatePackage", **package, tags={"k": "v"})["packageArn"]
    err("CreatePackage", "ConflictException", **package)
    err("CreatePackage", "ValidationException", packageName="no/name")
    err("CreatePackageVersion", "ValidationException", packageName="none", versionName="1")
    err("CreatePackageVersion", "ValidationException", **version, attributes={"a": "x" * 4000})
    artifact = {"s3Location": {"bucket": "walk-streams", "key": "file"}}
    version_arn = ok("CreatePackageVersion", **version, attributes={"a": "b"}, artifact=artifact, tags={"k": "v"})["packageVersionArn"]
    for tagged in (arn, version_arn):
        assert ok("ListTagsForResource", resourceArn=tagged)["tags"] == [{"Key": "k", "Value": "v"}]
    err("CreatePackageVersion", "ConflictException", **version)
    err("UpdatePackage", "ValidationException", **package, defaultVersionName="1.0")
    ok("UpdatePackageVersion", **version, description="d", action="PUBLISH")
    err("UpdatePackageVersion", "ValidationException", **version, attributes={"c": "d"})
    err("UpdatePackageVersion", "ResourceNotFoundException", packageName="walk", versionName="none")
    ok("UpdatePackage", **package, defaultVersionName="1.0")
    err("UpdatePackage", "ResourceNotFoundException", packageName="none")
    assert ok("GetPackage", **package)["defaultVersionName"] == "1.0"
    err("GetPackage", "ResourceNotFoundException", packageName="none")
    assert ok("GetPackageVersion", **version)["artifact"] == artifact
    err("GetPackageVersion", "ResourceNotFoundException", packageName="walk", versionName="none")
    assert len(ok("ListPackages")["packageSummaries"]) == 1
    err("ListPackages", "ValidationException", nextToken="none")
    assert len(ok("ListPackageVersions", **package, status="PUBLISHED")["packageVersionSummaries"]) == 1
    err("ListPackageVersions", "ValidationException", **package, nextToken="none")
    thing = ok("CreateThing", thingName="walk-packages")["thingArn"]
    job = {"jobId": "walk-packages", "targets": [thing], "document": '{"a":"${aws:iot:package:walk:version:$default:attributes:a}"}'}
    default = arn + "/version/$default"
    ok("CreateJob", **job, destinationPackageVersions=[default])
    assert ok("DescribeJob", jobId=job["jobId"])["job"]["destinationPackageVersions"] == [version_arn]
    assert ok("DescribeJob", jobId=job["jobId"], beforeSubstitution=True)["job"]["destinationPackageVersions"] == [default]
    assert ok("GetJobDocument", jobId=job["jobId"])["document"] == '{"a":"b"}'
    assert ok("GetJobDocument", jobId=job["jobId"], beforeSubstitution=True)["document"] == job["document"]
    err("CreateJob", "InvalidRequestException", **{**job, "jobId": "other"}, destinationPackageVersions=[version_arn])
    err("CreateJob", "ResourceNotFoundException", **{**job, "jobId": "other"}, destinationPackageVersions=[arn + "x/version/1.0"])
    ok("DeleteJob", jobId=job["jobId"], force=True)
    ok("DeleteThing", thingName="walk-packages")
    ok("UpdatePackageConfiguration", versionUpdateByJobsConfig={"enabled": False})
    err("UpdatePackageConfiguration", "ValidationException", versionUpdateByJobsConfig={"enabled": True})
    assert ok("GetPackageConfiguration")["versionUpdateByJobsConfig"] == {"enabled": False}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.json", json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5"}))
        archive.writestr("b.json", "{}")
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    s3.put_object(Bucket="walk-streams", Key="sbom", Body=content.getvalue())
    sbom = {"s3Location": {"bucket": "walk-streams", "key": "sbom"}}
    ok("AssociateSbomWithPackageVersion", **version, sbom=sbom)
    err("AssociateSbomWithPackageVersion", "ValidationException", **version, sbom={"s3Location": {"bucket": "walk-streams", "key": "none"}})
    err("AssociateSbomWithPackageVersion", "ResourceNotFoundException", packageName="walk", versionName="none", sbom=sbom)
    assert [r["validationResult"] for r in ok("ListSbomValidationResults", **version)["validationResultSummaries"]] == ["SUCCEEDED", "FAILED"]
    err("ListSbomValidationResults", "ResourceNotFoundException", packageName="walk", versionName="none")
    err("ListSbomValidationResults", "ValidationException", **version, nextToken="none")
    ok("DisassociateSbomFromPackageVersion", **version)
    err("DisassociateSbomFromPackageVersion", "ResourceNotFoundException", packageName="walk", versionName="none")
    err("DeletePackageVersion", "ValidationException", **version)
    err("DeletePackage", "ValidationException", **package)
    ok("UpdatePackage", **package, unsetDefaultVersion=True)
    ok("DeletePackageVersion", **version)
    ok("DeletePackage", **package)
    for i in range(100):
        ok("CreatePackage", packageName=f"walk-{i}")
    err("CreatePackage", "ServiceQuotaExceededException", packageName="walk-more")


def walk_commands():
    ok("CreateThing", thingName="walk-command")
    prefix = "arn:aws:iot:us-east-1:000000000000:"
    target, command = prefix + "thing/walk-command", {"commandId": "walk", "payload": {"content": b"{}", "contentType": "application/json"}}
    arn = ok("CreateCommand", **command, tags=[{"Key": "k", "Value": "v"}])["commandArn"]
    assert ok("ListTagsForResource", resourceArn=arn)["tags"] == [{"Key": "k", "Value": "v"}]
    err("CreateCommand", "ConflictException", **command)
    err("CreateCommand", "ValidationException", commandId="other")
    err("CreateCommand", "ValidationException", **{**command, "commandId": "other"}, tags=[{"Key": "aws:k", "Value": "v"}])
    parameter = {"name": "p", "type": "STRING", "defaultValue": {"S": "a"}, "valueConditions": [{"comparisonOperator": "IN_SET", "operand": {"strings": ["a", "b"]}}]}
    ok("CreateCommand", commandId="template", payloadTemplate='{"p":"${aws:iot:commandexecution::parameter:p}"}', mandatoryParameters=[parameter],
       preprocessor={"awsJsonSubstitution": {"outputFormat": "CBOR"}})
    assert ok("GetCommand", commandId="walk")["payload"]["content"] == b"{}"
    assert ok("GetCommand", commandId="template")["mandatoryParameters"] == [parameter]
    err("GetCommand", "ResourceNotFoundException", commandId="none")
    err("GetCommand", "ValidationException", commandId="no/name")
    assert len(ok("ListCommands", commandParameterName="p")["commands"]) == 1
    err("ListCommands", "ValidationException", nextToken="none")
    ok("UpdateCommand", commandId="template", deprecated=True)
    err("UpdateCommand", "ValidationException", commandId="template", displayName="x")
    err("UpdateCommand", "ResourceNotFoundException", commandId="none")
    start = {"commandArn": arn, "targetArn": target}
    execution = ok("StartCommandExecution", jobs, **start, clientToken="t")["executionId"]
    assert ok("StartCommandExecution", jobs, **start, clientToken="t")["executionId"] == execution
    err("StartCommandExecution", "ConflictException", jobs, **start, clientToken="t", executionTimeoutSeconds=20)
    err("StartCommandExecution", "ValidationException", jobs, **{**start, "commandArn": prefix + "command/template"})
    err("StartCommandExecution", "ResourceNotFoundException", jobs, **{**start, "targetArn": prefix + "thing/none"})
    err("StartCommandExecution", "ResourceNotFoundException", jobs, **{**start, "commandArn": prefix + "command/none"})
    shown = {"executionId": execution, "targetArn": target}
    assert ok("GetCommandExecution", **shown, includeResult=True)["status"] == "CREATED"
    err("GetCommandExecution", "ResourceNotFoundException", executionId="none", targetArn=target)
    err("GetCommandExecution", "ValidationException", executionId=execution, targetArn="walk-command")
    assert len(ok("ListCommandExecutions", commandArn=arn, startedTimeFilter={"after": "2020-01-01T00:00"})["commandExecutions"]) == 1
    err("ListCommandExecutions", "ValidationException", commandArn=arn)
    err("DeleteCommandExecution", "ConflictException", **shown)
    err("DeleteCommandExecution", "ValidationException", executionId=execution, targetArn="walk-command")
    ended = ok("StartCommandExecution", jobs, **start, executionTimeoutSeconds=1)["executionId"]
    while ok("GetCommandExecution", executionId=ended, targetArn=target)["status"] != "TIMED_OUT":
        time.sleep(0.1)
    ok("DeleteCommandExecution", executionId=ended, targetArn=target)
    most = {"name": "l", "type": "LONG", "defaultValue": {"L": 2**63 - 1}}
    long = ok("CreateCommand", commandId="long", payloadTemplate='{"l":"${aws:iot:commandexecution::parameter:l}"}', mandatoryParameters=[most],
              preprocessor={"awsJsonSubstitution": {"outputFormat": "JSON"}})["commandArn"]
    assert ok("GetCommand", commandId="long")["mandatoryParameters"] == [most]
    least = ok("StartCommandExecution", jobs, commandArn=long, targetArn=target, parameters={"l": {"L": -2**63}})["executionId"]
    assert ok("GetCommandExecution", executionId=least, targetArn=target)["parameters"] == {"l": {"L": -2**63}}
    err("StartCommandExecution", "ValidationException", jobs, commandArn=long, targetArn=target, parameters={"l": {"L": 2**63}})
    assert ok("DeleteCommand", commandId="walk")["statusCode"] == 202
    assert ok("DeleteCommand", commandId="none")["statusCode"] == 204
    err("UpdateCommand", "ConflictException", commandId="walk", displayName="x")


ROLE = "arn:aws:iam::000000000000:role/rules"
# One action of each kind that the service model has.
ACTIONS = {
    "cloudwatchAlarm": {"alarmName": "a", "stateReason": "r", "stateValue": "OK", "roleArn": ROLE},
    "cloudwatchLogs": {"logGroupName": "g", "roleArn": ROLE, "batchMode": True},
    "cloudwatchMetric": {"metricNamespace": "n", "metricName": "m", "metricValue": "${v}", "metricUnit": "Count", "metricTimestamp": "1", "roleArn": ROLE},
    "dynamoDB": {"tableName": "t", "roleArn": ROLE, "operation": "INSERT", "hashKeyField": "h", "hashKeyValue": "${topic()}", "hashKeyType": "STRING",
                 "rangeKeyField": "r", "rangeKeyValue": "${timestamp()}", "rangeKeyType": "NUMBER", "payloadField": "p"},
    "dynamoDBv2": {"roleArn": ROLE, "putItem": {"tableName": "t"}},
    "elasticsearch": {"endpoint": "https://d.us-east-1.es.amazonaws.com", "index": "i", "type": "t", "id": "${newuuid()}", "roleArn": ROLE},
    "firehose": {"deliveryStreamName": "s", "roleArn": ROLE, "separator": "\n", "batchMode": True},
    "http": {"url": "http://127.0.0.1:9/a", "confirmationUrl": "http://127.0.0.1:9/", "headers": [{"key": "k", "value": "${v}"}], "enableBatching": True,
             "batchConfig": {"maxBatchOpenMs": 20, "maxBatchSize": 5, "maxBatchSizeBytes": 1000, "batchAcrossTopics": True},
             "auth": {"sigv4": {"signingRegion": "us-east-1", "serviceName": "s", "roleArn": ROLE}}},
    "iotAnalytics": {"channelName": "c", "roleArn": ROLE, "batchMode": False},
    "iotEvents": {"inputName": "i", "messageId": "m", "roleArn": ROLE},
    "iotSiteWise": {"roleArn": ROLE, "putAssetPropertyValueEntries": [{"entryId": "e", "propertyAlias": "a", "propertyValues": [
        {"value": {"doubleValue": "${v}"}, "timestamp": {"timeInSeconds": "1", "offsetInNanos": "0"}, "quality": "GOOD"}]}]},
    "kafka": {"destinationArn": "arn:aws:iot:us-east-1:000000000000:ruledestination/vpc/00000000-0000-0000-0000-000000000000", "topic": "t", "key": "k", "partition": "0",
              "clientProperties": {"bootstrap.servers": "b:9092", "security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI", "sasl.kerberos.service.name": "kafka",
                                   "ssl.truststore": "${get_secret('s', 'SecretBinary', 'arn:aws:iam::000000000000:role/rules')}"},
              "headers": [{"key": "k", "value": "v"}]},
    "kinesis": {"streamName": "s", "partitionKey": "p", "roleArn": ROLE},
    "lambda": {"functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"},
    "location": {"roleArn": ROLE, "trackerName": "t", "deviceId": "d", "latitude": "${lat}", "longitude": "${lon}", "timestamp": {"value": "1", "unit": "SECONDS"}},
    "openSearch": {"endpoint": "https://d.us-east-1.es.amazonaws.com", "index": "i", "type": "t", "id": "1", "roleArn": ROLE},
    "republish": {"topic": "$$aws/things/a/shadow/update", "roleArn": ROLE, "qos": 1, "headers": {"contentType": "c", "payloadFormatIndicator": "UTF8_DATA",
                  "responseTopic": "r", "correlationData": "YQ==", "messageExpiry": "1", "userProperties": [{"key": "k", "value": "v"}]}},
    "s3": {"bucketName": "b", "key": "${topic()}", "cannedAcl": "private", "roleArn": ROLE},
    "salesforce": {"token": "t" * 40, "url": "https://ingestion-1.us.sfdcnow.com/streams/stream/1/event"},
    "sns": {"targetArn": "arn:aws:sns:us-east-1:000000000000:t", "messageFormat": "JSON", "roleArn": ROLE},
    "sqs": {"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/q", "useBase64": True, "roleArn": ROLE},
    "stepFunctions": {"stateMachineName": "m", "executionNamePrefix": "p", "roleArn": ROLE},
    "timestream": {"databaseName": "d", "tableName": "t", "dimensions": [{"name": "n", "value": "${clientid()}"}], "timestamp": {"value": "1", "unit": "SECONDS"}, "roleArn": ROLE},
}


def walk_fleet_metrics():
    metric = {"queryString": "thingName:walk*", "aggregationField": "attributes.a", "period": 60,
              "aggregationType": {"name": "Statistics", "values": ["count", "sum"]}}
    named = {"metricName": "walk.metric"}
    ok("CreateFleetMetric", description="d", unit="Count", tags=[{"Key": "k", "Value": "v"}], **named, **metric)
    arn = ok("DescribeFleetMetric", **named)["metricArn"]
    assert ok("ListTagsForResource", resourceArn=arn)["tags"] == [{"Key": "k", "Value": "v"}]
    ok("UntagResource", resourceArn=arn, tagKeys=["k"])
    ok("ListFleetMetrics", maxResults=1)
    err("ListFleetMetrics", "InvalidRequestException", maxResults=0)
    err("CreateFleetMetric", "ResourceAlreadyExistsException", **named, **{**metric, "period": 120})
    other = {"metricName": "other"}
    err("CreateFleetMetric", "InvalidRequestException", **other, **{**metric, "period": 59})
    err("CreateFleetMetric", "InvalidRequestException", **other, **{**metric, "period": 90})
    err("CreateFleetMetric", "InvalidQueryException", **other, **{**metric, "queryString": "("})
    err("CreateFleetMetric", "InvalidAggregationException", **other, **{**metric, "aggregationField": "attributes.none"})
    err("CreateFleetMetric", "ResourceNotFoundException", indexName="none", **other, **metric)
    err("DescribeFleetMetric", "ResourceNotFoundException", **other)
    err("DescribeFleetMetric", "InvalidRequestException", metricName="a:b")
    index = {"indexName": "AWS_Things"}
    ok("UpdateFleetMetric", period=300, expectedVersion=1, **index, **named)
    err("UpdateFleetMetric", "VersionConflictException", expectedVersion=1, **index, **named)
    err("UpdateFleetMetric", "ResourceNotFoundException", **index, **other)
    err("UpdateFleetMetric", "InvalidRequestException", **named)
    err("UpdateFleetMetric", "InvalidQueryException", queryString="(", **index, **named)
    err("UpdateFleetMetric", "InvalidAggregationException", aggregationField="none", **index, **named)
    err("DeleteFleetMetric", "VersionConflictException", expectedVersion=9, **named)
    err("UpdateIndexingConfiguration", "InvalidRequestException", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
    for number in range(99):
        ok("CreateFleetMetric", metricName=f"m{number}", **metric)
    err("CreateFleetMetric", "LimitExceededException", **other, **metric)
    for name in ["walk.metric", *(f"m{number}" for number in range(99))]:
        ok("DeleteFleetMetric", metricName=name)
    ok("DeleteFleetMetric", **named)


def settled(read, wanted):
    """Waits for what is done a moment after its call."""
    for _ in range(200):
        if read() == wanted:
            return
        time.sleep(0.05)
    fault(f"{wanted} was waited for, and it is {read()}")


def walk_jobs():
    thing = ok("CreateThing", thingName="jobs-thing")["thingArn"]
    second = ok("CreateThing", thingName="jobs-second")["thingArn"]
    group = ok("CreateThingGroup", thingGroupName="jobs-group")["thingGroupArn"]
    document = json.dumps({"do": "it"})
    invalid, unknown, state = "InvalidRequestException", "ResourceNotFoundException", "InvalidStateTransitionException"
    ok("CreateJob", jobId="j", targets=[thing, second], document=document, description="d", namespaceId="n", tags=[{"Key": "k", "Value": "v"}])
    err("CreateJob", "ResourceAlreadyExistsException", jobId="j", targets=[thing], document=document)
    err("CreateJob", invalid, jobId="k", targets=[thing], document="[]")
    err("CreateJob", unknown, jobId="k", targets=[thing + "x"], document=document)
    settled(lambda: ok("DescribeJob", jobId="j")["job"]["jobProcessDetails"]["numberOfQueuedThings"], 2)
    arn = ok("DescribeJob", jobId="j")["job"]["jobArn"]
    err("DescribeJob", unknown, jobId="none")
    err("DescribeJob", invalid, jobId="a.b")
    assert ok("ListTagsForResource", resourceArn=arn)["tags"] == [{"Key": "k", "Value": "v"}]
    assert ok("GetJobDocument", jobId="j")["document"] == document
    err("GetJobDocument", unknown, jobId="none")
    ok("UpdateJob", jobId="j", description="other", timeoutConfig={"inProgressTimeoutInMinutes": 5})
    err("UpdateJob", unknown, jobId="none")
    err("UpdateJob", invalid, jobId="j", timeoutConfig={"inProgressTimeoutInMinutes": 0})
    assert [job["jobId"] for job in ok("ListJobs", namespaceId="n", maxResults=1)["jobs"]] == ["j"]
    err("ListJobs", invalid, maxResults=251)
    err("ListJobs", unknown, thingGroupName="none")
    ok("ListJobExecutionsForJob", jobId="j", status="QUEUED", maxResults=1)
    err("ListJobExecutionsForJob", unknown, jobId="none")
    err("ListJobExecutionsForJob", invalid, jobId="j", maxResults=0)
    ok("ListJobExecutionsForThing", thingName="jobs-thing", jobId="j")
    err("ListJobExecutionsForThing", unknown, thingName="none")
    err("ListJobExecutionsForThing", invalid, thingName="jobs-thing", maxResults=0)

    own = {"thingName": "jobs-thing"}
    assert len(ok("GetPendingJobExecutions", client=jobs, **own)["queuedJobs"]) == 1
    err("GetPendingJobExecutions", unknown, client=jobs, thingName="none")
    err("GetPendingJobExecutions", invalid, client=jobs, thingName="a b")
    assert ok("StartNextPendingJobExecution", client=jobs, statusDetails={"a": "b"}, **own)["execution"]["jobDocument"] == document
    err("StartNextPendingJobExecution", unknown, client=jobs, thingName="none")
    err("StartNextPendingJobExecution", invalid, client=jobs, stepTimeoutInMinutes=0, **own)
    ok("DescribeJobExecution", client=jobs, jobId="$next", includeJobDocument=False, **own)
    err("DescribeJobExecution", unknown, client=jobs, jobId="none", **own)
    ok("UpdateJobExecution", client=jobs, jobId="j", status="IN_PROGRESS", includeJobExecutionState=True, includeJobDocument=True, **own)
    err("UpdateJobExecution", invalid, client=jobs, jobId="j", status="QUEUED", **own)
    err("UpdateJobExecution", unknown, client=jobs, jobId="none", status="FAILED", **own)

    assert ok("DescribeJobExecution", jobId="j", **own)["execution"]["statusDetails"] == {"detailsMap": {"a": "b"}}
    err("DescribeJobExecution", unknown, jobId="none", **own)
    err("DescribeJobExecution", invalid, jobId="a.b", **own)
    err("CancelJobExecution", state, jobId="j", **own)
    err("CancelJobExecution", "VersionConflictException", jobId="j", expectedVersion=9, **own)
    err("CancelJobExecution", unknown, jobId="none", **own)
    err("CancelJobExecution", invalid, jobId="j", statusDetails={"a b": "c"}, force=True, **own)
    err("DeleteJobExecution", state, jobId="j", executionNumber=1, **own)
    err("DeleteJobExecution", unknown, jobId="j", executionNumber=2, **own)
    err("DeleteJobExecution", invalid, jobId="a.b", executionNumber=1, **own)
    ok("CancelJobExecution", jobId="j", force=True, expectedVersion=3, **own)
    err("UpdateJobExecution", state, client=jobs, jobId="j", status="SUCCEEDED", **own)
    err("DescribeJobExecution", "TerminalStateException", client=jobs, jobId="j", **own)
    ok("DeleteJobExecution", jobId="j", executionNumber=1, **own)
    err("DeleteJob", state, jobId="j")
    err("DeleteJob", unknown, jobId="none")
    err("DeleteJob", invalid, jobId="a.b")
    err("CancelJob", invalid, jobId="j", reasonCode="lower")
    ok("CancelJob", jobId="j", reasonCode="A_1", comment="c", force=True)
    err("CancelJob", unknown, jobId="none")
    ok("DeleteJob", jobId="j")

    ok("CreateJob", jobId="c", targets=[group], targetSelection="CONTINUOUS", document=document)
    ok("AssociateTargetsWithJob", jobId="c", targets=[thing], comment="c")
    err("AssociateTargetsWithJob", unknown, jobId="none", targets=[thing])
    err("AssociateTargetsWithJob", invalid, jobId="c", targets=["x"])
    many = [ok("CreateThing", thingName=f"jobs-{number}")["thingArn"] for number in range(99)]
    err("AssociateTargetsWithJob", "LimitExceededException", jobId="c", targets=many)
    err("CreateJob", invalid, jobId="k", targets=[*many, thing, group], document=document)

    ok("CreateJobTemplate", jobTemplateId="t", description="d", jobArn=arn.replace("job/j", "job/c"), tags=[{"Key": "k", "Value": "v"}])
    err("CreateJobTemplate", "ConflictException", jobTemplateId="t", description="d", document=document)
    err("CreateJobTemplate", unknown, jobTemplateId="u", description="d", jobArn=arn)
    err("CreateJobTemplate", invalid, jobTemplateId="u", description="d")
    template = ok("DescribeJobTemplate", jobTemplateId="t")["jobTemplateArn"]
    assert ok("ListTagsForResource", resourceArn=template)["tags"] == [{"Key": "k", "Value": "v"}]
    err("DescribeJobTemplate", unknown, jobTemplateId="none")
    err("DescribeJobTemplate", invalid, jobTemplateId="a.b")
    ok("ListJobTemplates", maxResults=1)
    err("ListJobTemplates", invalid, maxResults=0)
    ok("CreateJob", jobId="of-template", targets=[second], jobTemplateArn=template)
    for number in range(99):
        ok("CreateJobTemplate", jobTemplateId=f"t{number}", description="d", document=document)
    err("CreateJobTemplate", "LimitExceededException", jobTemplateId="u", description="d", document=document)
    for name in ["t", *(f"t{number}" for number in range(99))]:
        ok("DeleteJobTemplate", jobTemplateId=name)
    err("DeleteJobTemplate", unknown, jobTemplateId="t")
    err("DeleteJobTemplate", invalid, jobTemplateId="a.b")
    name = ok("ListManagedJobTemplates", maxResults=1)["managedJobTemplates"][0]["templateName"]
    err("ListManagedJobTemplates", invalid, maxResults=0)
    ok("DescribeManagedJobTemplate", templateName=name, templateVersion="1.0")
    err("DescribeManagedJobTemplate", unknown, templateName="AWS-Nothing")
    err("DescribeManagedJobTemplate", invalid, templateName="")
    for job in ["c", "of-template"]:
        ok("DeleteJob", jobId=job, force=True)


def walk_rules():
    payload = {"sql": "SELECT * FROM 'walk/#'", "actions": [], "awsIotSqlVersion": "2016-03-23", "description": "d"}
    for kind, action in ACTIONS.items():
        # An error action has no batches.
        plain = {name: value for name, value in action.items() if name not in ("enableBatching", "batchConfig")}
        given = dict(payload, actions=[{kind: action}], errorAction={kind: plain})
        ok("CreateTopicRule", ruleName=f"each_{kind}", topicRulePayload=given)
        rule = ok("GetTopicRule", ruleName=f"each_{kind}").get("rule", {})
        if (rule.get("actions"), rule.get("errorAction")) != (given["actions"], given["errorAction"]):
            fault(f"GetTopicRule: {kind} comes back as {rule}")
        ok("DeleteTopicRule", ruleName=f"each_{kind}")
    arn = "arn:aws:iot:us-east-1:000000000000:rule/walk"
    ok("CreateTopicRule", ruleName="walk", topicRulePayload=payload, tags="a=b&c=d%20e")
    err("CreateTopicRule", "ResourceAlreadyExistsException", ruleName="walk", topicRulePayload=payload)
    err("CreateTopicRule", "SqlParseException", ruleName="other", topicRulePayload=dict(payload, sql="SELECT FROM 'a'"))
    err("CreateTopicRule", "InvalidRequestException", ruleName="no-hyphen", topicRulePayload=payload)
    err("CreateTopicRule", "InvalidRequestException", ruleName="other", topicRulePayload=dict(payload, actions=[{}]))
    err("CreateTopicRule", "InvalidRequestException", ruleName="other", topicRulePayload=dict(payload, actions=[{"lambda": ACTIONS["lambda"]}] * 11))
    err("CreateTopicRule", "SqlParseException", ruleName="other", topicRulePayload=dict(payload, awsIotSqlVersion="2020-01-01"))
    err("CreateTopicRule", "InvalidRequestException", ruleName="other", topicRulePayload=payload, tags="k" * 129 + "=v")
    tags = ok("ListTagsForResource", resourceArn=arn).get("tags")
    if tags != [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d e"}]:
        fault(f"ListTagsForResource: of a rule {tags}")
    ok("ListTopicRules", topic="walk/#", ruleDisabled=False, maxResults=10)
    err("ListTopicRules", "InvalidRequestException", nextToken="none")
    err("GetTopicRule", "UnauthorizedException", ruleName="none")
    ok("ReplaceTopicRule", ruleName="walk", topicRulePayload=dict(payload, sql="SELECT VALUE a FROM 'walk'"))
    err("ReplaceTopicRule", "UnauthorizedException", ruleName="none", topicRulePayload=payload)
    err("ReplaceTopicRule", "SqlParseException", ruleName="walk", topicRulePayload=dict(payload, sql="nonsense"))
    ok("DisableTopicRule", ruleName="walk")
    err("DisableTopicRule", "UnauthorizedException", ruleName="none")
    ok("EnableTopicRule", ruleName="walk")
    err("EnableTopicRule", "UnauthorizedException", ruleName="none")
    ok("DeleteTopicRule", ruleName="walk")
    err("ListTagsForResource", "ResourceNotFoundException", resourceArn=arn)


class Receiver(BaseHTTPRequestHandler):
    """Whoever gets the request that asks a destination's owner for its confirmation."""

    tokens = queue.Queue()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
        self.tokens.put(body["confirmationToken"])

    def log_message(self, *_):
        pass


def walk_destinations():
    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    http = {"httpUrlConfiguration": {"confirmationUrl": f"http://127.0.0.1:{receiver.server_port}/"}}
    arn = ok("CreateTopicRuleDestination", destinationConfiguration=http).get("topicRuleDestination", {}).get("arn", "")
    err("CreateTopicRuleDestination", "ResourceAlreadyExistsException", destinationConfiguration=http)
    err("CreateTopicRuleDestination", "InvalidRequestException", destinationConfiguration={"httpUrlConfiguration": {"confirmationUrl": "gopher://a"}})
    err("UpdateTopicRuleDestination", "InvalidRequestException", arn=arn, status="ENABLED")
    ok("ConfirmTopicRuleDestination", confirmationToken=Receiver.tokens.get(timeout=10))
    err("ConfirmTopicRuleDestination", "InvalidRequestException", confirmationToken="none")
    status = ok("GetTopicRuleDestination", arn=arn).get("topicRuleDestination", {}).get("status")
    if status != "ENABLED":
        fault(f"GetTopicRuleDestination: {status} after its confirmation")
    ok("UpdateTopicRuleDestination", arn=arn, status="DISABLED")
    vpc = {"vpcConfiguration": {"subnetIds": ["subnet-1"], "securityGroups": ["sg-1"], "vpcId": "vpc-1", "roleArn": ROLE}}
    for _ in range(5):
        ok("CreateTopicRuleDestination", destinationConfiguration=vpc)
    err("CreateTopicRuleDestination", "InvalidRequestException", destinationConfiguration=vpc)
    ok("ListTopicRuleDestinations", maxResults=2)
    err("ListTopicRuleDestinations", "InvalidRequestException", nextToken="none")
    ok("DeleteTopicRuleDestination", arn=arn)
    for operation, more in (("Get", {}), ("Delete", {}), ("Update", {"status": "ENABLED"})):
        err(f"{operation}TopicRuleDestination", "UnauthorizedException", arn=arn, **more)
    receiver.shutdown()


TEXTS = [
    "a", "aaaaaaaa", "a" * 36, "0" * 64, "1", "12345678", "x1", "1.0.0", "true", "$default", "AWSIotLogsV2", "a/b", "arn:aws:iot:us-east-1:000000000000:cert/" + "0" * 64,
    "arn:aws:iot:us-east-1:000000000000:thing/a", "arn:aws:iam::000000000000:role/role", "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:s3:::bucket",
    "2026-01-01T00:00:00Z", "2026-01-01 00:00", "{}", "us-east-1", "a.example.com", "https://example.com/", "000000000000", "iot:Data-ATS",
    "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000", "YWJj", "arn:aws:signer:us-east-1:000000000000:/signing-jobs/a",
    "arn:aws:iot:us-east-1:000000000000:command/a", "arn:aws:acm:us-east-1:000000000000:certificate/a", "1h", "20", "arn:aws:iot:us-east-1:000000000000:job/a",
    "arn:aws:iot:us-east-1:000000000000:package/a/version/1", "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----", "a" * 130,
]


def text_for(shape):
    """A string that keeps the shape's length and pattern."""
    low, high, pattern = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 20), shape.metadata.get("pattern")
    translated = pattern and re.sub(r"\\p\{(\w+)\}", lambda m: {"Graph": r"\\x21-\\x7e", "Print": r"\\x20-\\x7e", "L": "a-zA-Z", "N": "0-9", "Z": " "}.get(m[1], "a-z"), pattern)
    for text in TEXTS:
        fitting = text if low <= len(text) <= high else None
        if fitting is None and len(text) < low and set(text) == {text[0]}:
            fitting = text[0] * low
        if fitting is None:
            continue
        try:
            if translated is None or re.fullmatch(translated, fitting):
                return fitting
        except re.error:
            return fitting
    return "a" * max(1, low)


def value_for(shape, depth=0):
    """The least valid value of a shape."""
    kind = shape.type_name
    if kind == "structure":
        members = list(shape.required_members)
        if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
            members = [next(iter(shape.members))]
        return {name: value_for(shape.members[name], depth + 1) for name in members if depth < 12}
    if kind == "list":
        return [value_for(shape.member, depth + 1) for _ in range(shape.metadata.get("min", 0))]
    if kind == "map":
        return {value_for(shape.key, depth + 1): value_for(shape.value, depth + 1) for _ in range(min(1, shape.metadata.get("min", 0)))}
    if kind == "string":
        return shape.enum[0] if shape.enum else text_for(shape)
    if kind in ("integer", "long", "float", "double"):
        return max(1, shape.metadata.get("min", 1))
    if kind == "timestamp":
        return 1_800_000_000
    return {"boolean": True, "blob": b"{}"}.get(kind)


def walk_unserved():
    slowest = 0.0
    for client in (iot, data, jobs):
        model = client.meta.service_model
        for name in model.operation_names:
            if walked_as(client, name) in served or walked_as(client, name) in refused:
                continue
            shape = model.operation_model(name).input_shape
            arguments = value_for(shape) if shape is not None else {}
            began = time.monotonic()
            try:
                method_of(client, name)(**arguments)
                fault(f"{name}: served, and not walked: call it in a walk_ function of test/conformance/boto3_walk.py")
            except ClientError as error:
                code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
                if (code, status) == ("UnknownOperationException", 404):
                    unserved.add(f"{model.service_name}.{name}")
                    if name not in error.response["Error"]["Message"]:
                        fault(f"{name}: its refusal does not name it")
                else:
                    fault(f"{name}({arguments}): {code} {status} {error.response['Error']['Message'][:300]}")
            slowest = max(slowest, time.monotonic() - began)
    return slowest


walk_things()
walk_groups()
device, device_arn = walk_certificates()
walk_transfers()
walk_authorities()
walk_policies(device, device_arn)
walk_principals(device, device_arn)
walk_data()
walk_shadows()
walk_authorizers()
walk_domains()
walk_role_aliases()
walk_certificate_providers()
walk_provisioning()
walk_events()
walk_index()
walk_bulk_registration()
walk_jobs()
walk_streams()
walk_ota_updates()
walk_commands()
walk_packages()
walk_rules()
walk_destinations()
slowest_refusal = walk_unserved()
print(json.dumps({
    "served": sorted(served),
    "refused": {name: sorted(codes) for name, codes in sorted(refused.items())},
    "unserved": len(unserved),
    "slowestRefusal": slowest_refusal,
    "faults": faults,
}))
sys.exit(1 if faults else 0)

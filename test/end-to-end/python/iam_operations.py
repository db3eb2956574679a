"""IAM and STS by boto3: what the walk leaves out, each call with the change that it makes. Ends with a traceback where one is missing."""
import json
import os

import boto3

endpoint = os.environ["AWS_ENDPOINT_URL"]
iam = boto3.client("iam", endpoint_url=endpoint)
sts = boto3.client("sts", endpoint_url=endpoint)


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def equal(found, expected):
    assert found == expected, (found, expected)


RIGHTS = document(Action="iot:ListThings", Resource="*")
iam.create_group(GroupName="rest")
iam.put_group_policy(GroupName="rest", PolicyName="own", PolicyDocument=RIGHTS)
equal(iam.get_group_policy(GroupName="rest", PolicyName="own")["PolicyDocument"], json.loads(RIGHTS))
equal(iam.list_group_policies(GroupName="rest")["PolicyNames"], ["own"])
iam.delete_group_policy(GroupName="rest", PolicyName="own")
equal(iam.list_group_policies(GroupName="rest")["PolicyNames"], [])

policy = iam.create_policy(PolicyName="rest", PolicyDocument=RIGHTS)["Policy"]["Arn"]
iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
iam.untag_policy(PolicyArn=policy, TagKeys=["a"])
equal(iam.list_policy_tags(PolicyArn=policy)["Tags"], [{"Key": "b", "Value": "2"}])
iam.attach_group_policy(GroupName="rest", PolicyArn=policy)
equal([each["PolicyArn"] for each in iam.list_attached_group_policies(GroupName="rest")["AttachedPolicies"]], [policy])
iam.detach_group_policy(GroupName="rest", PolicyArn=policy)
equal(iam.list_attached_group_policies(GroupName="rest")["AttachedPolicies"], [])

iam.create_user(UserName="rest")
iam.get_waiter("user_exists").wait(UserName="rest")
iam.tag_user(UserName="rest", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
iam.untag_user(UserName="rest", TagKeys=["b"])
equal(iam.list_user_tags(UserName="rest")["Tags"], [{"Key": "a", "Value": "1"}])
iam.attach_user_policy(UserName="rest", PolicyArn=policy)
equal([each["PolicyArn"] for each in iam.list_attached_user_policies(UserName="rest")["AttachedPolicies"]], [policy])
iam.detach_user_policy(UserName="rest", PolicyArn=policy)
iam.create_login_profile(UserName="rest", Password="Zero-Touch-1")
iam.update_login_profile(UserName="rest", PasswordResetRequired=True)
assert iam.get_login_profile(UserName="rest")["LoginProfile"]["PasswordResetRequired"]
for name, member in [
    ("list_mfa_devices", "MFADevices"),
    ("list_ssh_public_keys", "SSHPublicKeys"),
    ("list_signing_certificates", "Certificates"),
    ("list_service_specific_credentials", "ServiceSpecificCredentials"),
]:
    equal(getattr(iam, name)(UserName="rest")[member], [])

trust = document(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
iam.create_role(RoleName="rest", AssumeRolePolicyDocument=trust)
iam.get_waiter("role_exists").wait(RoleName="rest")
iam.tag_role(RoleName="rest", Tags=[{"Key": "a", "Value": "1"}])
equal(iam.list_role_tags(RoleName="rest")["Tags"], [{"Key": "a", "Value": "1"}])
iam.untag_role(RoleName="rest", TagKeys=["a"])
equal(iam.list_role_tags(RoleName="rest")["Tags"], [])
iam.put_role_policy(RoleName="rest", PolicyName="own", PolicyDocument=RIGHTS)
equal(iam.list_role_policies(RoleName="rest")["PolicyNames"], ["own"])
equal(iam.get_role_policy(RoleName="rest", PolicyName="own")["PolicyDocument"], json.loads(RIGHTS))
user = iam.get_user(UserName="rest")["User"]["Arn"]
other = document(Principal={"AWS": user}, Action="sts:AssumeRole")
iam.update_assume_role_policy(RoleName="rest", PolicyDocument=other)
equal(iam.get_role(RoleName="rest")["Role"]["AssumeRolePolicyDocument"], json.loads(other))
equal(iam.update_role_description(RoleName="rest", Description="d")["Role"]["Description"], "d")
equal(iam.list_instance_profiles_for_role(RoleName="rest")["InstanceProfiles"], [])

summary = iam.get_account_summary()["SummaryMap"]
equal([summary[name] for name in ("Users", "Groups", "Roles", "Policies")], [1, 1, 1, 1])
equal(iam.list_account_aliases()["AccountAliases"], [])
equal(iam.list_virtual_mfa_devices()["VirtualMFADevices"], [])
key = iam.create_access_key(UserName="rest")["AccessKey"]["AccessKeyId"]
equal(sts.get_access_key_info(AccessKeyId=key)["Account"], "000000000000")
print("{}")

"""Writes sigv4-vectors.json: requests signed by botocore at a fixed time, for sigv4.test.ts.

Usage: python3 sigv4-vectors.py > sigv4-vectors.json   (botocore 1.43 made the stored ones)
"""

import datetime
import json
import sys

import botocore.auth
import botocore.compat
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)
ACCESS_KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
REGION, HOST = 'us-east-1', 'iot.example.com:4680'

for module in (botocore.auth, botocore.compat):
    if hasattr(module, 'get_current_datetime'):
        module.get_current_datetime = lambda remove_tzinfo=True: NOW

vectors = []


def sign(name, service, method, target, headers=None, body=b'', token=None, expires=None, params=None):
    credentials = Credentials(ACCESS_KEY, SECRET, token)
    request = AWSRequest(method=method, url=f'http://{HOST}{target}', data=body, headers=dict(headers or {}), params=params)
    if expires is None:
        botocore.auth.SigV4Auth(credentials, service, REGION).add_auth(request)
    else:
        botocore.auth.SigV4QueryAuth(credentials, service, REGION, expires=expires).add_auth(request)
    prepared = request.prepare()
    sent = [['Host', HOST]] + [[key, value if isinstance(value, str) else value.decode()] for key, value in prepared.headers.items()]
    vector = {'name': name, 'service': service, 'method': method, 'target': prepared.url.split(HOST, 1)[1], 'headers': sent, 'body': body.decode()}
    if token:
        vector['sessionToken'] = token
    vectors.append(vector)


JSON = {'Content-Type': 'application/json'}
FORM = {'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8'}
TARGET_ARN = 'arn%3Aaws%3Aiot%3Aus-east-1%3A000000000000%3Acert%2Fabc'
IDENTITY = {'Action': 'GetCallerIdentity', 'Version': '2011-06-15'}

sign('a GET without query', 'iot', 'GET', '/things')
sign('a query with several parameters, unsorted', 'iot', 'GET', '/things?maxResults=5&attributeName=a%20b&attributeValue=%2B%3D%26')
sign('a label that is percent-encoded', 'iotdata', 'POST', '/topics/a%2Fb%20c?qos=1', body=b'{"a":1}')
sign('a body and a content type', 'iot', 'POST', '/things/x', headers=JSON, body=b'{"thingTypeName":"t"}')
sign('a header value with runs of spaces', 'iot', 'PUT', '/things/x/principals', headers={'x-amzn-principal': '  arn:aws:iot:us-east-1:000000000000:cert/a   b '})
sign('a session token', 'iot', 'GET', '/things/x', token='AQoDYXdzEPT//////////wEXAMPLE')
sign('a body that is not ASCII', 'iot', 'POST', '/policies/p', body='{"policyDocument":"\u00e9\U0001f600"}'.encode())
sign('the characters that a label may hold unescaped', 'iot', 'GET', '/policies/a.b-c_d~e')
sign('the characters that a label must escape', 'iot', 'GET', '/policies/a%40b%2Cc%3Dd%2Be')
sign('an ARN as label', 'iot', 'POST', f'/attached-policies/{TARGET_ARN}?pageSize=2')
sign('jobs data plane', 'iot-jobs-data', 'GET', '/things/x/jobs/%24next')
sign('STS', 'sts', 'POST', '/', headers=FORM, body=b'Action=GetCallerIdentity&Version=2011-06-15')
sign('a presigned GET', 'iot', 'GET', '/things/x', expires=900, params={'a': 'b c'})
sign('a presigned GET with a session token', 'sts', 'GET', '/', token='tok/en+==', expires=60, params=IDENTITY)
sign('a presigned WebSocket upgrade', 'iotdevicegateway', 'GET', '/mqtt', expires=86400)
sign('a doubled slash', 'iot', 'GET', '/things//x')
sign('a trailing slash', 'iot', 'GET', '/certificate-providers/')

made = {'now': '2026-01-02T03:04:05Z', 'accessKeyId': ACCESS_KEY, 'secretAccessKey': SECRET, 'region': REGION, 'requests': vectors}
json.dump(made, sys.stdout, indent=1, ensure_ascii=False)

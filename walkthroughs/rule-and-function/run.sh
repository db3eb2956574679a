#!/bin/sh
# Runs what README.md shows, on a server of its own.
. "$(dirname "$0")/../serve.sh"

say 'Start'
thingkeep() { npm run -s --prefix "$THINGKEEP" thingkeep -- "$@"; }
eval "$(thingkeep env --data-dir "$DATA")"
cp "$DATA/root-ca.pem" ca.pem
cp "$THINGKEEP"/walkthroughs/rule-and-function/*.json "$THINGKEEP"/walkthroughs/rule-and-function/notify.py .

say 'The device'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key -out device.csr -subj /CN=boiler-7
CERTIFICATE=$(aws iot create-certificate-from-csr --certificate-signing-request file://device.csr --set-as-active \
  --certificate-pem-outfile device.crt --query certificateArn --output text)
aws iot create-thing --thing-name boiler-7
aws iot create-policy --policy-name boilers --policy-document file://device-policy.json
aws iot attach-policy --policy-name boilers --target "$CERTIFICATE"

say 'The function and what it may do'
aws iam create-role --role-name notify --assume-role-policy-document file://role-trust.json --query Role.Arn --output text
aws iam put-role-policy --role-name notify --policy-name update-boilers --policy-document file://role-policy.json
python3 -m zipfile -c notify.zip notify.py
FUNCTION=$(aws lambda create-function --function-name notify --runtime python3.11 --handler notify.handler --timeout 20 \
  --role arn:aws:iam::000000000000:role/notify --zip-file fileb://notify.zip --query FunctionArn --output text)
aws lambda add-permission --function-name notify --statement-id rules --action lambda:InvokeFunction \
  --principal iot.amazonaws.com --source-arn 'arn:aws:iot:us-east-1:000000000000:rule/too_hot' --output text

say 'The rule'
aws iot create-topic-rule --rule-name too_hot --topic-rule-payload file://rule.json
aws iot get-topic-rule --rule-name too_hot --query 'rule.[sql,awsIotSqlVersion,ruleDisabled]' --output text

say 'Hot and cold'
device() { command=$1; shift; "$command" -h localhost -p "$MQTT_PORT" --cafile ca.pem --cert device.crt --key device.key "$@"; }
device mosquitto_sub -i boiler-7-watch -t 'alarms/+' -v -C 1 -W 20 -d > heard.txt &
await 'received SUBACK' heard.txt
device mosquitto_pub -i boiler-7 -t boilers/boiler-7 -q 1 -m '{"temperature":65,"pressure":1.4}'
device mosquitto_pub -i boiler-7 -t boilers/boiler-7 -q 1 -m '{"temperature":95,"pressure":2.9}'
await 'alarms/boiler-7 {"temperature":95,"device":"boiler-7"' heard.txt

say 'What the function did'
logs() { aws logs filter-log-events --log-group-name /aws/lambda/notify --query 'events[].message' --output text; }
until logs 2>/dev/null | grep -q 'boiler-7 is too hot: 95'; do sleep 0.2; done
aws iot describe-thing --thing-name boiler-7 --query attributes.lastAlarm --output text
aws lambda invoke --function-name notify --payload '{"device":"oven-1","temperature":300}' answer.json \
  --query FunctionError --output text
grep -o 'AccessDeniedException' answer.json

say 'A user for the dashboard, who may look and nothing else'
aws iam create-user --user-name dashboard --query User.Arn --output text
aws iam attach-user-policy --user-name dashboard --policy-arn arn:aws:iam::aws:policy/AWSIoTConfigReadOnlyAccess
aws iam create-access-key --user-name dashboard --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text > key.txt
as_dashboard() {
  read -r id secret < key.txt
  AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_SHARED_CREDENTIALS_FILE=/dev/null "$@"
}
as_dashboard aws iot list-topic-rules --query 'rules[].ruleName' --output text
must_fail as_dashboard aws iot delete-topic-rule --rule-name too_hot
thingkeep refusals --data-dir "$DATA" --check policy

say 'The rule has told the alarm, the function has kept it, and nobody did more than they may.'

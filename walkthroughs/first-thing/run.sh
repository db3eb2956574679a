#!/bin/sh
# Runs what README.md shows, on a server of its own.
. "$(dirname "$0")/../serve.sh"

say 'Start'
thingkeep() { npm run -s --prefix "$THINGKEEP" thingkeep -- "$@"; }
eval "$(thingkeep env --data-dir "$DATA")"
cp "$DATA/root-ca.pem" ca.pem

say 'The certificate of the device'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key -out device.csr \
  -subj '/C=us/ST=Pennsylvania/L=Fort Washington/O=Chariot Solutions/CN=RIMPLEDEVICE'
CERTIFICATE=$(aws iot create-certificate-from-csr --certificate-signing-request file://device.csr --set-as-active \
  --certificate-pem-outfile device.crt --query certificateArn --output text)
aws iot describe-certificate --certificate-id "${CERTIFICATE##*/}" \
  --query 'certificateDescription.[status,certificateMode,validity.notBefore,validity.notAfter]' --output text
openssl x509 -in device.crt -noout -subject -issuer -dates

say 'The thing, its type, and the policy'
aws iot create-thing-type --thing-type-name environment-sensor \
  --thing-type-properties 'thingTypeDescription=Measures temperature and humidity,searchableAttributes=building'
aws iot create-thing --thing-name RIMPLEDEVICE --thing-type-name environment-sensor \
  --attribute-payload 'attributes={building=headquarters}'
aws iot create-policy --policy-name environment-sensors --policy-document "file://$THINGKEEP/walkthroughs/first-thing/policy.json"
aws iot attach-policy --policy-name environment-sensors --target "$CERTIFICATE"
aws iot attach-thing-principal --thing-name RIMPLEDEVICE --principal "$CERTIFICATE"
aws iot list-thing-principals --thing-name RIMPLEDEVICE --query principals --output text

say 'The device talks'
ENDPOINT=$(aws iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress --output text)
device() { command=$1; shift; "$command" -h "$ENDPOINT" -p "$MQTT_PORT" --cafile ca.pem --cert device.crt --key device.key "$@"; }
device mosquitto_pub -i RIMPLEDEVICE -t things/RIMPLEDEVICE/environment -q 1 -m '{"temperature":21.5,"humidity":40}'
device mosquitto_sub -i RIMPLEDEVICE -t 'things/RIMPLEDEVICE/#' -C 1 -W 20 -d > heard.txt &
await 'received SUBACK' heard.txt
aws iot-data publish --topic things/RIMPLEDEVICE/settings --qos 1 --payload '{"interval":60}'
await '"interval":60' heard.txt

say 'What it may not do'
must_fail device mosquitto_pub -i RIMPLEDEVICE -t things/OTHERDEVICE/environment -q 1 -m '{"temperature":99}'
must_fail device mosquitto_pub -i OTHERDEVICE -t things/OTHERDEVICE/environment -q 1 -m '{"temperature":99}'
must_fail device mosquitto_sub -i RIMPLEDEVICE -t 'things/#' -C 1 -W 2

thingkeep refusals --data-dir "$DATA" --certificate-id "${CERTIFICATE##*/}"
aws iot test-authorization --principal "$CERTIFICATE" --client-id RIMPLEDEVICE \
  --auth-infos 'actionType=PUBLISH,resources=arn:aws:iot:us-east-1:000000000000:topic/things/OTHERDEVICE/environment' \
  --query 'authResults[0].authDecision' --output text

say 'The device has connected, talked on its own topics, and on no others.'

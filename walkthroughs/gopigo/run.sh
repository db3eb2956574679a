#!/bin/sh
# Runs what README.md shows, on a server of its own. WITHOUT_TERRAFORM=1 takes the aws command where there is a choice.
. "$(dirname "$0")/../serve.sh"

# The provider may lie on this machine; then nothing is fetched for it.
provider=$(find /opt /usr/share/terraform /usr/local/share "$HOME/.terraform.d" -name 'terraform-provider-aws_v5*' -print -quit 2>/dev/null || true)
if [ -n "${WITHOUT_TERRAFORM:-}" ]; then
  terraform_here=
elif ! command -v terraform >/dev/null; then
  terraform_here=
  echo 'terraform is not on this machine: the aws command is taken instead.'
elif [ -z "$provider" ]; then
  terraform_here=
  echo "Terraform's AWS provider 5 is not on this machine: the aws command is taken instead."
else
  terraform_here=yes
  printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "${provider%/registry.terraform.io/*}" > "$WORK/terraformrc"
  export TF_CLI_CONFIG_FILE="$WORK/terraformrc" CHECKPOINT_DISABLE=1 TF_CLI_ARGS=-no-color
fi

say 'Start'
thingkeep() { npm run -s --prefix "$THINGKEEP" thingkeep -- "$@"; }
eval "$(thingkeep env --data-dir "$DATA")"
cp "$DATA/root-ca.pem" ca.pem

say 'A certificate for the key of the robot'
openssl req -new -newkey rsa:2048 -nodes -keyout iot.key -out iot.csr -subj /CN=gopigo3
aws iot create-certificate-from-csr --certificate-signing-request=file://iot.csr \
  --certificate-pem-outfile iot.crt --query certificateId --output text > certificate.id
aws iot describe-certificate --certificate-id "$(cat certificate.id)" --query certificateDescription.status --output text

ENDPOINT=$(aws iot describe-endpoint --region us-east-1 --query endpointAddress --output text)
openssl s_client -connect "$ENDPOINT:$HTTPS_PORT" -CAfile ca.pem -cert iot.crt -key iot.key < /dev/null > s_client.txt
grep -E 'Verify return code: 0|No client certificate CA names sent' s_client.txt

robot() { command=$1; shift; "$command" -h "$ENDPOINT" -p "$MQTT_PORT" --cafile ca.pem --cert iot.crt --key iot.key -V mqttv311 "$@"; }
must_fail robot mosquitto_pub -i gopigo -t /gopigo/report -q 1 -m early
thingkeep refusals --data-dir "$DATA" --check certificate-not-active

aws iot delete-certificate --certificate-id "$(cat certificate.id)"

if [ -n "$terraform_here" ]; then
  say 'Set up with Terraform'
  cp "$THINGKEEP/walkthroughs/gopigo/iot.tf" .
  terraform init -input=false
  terraform apply -input=false -auto-approve
  terraform plan -input=false -detailed-exitcode
  terraform output -raw certificate_pem > iot.crt
else
  say 'Set up with the aws command'
  CERTIFICATE=$(aws iot create-certificate-from-csr --certificate-signing-request=file://iot.csr --set-as-active \
    --certificate-pem-outfile iot.crt --query certificateArn --output text)
  aws iot create-policy --policy-name gopigo3 --policy-document "file://$THINGKEEP/walkthroughs/gopigo/policy.json"
  aws iot create-thing --thing-name gopigo3 --attribute-payload 'attributes={Description=robot}'
  aws iot attach-policy --policy-name gopigo3 --target "$CERTIFICATE"
  aws iot attach-thing-principal --thing-name gopigo3 --principal "$CERTIFICATE"
fi

say 'Reports and commands'
robot mosquitto_sub -i GoPiGo3 -t /gopigo/command -q 1 -C 1 -W 20 -d > command.txt &
robot mosquitto_sub -i operator -t /gopigo/report -C 1 -W 20 -d > report.txt &
await 'received SUBACK' command.txt report.txt
robot mosquitto_pub -i gopigo -t /gopigo/report -m '2026-01-01:12:00:00|0.436|TCP|112.10.20.10/0'
robot mosquitto_pub -i gopigo -t /gopigo/command -m f
await '^f$' command.txt
await '0.436' report.txt

must_fail robot mosquitto_pub -i gopigo -t /somebody/else -q 1 -m x
thingkeep refusals --data-dir "$DATA" --client-id gopigo --check policy

say 'Take it down'
if [ -n "$terraform_here" ]; then
  terraform destroy -input=false -auto-approve
else
  aws iot detach-thing-principal --thing-name gopigo3 --principal "$CERTIFICATE"
  aws iot detach-policy --policy-name gopigo3 --target "$CERTIFICATE"
  aws iot update-certificate --certificate-id "${CERTIFICATE##*/}" --new-status INACTIVE
  aws iot delete-certificate --certificate-id "${CERTIFICATE##*/}"
  aws iot delete-thing --thing-name gopigo3
  aws iot delete-policy --policy-name gopigo3
fi
must_fail robot mosquitto_pub -i gopigo -t /gopigo/report -q 1 -m late
thingkeep refusals --data-dir "$DATA" --check certificate-unknown

say 'The robot has connected, reported, taken a command, and is gone.'

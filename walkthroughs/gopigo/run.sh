#!/bin/sh
# Pastes README.md into a shell, line by line, beside a server of its own. It takes Terraform where there is a choice;
# WITHOUT_TERRAFORM=1 takes the aws command.
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
  terraform_here=terraform
  printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "${provider%/registry.terraform.io/*}" > "$WORK/terraformrc"
  export TF_CLI_CONFIG_FILE="$WORK/terraformrc" CHECKPOINT_DISABLE=1 TF_CLI_ARGS=-no-color
fi

. "$THINGKEEP/walkthroughs/paste.sh"
paste_readme "${terraform_here:-aws}"

# The robot's side of the cloud: a certificate from its signing request, what it may do, and its entry in the registry.
terraform {
  required_version = ">= 1.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 6.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

data "aws_region" "here" {}

data "aws_availability_zones" "here" {}

data "aws_caller_identity" "me" {}

data "aws_iot_endpoint" "devices" {}

locals {
  arn = "arn:aws:iot:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}"
}

resource "aws_iot_certificate" "robot" {
  csr    = file("${path.module}/iot.csr")
  active = true
}

data "aws_iam_policy_document" "robot" {
  statement {
    sid       = "RobotConnects"
    effect    = "Allow"
    actions   = ["iot:Connect"]
    resources = ["${local.arn}:client/gopigo", "${local.arn}:client/GoPiGo3", "${local.arn}:client/operator"]
  }
  statement {
    sid       = "RobotTalks"
    effect    = "Allow"
    actions   = ["iot:Publish", "iot:Receive"]
    resources = ["${local.arn}:topic//gopigo/*"]
  }
  statement {
    sid       = "RobotListens"
    effect    = "Allow"
    actions   = ["iot:Subscribe"]
    resources = ["${local.arn}:topicfilter//gopigo/*"]
  }
}

resource "aws_iot_policy" "robot" {
  name   = "gopigo3"
  policy = data.aws_iam_policy_document.robot.json
}

resource "aws_iot_policy_attachment" "robot" {
  policy = aws_iot_policy.robot.name
  target = aws_iot_certificate.robot.arn
}

resource "aws_iot_thing" "robot" {
  name = "gopigo3"
  attributes = {
    Description = "robot"
  }
}

resource "aws_iot_thing_principal_attachment" "robot" {
  thing     = aws_iot_thing.robot.name
  principal = aws_iot_certificate.robot.arn
}

output "certificate_arn" {
  value = aws_iot_certificate.robot.arn
}

output "certificate_pem" {
  value     = aws_iot_certificate.robot.certificate_pem
  sensitive = true
}

output "thing" {
  value = aws_iot_thing.robot.arn
}

output "endpoint" {
  value = data.aws_iot_endpoint.devices.endpoint_address
}

output "zones" {
  value = data.aws_availability_zones.here.names
}

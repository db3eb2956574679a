# A provisioning template with its role and the policy that it names.
terraform {
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

variable "status" {
  default = "Active"
}

resource "aws_iam_role" "provisioning" {
  name = "provisioning"
  path = "/service-role/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "iot.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "provisioning" {
  role       = aws_iam_role.provisioning.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSIoTThingsRegistration"
}

resource "aws_iot_policy" "device" {
  name = "device"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["iot:Connect"], Resource = ["*"] }]
  })
}

resource "aws_iot_provisioning_template" "fleet" {
  name                  = "fleet"
  description           = "lamps"
  provisioning_role_arn = aws_iam_role.provisioning.arn
  enabled               = true

  template_body = jsonencode({
    Parameters = { SerialNumber = { Type = "String" } }
    Resources = {
      certificate = {
        Type       = "AWS::IoT::Certificate"
        Properties = { CertificateId = { Ref = "AWS::IoT::Certificate::Id" }, Status = var.status }
      }
      policy = { Type = "AWS::IoT::Policy", Properties = { PolicyName = aws_iot_policy.device.name } }
    }
  })

  pre_provisioning_hook {
    target_arn = "arn:aws:lambda:us-east-1:000000000000:function:hook"
  }

  tags = { team = "light" }
}

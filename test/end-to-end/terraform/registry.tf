# The registry: a thing type, nested thing groups, a billing group, a thing in both, and events.
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

variable "description" {
  default = "lamps of all kinds"
}

resource "aws_iot_thing_type" "lamp" {
  name = "lamp"
  properties {
    description           = "gives light"
    searchable_attributes = ["room"]
  }
  tags = { team = "light" }
}

resource "aws_iot_thing_group" "root" {
  name = "lamps"
  properties {
    description = var.description
    attribute_payload {
      attributes = { floor = "1" }
    }
  }
  tags = { team = "light" }
}

resource "aws_iot_thing_group" "middle" {
  name              = "lamps-hall"
  parent_group_name = aws_iot_thing_group.root.name
}

resource "aws_iot_thing_group" "leaf" {
  name              = "lamps-hall-ceiling"
  parent_group_name = aws_iot_thing_group.middle.name
}

resource "aws_iot_billing_group" "b" {
  name = "light"
  properties {
    description = var.description
  }
  tags = { team = "light" }
}

resource "aws_iot_thing" "lamp" {
  name            = "lamp-1"
  thing_type_name = aws_iot_thing_type.lamp.name
  attributes      = { room = "hall" }
}

resource "aws_iot_thing_group_membership" "lamp" {
  thing_name       = aws_iot_thing.lamp.name
  thing_group_name = aws_iot_thing_group.leaf.name
}

resource "aws_iot_event_configurations" "events" {
  event_configurations = {
    THING                  = true
    THING_GROUP            = true
    THING_TYPE             = false
    THING_GROUP_MEMBERSHIP = true
    THING_GROUP_HIERARCHY  = false
    THING_TYPE_ASSOCIATION = false
    JOB                    = false
    JOB_EXECUTION          = false
    POLICY                 = false
    CERTIFICATE            = true
    CA_CERTIFICATE         = false
  }
}

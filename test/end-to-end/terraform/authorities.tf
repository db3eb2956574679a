# CA certificates with and without a verification certificate, and what is indexed of things.
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

variable "ca" {}
variable "verification" {}
variable "sni_only_ca" {}

variable "mode" {
  default = "REGISTRY"
}

resource "aws_iot_ca_certificate" "verified" {
  active                       = true
  allow_auto_registration      = true
  ca_certificate_pem           = var.ca
  verification_certificate_pem = var.verification
  certificate_mode             = "DEFAULT"
  tags                         = { team = "light" }
}

resource "aws_iot_ca_certificate" "sni_only" {
  active                  = var.mode == "REGISTRY"
  allow_auto_registration = false
  ca_certificate_pem      = var.sni_only_ca
  certificate_mode        = "SNI_ONLY"
}

resource "aws_iot_indexing_configuration" "things" {
  thing_indexing_configuration {
    thing_indexing_mode              = var.mode
    thing_connectivity_indexing_mode = "STATUS"
    custom_field {
      name = "attributes.floor"
      type = "Number"
    }
  }
  thing_group_indexing_configuration {
    thing_group_indexing_mode = "ON"
  }
}

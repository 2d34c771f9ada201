terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.36" # aws_iam_outbound_web_identity_federation, and the data source of it
    }
  }
}

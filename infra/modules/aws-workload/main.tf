# Thin: what is decided is decided in ./documents, which needs no provider.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

module "documents" {
  source = "./documents"

  proof_audience       = var.proof_audience
  signing_algorithms   = var.signing_algorithms
  max_duration_seconds = var.max_duration_seconds
  issuer               = var.issuer
  account_id           = data.aws_caller_identity.this.account_id
  partition            = data.aws_partition.this.partition
  token_audience       = var.token_audience
  roles                = var.roles
}

resource "aws_iam_outbound_web_identity_federation" "this" {
  count = var.enable_outbound_federation ? 1 : 0
}

data "aws_iam_outbound_web_identity_federation" "this" {
  count = var.enable_outbound_federation || length(var.proving_roles) == 0 ? 0 : 1
}

resource "aws_iam_role_policy" "proof" {
  for_each = var.proving_roles

  name   = "prove-to-chancery"
  role   = each.value
  policy = module.documents.proof_policy
}

resource "aws_iam_openid_connect_provider" "broker" {
  count = var.issuer == null ? 0 : 1

  url            = module.documents.oidc_provider.url
  client_id_list = module.documents.oidc_provider.client_id_list
}

resource "aws_iam_role" "trusting" {
  for_each = module.documents.trust_policies

  name               = each.key
  assume_role_policy = each.value

  depends_on = [aws_iam_openid_connect_provider.broker]
}

locals {
  # IAM names condition keys after the issuer without its scheme.
  provider_name = var.issuer == null ? null : trimprefix(var.issuer, "https://")
  provider_arn  = var.issuer == null ? null : "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.provider_name}"

  proof_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ProveToChancery"
      Effect   = "Allow"
      Action   = "sts:GetWebIdentityToken"
      Resource = "*"
      Condition = {
        # ForAllValues also holds where there is no value: Null asks for one.
        Null                        = { "sts:IdentityTokenAudience" = "false" }
        "ForAllValues:StringEquals" = { "sts:IdentityTokenAudience" = var.proof_audience }
        StringEquals                = { "sts:SigningAlgorithm" = sort(var.signing_algorithms) }
        NumericLessThanEquals       = { "sts:DurationSeconds" = tostring(var.max_duration_seconds) }
      }
    }]
  }

  trust_policies = {
    for role, subjects in var.roles : role => {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "TrustChancery"
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = local.provider_arn }
        Condition = {
          StringEquals = {
            "${local.provider_name}:aud" = var.token_audience
            "${local.provider_name}:sub" = sort(subjects)
          }
        }
      }]
    }
  }
}

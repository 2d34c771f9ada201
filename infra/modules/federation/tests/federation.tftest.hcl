# Runs with: terraform test. What is refused, and in what words, is in test/terraform/cases.

variables {
  trust_domain    = "corp.example"
  proof_audiences = ["https://broker.corp.example"]
  trusted_issuers = {
    prod-eks = { provider = "kubernetes", issuers = ["https://oidc.eks.eu-west-1.amazonaws.com/id/2F331C82755EF3E4"] }
    aws-prod = { provider = "aws", accounts = { "123456789012" = { web_identity_issuer = null } }, regions = null }
  }
  audiences  = { ledger = { scopes = ["entries:read", "entries:write"], max_lifetime_seconds = 600 } }
  identities = { "payments/api" = { grants = { ledger = ["entries:read"] }, claims = { team = "<payments> & co" } } }
  bindings = {
    api-eks = {
      trusted_issuer = "prod-eks"
      match          = { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
      identity       = "payments/api"
    }
    api-aws = {
      trusted_issuer = "aws-prod"
      match          = { "aws.account_id" = "123456789012", "aws.role_name" = ["payments-api", "payments-web"] }
      identity       = "payments/api"
      suspended      = null
    }
  }
}

run "the_document_is_what_was_said" {
  command = plan
  assert {
    condition     = jsondecode(output.document).bindings.api-aws.match["aws.role_name"] == ["payments-api", "payments-web"]
    error_message = "a binding is lost"
  }
  assert {
    condition     = jsondecode(output.document).version == 1 && !can(jsondecode(output.document).delegations)
    error_message = "the document is not of version 1, or holds what nobody said"
  }
  assert {
    condition     = jsondecode(output.document).identities["payments/api"].claims.team == "<payments> & co"
    error_message = "a claim is not what it was"
  }
}

run "null_leaves_a_member_out_at_any_depth" {
  command = plan
  assert {
    condition     = !strcontains(output.document, "null")
    error_message = "a null is left in the document"
  }
}

run "what_a_typed_variable_brings_along_as_null_is_left_out" {
  command = plan
  variables {
    trusted_issuers = {
      prod-eks = { provider = "kubernetes", issuers = ["https://oidc.corp.example"], accounts = null, keys = { from = "discovery", url = null } }
      aws-prod = {
        provider = "aws"
        issuers  = null
        accounts = { "123456789012" = {
          web_identity_issuer = "https://aaaabbbb-0000-cccc-1111-dddd2222eeee.tokens.sts.global.api.aws"
          keys                = { from = "url", url = "https://keys.corp.example/aws", jwks = null }
        } }
      }
    }
  }
  assert {
    condition     = !strcontains(output.document, "null") && keys(jsondecode(output.document).trusted_issuers.prod-eks.keys) == ["from"]
    error_message = "a null is left in the document"
  }
}

run "null_excuses_no_misspelt_key" {
  command = plan
  variables {
    trusted_issuers = { prod-eks = { provider = "kubernetes", issuers = ["https://oidc.corp.example"], suspendd = null } }
    bindings        = {}
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "a_set_is_as_good_as_a_list" {
  command = plan
  variables {
    trusted_issuers = { prod-eks = { provider = "kubernetes", issuers = toset(["https://oidc.corp.example"]) } }
    audiences       = { ledger = { scopes = toset(["entries:read"]) } }
    identities      = { "payments/api" = { grants = { ledger = toset(["entries:read"]) } } }
    bindings = {
      api-eks = {
        trusted_issuer = "prod-eks"
        match          = { "kubernetes.namespace" = toset(["payments", "orders"]), "kubernetes.service_account" = "api" }
        identity       = "payments/api"
      }
    }
  }
  assert {
    condition     = jsondecode(output.document).bindings.api-eks.match["kubernetes.namespace"] == ["orders", "payments"]
    error_message = "a set is not what it was"
  }
}

run "null_widens_no_match" {
  command = plan
  variables {
    bindings = {
      api-eks = {
        trusted_issuer = "prod-eks"
        match          = { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api", "kubernetes.pod_name" = null }
        identity       = "payments/api"
      }
    }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "the_digest_is_that_of_the_text" {
  command = plan
  assert {
    condition     = output.digest == "sha256:${sha256(output.document)}"
    error_message = "the digest is another's"
  }
}

run "identities_say_what_they_may_have" {
  command = plan
  assert {
    condition     = output.identities["payments/api"].spiffe_id == "spiffe://corp.example/payments/api"
    error_message = "the SPIFFE ID is another's"
  }
  assert {
    condition     = output.identities["payments/api"].grants.ledger.lifetime_seconds == 600
    error_message = "the lifetime is not the shorter of the two"
  }
  assert {
    condition     = output.identities["payments/api"].bindings == ["api-aws", "api-eks"]
    error_message = "a binding is missing"
  }
}

run "what_may_stand_is_warned_of" {
  command = plan
  variables {
    audiences = { ledger = { scopes = ["entries:read"], max_lifetime_seconds = 60 } }
  }
  expect_failures = [check.advice]
}

run "more_bindings_than_a_plan_proves_are_refused" {
  command = plan
  variables {
    bindings = { for i in concat(range(1000), range(1000, 2001)) : "b${i}" => {
      trusted_issuer = "prod-eks"
      match          = { "kubernetes.namespace" = "n${i}", "kubernetes.service_account" = "a" }
      identity       = "payments/api"
    } }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "more_bindings_pass_where_check_proves_them" {
  command = plan
  variables {
    overlap_proved_by = "check"
    bindings = { for i in concat(range(1000), range(1000, 2001)) : "b${i}" => {
      trusted_issuer = "prod-eks"
      match          = { "kubernetes.namespace" = "n${i}", "kubernetes.service_account" = "a" }
      identity       = "payments/api"
    } }
  }
}

run "nobody_else_proves_anything" {
  command = plan
  variables {
    overlap_proved_by = "hope"
  }
  expect_failures = [var.overlap_proved_by]
}

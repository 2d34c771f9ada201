# Runs with: terraform test

variables {
  delegation = "payments"
  delegated = {
    name            = "payments"
    identity_prefix = "payments/"
    claims          = ["team"]
    grants          = { ledger = ["entries:read"] }
    audiences       = { ledger = { scopes = ["entries:read", "entries:write"] } }
    trusted_issuers = { prod-eks = { provider = "kubernetes", match = { "kubernetes.namespace" = ["payments"] } } }
  }
  identities = { "payments/api" = { grants = { ledger = ["entries:read"] }, claims = { team = "payments" } } }
  bindings = {
    api = {
      trusted_issuer = "prod-eks"
      match          = { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
      identity       = "payments/api"
    }
  }
}

run "a_team_writes_what_it_was_given" {
  command = plan
  assert {
    condition     = jsondecode(output.document).delegation == "payments" && output.digest == "sha256:${sha256(output.document)}"
    error_message = "the document is not the team's"
  }
}

run "without_the_delegation_the_document_is_proved_alone" {
  command = plan
  variables {
    delegated = null
  }
}

run "no_name_beyond_the_prefix" {
  command = plan
  variables {
    identities = { "payments/api" = {}, "shop/api" = {} }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "no_scope_beyond_the_grants" {
  command = plan
  variables {
    identities = { "payments/api" = { grants = { ledger = ["entries:write"] } } }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "no_claim_beyond_the_list" {
  command = plan
  variables {
    identities = { "payments/api" = { claims = { tier = "gold" } } }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "no_proof_beyond_the_match" {
  command = plan
  variables {
    bindings = {
      api = {
        trusted_issuer = "prod-eks"
        match          = { "kubernetes.namespace" = ["payments", "shop"], "kubernetes.service_account" = "api" }
        identity       = "payments/api"
      }
    }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "no_trusted_issuer_beyond_the_list" {
  command = plan
  variables {
    bindings = {
      api = { trusted_issuer = "google", match = { "gcp.subject" = "107517467455664443765" }, identity = "payments/api" }
    }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "a_misspelt_key_is_refused" {
  command = plan
  variables {
    identities = { "payments/api" = { grant = {} } }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "a_binding_that_strangers_meet_is_refused_without_the_delegation_too" {
  command = plan
  variables {
    delegated = null
    bindings  = { api = { trusted_issuer = "prod-eks", match = { "kubernetes.namespace" = "payments" }, identity = "payments/api" } }
  }
  expect_failures = [output.document, output.document_gzip_base64]
}

run "all_delegations_together_are_no_delegation" {
  command = plan
  variables {
    delegated = { payments = { name = "payments" } }
  }
  expect_failures = [var.delegated]
}

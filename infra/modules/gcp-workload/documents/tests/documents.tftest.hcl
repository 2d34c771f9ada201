variables {
  proof_audience = "https://broker.corp.example"
  project_number = "123456789012"
}

run "trusts_nobody_unless_it_is_told_to" {
  command = plan

  assert {
    condition     = output.pool_provider == null && length(output.members) == 0
    error_message = "Without an issuer nothing trusts it."
  }
  assert {
    condition     = endswith(output.token_url, "/identity?format=full&audience=https://broker.corp.example")
    error_message = "Another token would be asked for: ${output.token_url}"
  }
}

run "trusts_exactly_the_named_subjects" {
  command = plan

  variables {
    issuer   = "https://broker.corp.example"
    subjects = ["spiffe://corp.example/payments/api", "spiffe://corp.example/batch"]
  }

  assert {
    condition = jsonencode(output.pool_provider) == jsonencode({
      issuer_uri          = "https://broker.corp.example"
      allowed_audiences   = ["//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/chancery/providers/chancery"]
      attribute_mapping   = { "google.subject" = "assertion.sub" }
      attribute_condition = "assertion.sub in ['spiffe://corp.example/batch', 'spiffe://corp.example/payments/api']"
    })
    error_message = "Another provider came out: ${jsonencode(output.pool_provider)}"
  }
  assert {
    condition     = output.members["spiffe://corp.example/batch"] == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/chancery/subject/spiffe://corp.example/batch"
    error_message = "The member is another one."
  }
  assert {
    condition     = keys(output.audience) == ["//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/chancery/providers/chancery"]
    error_message = "The federation document would have another audience."
  }
}

run "refuses_an_audience_that_googles_libraries_break" {
  command = plan
  variables {
    proof_audience = "https://broker.corp.example/?a=1&b=2"
  }
  expect_failures = [var.proof_audience]
}

run "refuses_a_project_by_its_id" {
  command = plan
  variables {
    project_number = "corp-platform"
  }
  expect_failures = [var.project_number]
}

run "refuses_an_issuer_with_a_query" {
  command = plan
  variables {
    issuer   = "https://broker.corp.example?tenant=1"
    subjects = ["spiffe://corp.example/batch"]
  }
  expect_failures = [var.issuer]
}

run "refuses_a_pool_that_google_keeps_for_itself" {
  command = plan
  variables {
    pool_id = "gcp-chancery"
  }
  expect_failures = [var.pool_id]
}

run "refuses_a_provider_with_too_short_a_name" {
  command = plan
  variables {
    provider_id = "eu"
  }
  expect_failures = [var.provider_id]
}

run "refuses_a_provider_that_google_keeps_for_itself" {
  command = plan

  variables { provider_id = "gcp-chancery" }

  expect_failures = [var.provider_id]
}

run "refuses_a_pool_for_everybody" {
  command = plan
  variables {
    issuer = "https://broker.corp.example"
  }
  expect_failures = [var.subjects]
}

run "refuses_a_subject_that_could_end_the_condition" {
  command = plan
  variables {
    issuer   = "https://broker.corp.example"
    subjects = ["spiffe://corp.example/a'] || true || assertion.sub in ['b"]
  }
  expect_failures = [var.subjects]
}

run "refuses_a_subject_that_is_longer_than_google_takes" {
  command = plan
  variables {
    issuer   = "https://broker.corp.example"
    subjects = ["spiffe://corp.example/${join("/", [for index in range(12) : "a-long-name"])}"]
  }
  expect_failures = [var.subjects]
}

run "refuses_a_condition_that_is_longer_than_google_takes" {
  command = plan
  variables {
    issuer   = "https://broker.corp.example"
    subjects = [for number in range(100) : "spiffe://corp.example/payments/service-number-${number}"]
  }
  expect_failures = [output.pool_provider]
}

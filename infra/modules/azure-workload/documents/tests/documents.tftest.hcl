variables {
  tenant_id = "AAAABBBB-0000-CCCC-1111-DDDD2222EEEE"
  client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
}

run "trusts_tokens_of_version_2_for_the_broker_alone" {
  command = plan

  assert {
    condition = jsonencode(output.trusted_issuer) == jsonencode({
      provider        = "azure"
      tenant_id       = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
      proof_audiences = ["00001111-aaaa-2222-bbbb-3333cccc4444"]
    })
    error_message = "Another trusted issuer came out: ${jsonencode(output.trusted_issuer)}"
  }
  assert {
    condition     = output.application.requested_access_token_version == 2 && output.application.sign_in_audience == "AzureADMyOrg"
    error_message = "The application takes other tokens."
  }
  assert {
    condition     = output.audience == { "api://AzureADTokenExchange" = { signing_alg = "RS256", token_type = "JWT" } }
    error_message = "Entra would not take these tokens."
  }
}

run "names_a_sovereign_cloud" {
  command = plan
  variables {
    cloud = "usgov"
  }
  assert {
    condition     = output.trusted_issuer.cloud == "usgov"
    error_message = "The cloud is missing."
  }
}

run "gives_each_subject_a_credential_of_its_own" {
  command = plan
  variables {
    issuer = "https://broker.corp.example"
    applications = {
      "/applications/1111" = { payments-api = "spiffe://corp.example/payments/api", batch = "spiffe://corp.example/batch" }
      "/applications/2222" = { batch = "spiffe://corp.example/batch" }
    }
  }
  assert {
    condition     = length(output.federated_credentials) == 3
    error_message = "There should be three."
  }
  assert {
    condition = jsonencode(output.federated_credentials["/applications/1111 batch"]) == jsonencode({
      application_id = "/applications/1111"
      display_name   = "batch"
      issuer         = "https://broker.corp.example"
      subject        = "spiffe://corp.example/batch"
      audiences      = ["api://AzureADTokenExchange"]
    })
    error_message = "Another credential came out."
  }
}

run "refuses_a_tenant_by_its_name" {
  command = plan
  variables {
    tenant_id = "corp.onmicrosoft.com"
  }
  expect_failures = [var.tenant_id]
}

run "refuses_an_application_by_its_name" {
  command = plan
  variables {
    client_id = "chancery"
  }
  expect_failures = [var.client_id]
}

run "refuses_an_id_uri_with_a_final_slash" {
  command = plan
  variables {
    identifier_uri = "api://chancery/"
  }
  expect_failures = [var.identifier_uri]
}

run "refuses_an_id_uri_of_microsoft" {
  command = plan
  variables {
    identifier_uri = "https://management.azure.com"
  }
  expect_failures = [var.identifier_uri]
}

run "refuses_the_audience_of_federated_credentials_as_an_id_uri" {
  command = plan
  variables {
    identifier_uri = "api://AzureADTokenExchange"
  }
  expect_failures = [var.identifier_uri]
}

run "refuses_a_cloud_that_is_not_supported" {
  command = plan
  variables {
    cloud = "germany"
  }
  expect_failures = [var.cloud]
}

run "refuses_an_issuer_with_a_final_slash" {
  command = plan
  variables {
    issuer = "https://broker.corp.example/"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_issuer_that_is_longer_than_entra_takes" {
  command = plan
  variables {
    issuer = "https://broker.corp.example/${join("", [for index in range(600) : "a"])}"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_audience_that_is_longer_than_entra_takes" {
  command = plan
  variables {
    token_audience = join("", [for index in range(601) : "a"])
  }
  expect_failures = [var.token_audience]
}

run "refuses_more_credentials_than_an_application_may_have" {
  command = plan
  variables {
    issuer       = "https://broker.corp.example"
    applications = { "/applications/1111" = { for number in range(21) : "service-${number}" => "spiffe://corp.example/service-${number}" } }
  }
  expect_failures = [var.applications]
}

run "refuses_a_subject_that_an_application_has_twice" {
  command = plan
  variables {
    issuer       = "https://broker.corp.example"
    applications = { "/applications/1111" = { one = "spiffe://corp.example/batch", two = "spiffe://corp.example/batch" } }
  }
  expect_failures = [var.applications]
}

run "refuses_a_name_that_entra_does_not_take" {
  command = plan
  variables {
    issuer       = "https://broker.corp.example"
    applications = { "/applications/1111" = { "payments/api" = "spiffe://corp.example/payments/api" } }
  }
  expect_failures = [var.applications]
}

run "refuses_a_pattern_of_subjects" {
  command = plan
  variables {
    issuer       = "https://broker.corp.example"
    applications = { "/applications/1111" = { payments = "spiffe://corp.example/payments/*" } }
  }
  expect_failures = [var.applications]
}

run "refuses_a_subject_that_is_longer_than_entra_takes" {
  command = plan
  variables {
    issuer       = "https://broker.corp.example"
    applications = { "/applications/1" = { api = "spiffe://corp.example${join("", [for index in range(300) : "/a"])}" } }
  }
  expect_failures = [var.applications]
}

run "refuses_applications_that_trust_nobody_in_particular" {
  command = plan
  variables {
    applications = { "/applications/1111" = { batch = "spiffe://corp.example/batch" } }
  }
  expect_failures = [var.applications]
}

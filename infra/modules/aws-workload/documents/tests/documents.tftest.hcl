variables {
  proof_audience = "https://broker.corp.example"
}

run "lets_a_role_prove_itself_to_the_broker_alone" {
  command = plan

  assert {
    condition = jsondecode(output.proof_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid      = "ProveToChancery"
        Effect   = "Allow"
        Action   = "sts:GetWebIdentityToken"
        Resource = "*"
        Condition = {
          Null                        = { "sts:IdentityTokenAudience" = "false" }
          "ForAllValues:StringEquals" = { "sts:IdentityTokenAudience" = "https://broker.corp.example" }
          StringEquals                = { "sts:SigningAlgorithm" = ["RS256"] }
          NumericLessThanEquals       = { "sts:DurationSeconds" = "300" }
        }
      }]
    }
    error_message = "Another policy came out: ${output.proof_policy}"
  }
  assert {
    condition     = output.oidc_provider == null && length(output.trust_policies) == 0
    error_message = "Without an issuer nothing trusts it."
  }
}

run "trusts_exactly_the_named_subjects" {
  command = plan

  variables {
    issuer     = "https://broker.corp.example/eu"
    account_id = "123456789012"
    roles      = { ledger-reader = ["spiffe://corp.example/payments/api", "spiffe://corp.example/batch"] }
  }

  assert {
    condition = jsondecode(output.trust_policies["ledger-reader"]) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "TrustChancery"
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/broker.corp.example/eu" }
        Condition = {
          StringEquals = {
            "broker.corp.example/eu:aud" = "sts.amazonaws.com"
            "broker.corp.example/eu:sub" = ["spiffe://corp.example/batch", "spiffe://corp.example/payments/api"]
          }
        }
      }]
    }
    error_message = "Another policy came out: ${output.trust_policies["ledger-reader"]}"
  }
  assert {
    condition     = jsonencode(output.oidc_provider.client_id_list) == jsonencode(["sts.amazonaws.com"])
    error_message = "The provider takes another audience."
  }
  assert {
    condition     = output.audience == { "sts.amazonaws.com" = { token_type = "JWT" } }
    error_message = "The federation document would have another audience."
  }
}

run "refuses_an_audience_of_somebody_else" {
  command = plan
  variables { proof_audience = "sts.amazonaws.com" }
  expect_failures = [var.proof_audience]
}

run "refuses_an_audience_that_iam_reads_as_a_pattern" {
  command = plan
  variables { proof_audience = "https://*.corp.example" }
  expect_failures = [var.proof_audience]
}

run "refuses_an_audience_that_sts_does_not_take" {
  command = plan
  variables { proof_audience = join("", [for index in range(1001) : "a"]) }
  expect_failures = [var.proof_audience]
}

run "refuses_an_algorithm_that_sts_has_not" {
  command = plan
  variables { signing_algorithms = ["ES256"] }
  expect_failures = [var.signing_algorithms]
}

run "refuses_a_life_that_sts_does_not_give" {
  command = plan
  variables { max_duration_seconds = 3601 }
  expect_failures = [var.max_duration_seconds]
}

run "refuses_a_part_of_a_second" {
  command = plan
  variables { max_duration_seconds = 60.5 }
  expect_failures = [var.max_duration_seconds]
}

run "refuses_an_issuer_with_a_port" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example:8443"
    account_id = "123456789012"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_issuer_with_a_final_slash" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example/"
    account_id = "123456789012"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_issuer_that_is_longer_than_iam_takes" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example/${join("", [for index in range(228) : "a"])}"
    account_id = "123456789012"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_issuer_without_an_account" {
  command = plan
  variables { issuer = "https://broker.corp.example" }
  expect_failures = [var.account_id]
}

run "refuses_a_partition_that_does_not_exist" {
  command = plan
  variables { partition = "aws-eu" }
  expect_failures = [var.partition]
}

run "refuses_a_token_audience_with_a_variable_of_iam" {
  command = plan
  variables { token_audience = "$${aws:username}" }
  expect_failures = [var.token_audience]
}

run "refuses_a_token_audience_that_is_longer_than_iam_takes" {
  command = plan
  variables { token_audience = join("", [for index in range(256) : "a"]) }
  expect_failures = [var.token_audience]
}

run "refuses_a_role_that_everybody_could_have" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example"
    account_id = "123456789012"
    roles      = { open = [] }
  }
  expect_failures = [var.roles]
}

run "refuses_a_pattern_of_subjects" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example"
    account_id = "123456789012"
    roles      = { wide = ["spiffe://corp.example/payments/*"] }
  }
  expect_failures = [var.roles]
}

run "refuses_roles_that_trust_nobody_in_particular" {
  command = plan
  variables { roles = { lost = ["spiffe://corp.example/payments/api"] } }
  expect_failures = [var.roles]
}

run "refuses_a_trust_policy_that_iam_does_not_take" {
  command = plan
  variables {
    issuer     = "https://broker.corp.example"
    account_id = "123456789012"
    roles      = { many = [for number in range(60) : "spiffe://corp.example/payments/service-number-${number}"] }
  }
  expect_failures = [output.trust_policies]
}

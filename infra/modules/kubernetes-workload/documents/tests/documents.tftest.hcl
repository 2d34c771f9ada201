variables {
  proof_audience = "https://broker.corp.example"
}

run "projects_a_token_for_the_broker_alone" {
  command = plan

  variables {
    service_accounts = ["payments/api"]
  }

  assert {
    condition = jsonencode(output.volume) == jsonencode({
      name      = "chancery"
      projected = { sources = [{ serviceAccountToken = { path = "token", audience = "https://broker.corp.example", expirationSeconds = 3600 } }] }
    })
    error_message = "Another volume came out: ${jsonencode(output.volume)}"
  }
  assert {
    condition     = output.volume_mount == { name = "chancery", mountPath = "/var/run/secrets/chancery", readOnly = true }
    error_message = "It is mounted elsewhere."
  }
  assert {
    condition     = output.matches["payments/api"] == { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
    error_message = "A binding would pin something else."
  }
  assert {
    condition     = output.service_accounts["payments/api"].automountServiceAccountToken == false
    error_message = "The pod would also hold a token for the API server."
  }
  assert {
    condition     = output.authentication_configuration == null
    error_message = "Without an issuer nothing trusts it."
  }
}

run "lets_the_api_server_trust_exactly_the_named_subjects" {
  command = plan

  variables {
    issuer         = "https://broker.corp.example"
    token_audience = "https://prod.kubernetes.corp.example"
    subjects       = ["spiffe://corp.example/payments/api", "spiffe://corp.example/batch"]
  }

  assert {
    condition = jsonencode(yamldecode(output.authentication_configuration)) == jsonencode({
      apiVersion = "apiserver.config.k8s.io/v1"
      kind       = "AuthenticationConfiguration"
      jwt = [{
        issuer = { url = "https://broker.corp.example", audiences = ["https://prod.kubernetes.corp.example"] }
        claimValidationRules = [{
          expression = "claims.sub in ['spiffe://corp.example/batch', 'spiffe://corp.example/payments/api']"
          message    = "not a workload that this cluster knows"
        }]
        claimMappings = { username = { claim = "sub", prefix = "chancery:" } }
      }]
    })
    error_message = "Another configuration came out: ${output.authentication_configuration}"
  }
  assert {
    condition     = output.users["spiffe://corp.example/batch"] == "chancery:spiffe://corp.example/batch"
    error_message = "RBAC would name another user."
  }
}

run "takes_the_older_version_of_the_configuration" {
  command = plan
  variables {
    issuer                     = "https://broker.corp.example"
    token_audience             = "https://prod.kubernetes.corp.example"
    subjects                   = ["spiffe://corp.example/batch"]
    authentication_api_version = "v1beta1"
  }
  assert {
    condition     = yamldecode(output.authentication_configuration).apiVersion == "apiserver.config.k8s.io/v1beta1"
    error_message = "It has another version."
  }
}

run "refuses_the_audience_of_the_api_server" {
  command = plan
  variables {
    proof_audience = "https://kubernetes.default.svc.cluster.local"
  }
  expect_failures = [var.proof_audience]
}

run "refuses_the_audience_of_another_party" {
  command = plan

  variables { proof_audience = "vault" }

  expect_failures = [var.proof_audience]
}

run "refuses_no_audience" {
  command = plan
  variables {
    proof_audience = ""
  }
  expect_failures = [var.proof_audience]
}

run "refuses_a_shorter_life_than_kubernetes_gives" {
  command = plan
  variables {
    expiration_seconds = 599
  }
  expect_failures = [var.expiration_seconds]
}

run "refuses_a_longer_life_than_the_broker_takes" {
  command = plan
  variables {
    expiration_seconds = 86401
  }
  expect_failures = [var.expiration_seconds]
}

run "refuses_a_part_of_a_second" {
  command = plan

  variables { expiration_seconds = 600.5 }

  expect_failures = [var.expiration_seconds]
}

run "refuses_to_hide_the_api_servers_token" {
  command = plan
  variables {
    mount_path = "/var/run/secrets/kubernetes.io/serviceaccount"
  }
  expect_failures = [var.mount_path]
}

run "refuses_an_account_without_a_namespace" {
  command = plan
  variables {
    service_accounts = ["api"]
  }
  expect_failures = [var.service_accounts]
}

run "refuses_the_account_of_every_pod" {
  command = plan
  variables {
    service_accounts = ["payments/default"]
  }
  expect_failures = [var.service_accounts]
}

run "refuses_an_issuer_without_tls" {
  command = plan
  variables {
    issuer         = "http://broker.corp.example"
    token_audience = "https://prod.kubernetes.corp.example"
    subjects       = ["spiffe://corp.example/batch"]
  }
  expect_failures = [var.issuer]
}

run "refuses_an_audience_that_would_be_every_clusters" {
  command = plan
  variables {
    issuer   = "https://broker.corp.example"
    subjects = ["spiffe://corp.example/batch"]
  }
  expect_failures = [var.token_audience]
}

run "refuses_a_cluster_for_every_workload" {
  command = plan
  variables {
    issuer         = "https://broker.corp.example"
    token_audience = "https://prod.kubernetes.corp.example"
  }
  expect_failures = [var.subjects]
}

run "refuses_a_subject_that_could_end_the_rule" {
  command = plan
  variables {
    issuer         = "https://broker.corp.example"
    token_audience = "https://prod.kubernetes.corp.example"
    subjects       = ["spiffe://corp.example/a'] || true || claims.sub in ['b"]
  }
  expect_failures = [var.subjects]
}

run "refuses_users_without_a_prefix" {
  command = plan
  variables {
    username_prefix = ""
  }
  expect_failures = [var.username_prefix]
}

run "refuses_users_of_the_system" {
  command = plan
  variables {
    username_prefix = "system:"
  }
  expect_failures = [var.username_prefix]
}

run "refuses_a_version_that_kubernetes_has_not" {
  command = plan
  variables {
    authentication_api_version = "v1alpha2"
  }
  expect_failures = [var.authentication_api_version]
}

# Runs with: terraform test

run "a_role_is_its_account_and_its_name" {
  command = plan
  variables {
    aws_role_arns = {
      plain = "arn:aws:iam::123456789012:role/payments-api"
      deep  = "arn:aws-us-gov:iam::210987654321:role/teams/payments/payments-api"
    }
  }
  assert {
    condition = output.aws == {
      plain = { "aws.account_id" = "123456789012", "aws.role_name" = "payments-api" }
      deep  = { "aws.account_id" = "210987654321", "aws.role_name" = "payments-api" }
    }
    error_message = "a role is not its account and its name"
  }
}

run "a_session_is_no_role" {
  command = plan
  variables {
    aws_role_arns = { it = "arn:aws:sts::123456789012:assumed-role/payments-api/i-0123456789abcdef0" }
  }
  expect_failures = [var.aws_role_arns]
}

run "a_user_is_no_role" {
  command = plan
  variables {
    aws_role_arns = { it = "arn:aws:iam::123456789012:user/ada" }
  }
  expect_failures = [var.aws_role_arns]
}

run "an_address_is_no_unique_id" {
  command = plan
  variables {
    gcp_unique_ids = { it = "payments-api@corp-prod.iam.gserviceaccount.com" }
  }
  expect_failures = [var.gcp_unique_ids]
}

run "null_is_no_role" {
  command = plan
  variables {
    aws_role_arns = { it = null }
  }
  expect_failures = [var.aws_role_arns]
}

run "a_name_is_no_principal_id" {
  command = plan
  variables {
    azure_principal_ids = { it = "payments-api" }
  }
  expect_failures = [var.azure_principal_ids]
}

run "a_name_alone_is_no_service_account" {
  command = plan
  variables {
    kubernetes_service_accounts = { it = "api" }
  }
  expect_failures = [var.kubernetes_service_accounts]
}

run "a_name_alone_is_no_cluster" {
  command = plan
  variables {
    gke_cluster_ids = { it = "prod" }
  }
  expect_failures = [var.gke_cluster_ids]
}

run "each_is_what_its_resource_gives" {
  command = plan
  variables {
    gcp_unique_ids              = { it = "107517467455664443765" }
    azure_principal_ids         = { it = "BBBBBBBB-1111-2222-3333-CCCCCCCCCCCC" }
    kubernetes_service_accounts = { it = "payments/api" }
    gke_cluster_ids             = { it = "projects/corp-prod/locations/europe-west1/clusters/prod" }
  }
  assert {
    condition     = output.gcp.it == { "gcp.subject" = "107517467455664443765" }
    error_message = "a service account is not its unique id"
  }
  assert {
    condition     = output.azure.it == { "azure.object_id" = "bbbbbbbb-1111-2222-3333-cccccccccccc" }
    error_message = "a managed identity is not its principal id"
  }
  assert {
    condition     = output.kubernetes.it == { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
    error_message = "a service account is not its namespace and name"
  }
  assert {
    condition     = output.gke_issuers.it == "https://container.googleapis.com/v1/projects/corp-prod/locations/europe-west1/clusters/prod"
    error_message = "the issuer is not the cluster's"
  }
}

variables {
  issuer                  = "https://broker.corp.example"
  image                   = "europe-west1-docker.pkg.dev/corp-platform/images/chancery:0.1.0"
  cluster_id              = "projects/corp-platform/locations/europe-west1/clusters/prod"
  batch_account_unique_id = "110987294251917851298"
  load_balancer_address   = "203.0.113.10"
  certificate_map         = "chancery"
  pool_audience           = { "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/chancery/providers/chancery" = { token_type = "JWT" } }
}

run "binds_a_pod_and_a_service_account" {
  command = plan

  assert {
    condition     = jsondecode(output.document).trusted_issuers["prod-gke"].issuers == ["https://container.googleapis.com/v1/projects/corp-platform/locations/europe-west1/clusters/prod"]
    error_message = "The cluster has another issuer."
  }
  assert {
    condition     = jsondecode(output.document).bindings["payments-batch"].match == { "gcp.subject" = "110987294251917851298" }
    error_message = "The service account is bound by something else."
  }
  assert {
    condition     = contains(keys(jsondecode(output.document).identities["payments/api"].grants), keys(var.pool_audience)[0])
    error_message = "Google Cloud would get no token."
  }
}

run "puts_the_document_into_the_broker_and_the_load_balancer_in_front_of_it" {
  command = plan

  assert {
    condition     = output.objects.config_map.data["platform.json"] == output.document
    error_message = "The broker would follow another document."
  }
  assert {
    condition     = output.front.Gateway.spec.listeners[0].hostname == "broker.corp.example" && output.front.HTTPRoute.spec.hostnames == ["broker.corp.example"]
    error_message = "The load balancer has another name than the issuer."
  }
  assert {
    condition     = output.front.HealthCheckPolicy.spec.default.config.httpHealthCheck.requestPath == "/readyz"
    error_message = "The load balancer asks for something else than readiness."
  }
  assert {
    condition     = one([for each in output.objects.workload.spec.template.spec.containers[0].env : each.value if each.name == "CHANCERY_TRUSTED_PROXY"]) == "35.191.0.0/16,130.211.0.0/22,203.0.113.10/32"
    error_message = "Callers would all have the load balancer's address."
  }
}

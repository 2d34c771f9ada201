variables {
  issuer               = "https://broker.corp.example"
  image                = "corp.azurecr.io/chancery:0.1.0"
  cluster_issuer       = "https://westeurope.oic.prod-aks.azure.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/00001111-aaaa-2222-bbbb-3333cccc4444/"
  entra                = { provider = "azure", tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee", proof_audiences = ["00001111-aaaa-2222-bbbb-3333cccc4444"] }
  batch_principal_id   = "BBBBBBBB-1111-2222-3333-CCCCCCCCCCCC"
  entra_audience       = { "api://AzureADTokenExchange" = { signing_alg = "RS256", token_type = "JWT" } }
  load_balancer_subnet = "10.225.0.0/24"
  load_balancer        = "alb-infra/alb"
}

run "binds_a_pod_and_a_managed_identity" {
  command = plan

  assert {
    condition     = jsondecode(output.document).trusted_issuers["prod-aks"].issuers == [var.cluster_issuer]
    error_message = "The cluster has another issuer."
  }
  assert {
    condition     = jsondecode(output.document).bindings["payments-batch"].match == { "azure.object_id" = "bbbbbbbb-1111-2222-3333-cccccccccccc" }
    error_message = "The managed identity is bound by something else."
  }
  assert {
    condition     = jsondecode(output.document).audiences["api://AzureADTokenExchange"].signing_alg == "RS256"
    error_message = "Entra would not take these tokens."
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
    condition     = output.front.Gateway.metadata.annotations["alb.networking.azure.io/alb-name"] == "alb"
    error_message = "The Gateway would be taken by another load balancer."
  }
}

run "refuses_an_issuer_that_lost_its_slash" {
  command = plan
  variables {
    cluster_issuer = "https://westeurope.oic.prod-aks.azure.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/00001111-aaaa-2222-bbbb-3333cccc4444"
  }
  expect_failures = [var.cluster_issuer]
}

run "refuses_a_load_balancer_without_its_namespace" {
  command = plan
  variables {
    load_balancer = "alb"
  }
  expect_failures = [var.load_balancer]
}

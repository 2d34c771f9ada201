# Runs with: terraform test

variables {
  issuer = "https://broker.corp.example"

  eks = {
    cluster_issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF"
    batch_role_arn = "arn:aws:iam::123456789012:role/payments-batch"
  }

  gke = {
    cluster_id      = "projects/corp-prod/locations/europe-west1/clusters/prod"
    batch_unique_id = "107517467455664443765"
  }

  aks = {
    cluster_issuer     = "https://westeurope.oic.prod-aks.azure.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/11112222-bbbb-3333-cccc-4444dddd5555/"
    tenant_id          = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
    application_id_uri = "api://chancery"
    batch_principal_id = "bbbbbbbb-1111-2222-3333-cccccccccccc"
  }
}

run "one_identity_is_proved_by_three_clusters" {
  command = plan
  assert {
    condition     = output.subjects["payments/api"] == "spiffe://corp.example/payments/api"
    error_message = "the API is somebody else"
  }
  assert {
    condition     = length([for binding in values(jsondecode(output.documents["platform.json"]).bindings) : binding if binding.identity == "payments/api"]) == 3
    error_message = "a cluster is missing"
  }
}

run "a_team_is_told_what_it_was_handed" {
  command = plan
  assert {
    condition     = output.delegations.shop.trusted_issuers.gke.match["kubernetes.namespace"][0] == "shop"
    error_message = "the shop is told something else"
  }
  assert {
    condition     = jsondecode(output.documents["shop.json"]).delegation == "shop"
    error_message = "the document is not the shop's"
  }
}

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

# What asks Azure and the cluster, and what is made there. Everything else is in ./who-is-who.

provider "azurerm" {
  features {}
  subscription_id = var.subscription_id
}

provider "azuread" {}

data "azurerm_kubernetes_cluster" "this" {
  name                = var.cluster_name
  resource_group_name = var.resource_group_name
}

# For a cluster whose people sign in by Entra, take kubelogin instead (exec).
provider "kubernetes" {
  host                   = data.azurerm_kubernetes_cluster.this.kube_config[0].host
  cluster_ca_certificate = base64decode(data.azurerm_kubernetes_cluster.this.kube_config[0].cluster_ca_certificate)
  client_certificate     = base64decode(data.azurerm_kubernetes_cluster.this.kube_config[0].client_certificate)
  client_key             = base64decode(data.azurerm_kubernetes_cluster.this.kube_config[0].client_key)
}

data "azurerm_user_assigned_identity" "batch" {
  name                = var.batch_identity_name
  resource_group_name = var.resource_group_name
}

module "azure" {
  source = "../../modules/azure-workload"

  principals = { payments-batch = data.azurerm_user_assigned_identity.batch.principal_id }

  # And the other way round: payments/api may act as the application, by our token and without any secret of Entra's.
  issuer       = var.issuer
  applications = { (var.reports_application_id) = { payments-api = "spiffe://corp.example/payments/api" } }
}

module "who_is_who" {
  source = "./who-is-who"

  issuer               = var.issuer
  image                = var.image
  cluster_issuer       = data.azurerm_kubernetes_cluster.this.oidc_issuer_url
  entra                = module.azure.trusted_issuer
  batch_principal_id   = data.azurerm_user_assigned_identity.batch.principal_id
  entra_audience       = module.azure.audience
  load_balancer_subnet = var.load_balancer_subnet
  load_balancer        = var.load_balancer
}

resource "kubernetes_manifest" "storage_class" {
  manifest = module.who_is_who.front.storage_class
}

module "apply" {
  source = "../../modules/broker/apply"

  objects    = module.who_is_who.objects
  depends_on = [kubernetes_manifest.storage_class]
}

resource "kubernetes_manifest" "front" {
  for_each = { for name, object in module.who_is_who.front : name => object if name != "storage_class" }

  manifest   = each.value
  depends_on = [module.apply]
}

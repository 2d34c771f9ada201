# What asks Google Cloud and the cluster, and what is made there. Everything else is in ./who-is-who.

provider "google" {
  project = var.project_id
}

data "google_client_config" "this" {}

data "google_container_cluster" "this" {
  name     = var.cluster_name
  location = var.location
}

provider "kubernetes" {
  host                   = "https://${data.google_container_cluster.this.endpoint}"
  cluster_ca_certificate = base64decode(data.google_container_cluster.this.master_auth[0].cluster_ca_certificate)
  token                  = data.google_client_config.this.access_token
}

resource "google_compute_global_address" "broker" {
  name = "chancery"
}

module "gcp" {
  source = "../../modules/gcp-workload"

  proof_audience = var.issuer
  project_id     = var.project_id
  workloads      = { payments-batch = "Settles payments at night" }

  # And the other way round: payments/api may use what IAM gives it, by our token and without any key of Google's.
  issuer   = var.issuer
  subjects = ["spiffe://corp.example/payments/api"]
}

module "who_is_who" {
  source = "./who-is-who"

  issuer                  = var.issuer
  image                   = var.image
  cluster_id              = "projects/${var.project_id}/locations/${var.location}/clusters/${var.cluster_name}"
  batch_account_unique_id = module.gcp.subjects["payments-batch"]
  load_balancer_address   = google_compute_global_address.broker.address
  certificate_map         = var.certificate_map
  pool_audience           = module.gcp.audience
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

# The objects of infra/kubernetes/base, with what differs between brokers put in. A test holds the two together.

locals {
  is_many  = var.database_url != null
  selector = { "app.kubernetes.io/name" = "chancery" }
  part_of  = { "app.kubernetes.io/part-of" = "chancery" }
  metadata = { name = "chancery", namespace = var.namespace, labels = local.part_of }
  # A cluster has one of a name, and may have brokers in two namespaces.
  reviewer    = "${var.namespace}-reviewer"
  kind        = local.is_many ? "Deployment" : "StatefulSet"
  probe_parts = merge({ port = "http" }, { for name, value in { scheme = "HTTPS" } : name => value if var.tls_secret != null })

  # What is not there is left out, and not null: an API server takes null for a value.
  documents = merge(
    { for name, value in { data = var.documents } : name => value if length(value) > 0 },
    { for name, value in { binaryData = var.documents_gzip_base64 } : name => value if length(value) > 0 },
  )

  access = {
    namespace = {
      apiVersion = "v1"
      kind       = "Namespace"
      metadata   = { name = var.namespace, labels = merge(local.part_of, { "pod-security.kubernetes.io/enforce" = "restricted" }) }
    }
    service_account = {
      apiVersion                   = "v1"
      kind                         = "ServiceAccount"
      metadata                     = local.metadata
      automountServiceAccountToken = false
    }
    cluster_role = {
      apiVersion = "rbac.authorization.k8s.io/v1"
      kind       = "ClusterRole"
      metadata   = { name = local.reviewer, labels = local.part_of }
      rules      = [{ apiGroups = ["authentication.k8s.io"], resources = ["tokenreviews"], verbs = ["create"] }]
    }
    cluster_role_binding = {
      apiVersion = "rbac.authorization.k8s.io/v1"
      kind       = "ClusterRoleBinding"
      metadata   = { name = local.reviewer, labels = local.part_of }
      roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = local.reviewer }
      subjects   = [{ kind = "ServiceAccount", name = "chancery", namespace = var.namespace }]
    }
    config_map = merge(local.documents, {
      apiVersion = "v1"
      kind       = "ConfigMap"
      metadata   = merge(local.metadata, { name = "chancery-federation" })
    })
  }

  objects = merge(
    local.access,
    local.network,
    { workload = local.workload },
    {
      pod_disruption_budget = {
        apiVersion = "policy/v1"
        kind       = "PodDisruptionBudget"
        metadata   = local.metadata
        spec = {
          maxUnavailable             = 1
          unhealthyPodEvictionPolicy = "AlwaysAllow"
          selector                   = { matchLabels = local.selector }
        }
      }
    },
    {
      for name, object in {
        service_monitor = {
          apiVersion = "monitoring.coreos.com/v1"
          kind       = "ServiceMonitor"
          metadata   = local.metadata
          spec = {
            selector  = { matchLabels = local.selector }
            endpoints = [{ port = "metrics", path = "/metrics", interval = "30s" }]
          }
        }
      } : name => object if var.service_monitor
    },
  )
}

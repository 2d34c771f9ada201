# The namespace first: what lies in it is planned against a cluster that has it.
resource "kubernetes_manifest" "namespace" {
  manifest = var.objects.namespace
}

resource "kubernetes_manifest" "this" {
  for_each = { for name, object in var.objects : name => object if !contains(["namespace", "workload"], name) }

  manifest   = each.value
  depends_on = [kubernetes_manifest.namespace]
}

resource "kubernetes_manifest" "workload" {
  manifest   = var.objects.workload
  depends_on = [kubernetes_manifest.this]

  wait {
    rollout = true
  }
}

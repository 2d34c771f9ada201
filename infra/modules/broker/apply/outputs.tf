output "workload" {
  description = "The StatefulSet or Deployment, once its pods are ready."
  value       = { kind = kubernetes_manifest.workload.manifest.kind, name = kubernetes_manifest.workload.manifest.metadata.name }
}

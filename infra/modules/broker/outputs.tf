output "objects" {
  description = "The objects, by what each is for: for the apply module, or for whatever else applies them."
  value       = local.objects

  precondition {
    # In bytes, which base64 tells from characters.
    condition     = sum(concat([0], [for name, text in merge(var.documents, var.documents_gzip_base64) : length(name) + length(base64encode(text)) / 4 * 3])) <= 1000000
    error_message = "documents: a ConfigMap holds 1 MiB, less what it needs for itself: give them compressed, as documents_gzip_base64."
  }
}

output "yaml" {
  description = "The same as YAML, for kubectl apply -f or a repository that is synchronised."
  value       = join("---\n", [for object in values(local.objects) : yamlencode(object)])
}

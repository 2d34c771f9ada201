output "document" {
  value       = local.document
  description = "The team document. Write it as it is, as a file beside the platform's, named for its delegation."

  precondition {
    condition     = length(local.unknown_members) == 0
    error_message = join("\n", concat(["These keys are none of a team document's:"], local.unknown_members))
  }
  precondition {
    condition     = length(local.shape_problems) == 0
    error_message = join("\n", concat(["This is not of the right form:"], local.shape_problems))
  }
  precondition {
    condition     = length(local.delegation_problems) == 0
    error_message = join("\n", concat(["This reaches beyond the delegation:"], local.delegation_problems))
  }
  precondition {
    condition     = length(module.mapping.identity_problems) == 0
    error_message = join("\n", concat(["Identities that cannot be given:"], module.mapping.identity_problems))
  }
  precondition {
    condition     = length(module.mapping.binding_problems) == 0
    error_message = join("\n", concat(["Bindings that cannot stand:"], module.mapping.binding_problems))
  }
  precondition {
    condition     = length(module.mapping.overlap_problems) == 0
    error_message = join("\n", concat(["Bindings that collide:"], module.mapping.overlap_problems))
  }
}

output "document_gzip_base64" {
  value       = base64gzip(local.document)
  description = "The same, packed: `NAME.json.gz` in a ConfigMap's `binaryData`."

  # Whoever writes this one alone must not come past what stands above: at apply, where a value was not known before, or by -target.
  precondition {
    condition     = length(local.problems) == 0
    error_message = "The document is refused, so it is not packed either. What is wrong with it is told of the output \"document\"; a plan with -target leaves that out."
  }
}

output "digest" {
  value       = "sha256:${sha256(local.document)}"
  description = "By what name the broker calls this document."
}

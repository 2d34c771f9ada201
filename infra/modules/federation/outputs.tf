output "document" {
  value       = local.document
  description = "The federation document, to the byte what the broker's digest is made of. Write it as it is, without a final newline."

  precondition {
    condition     = length(local.unknown_in_issuers) == 0
    error_message = join("\n", concat(["These keys are none of the document's:"], local.unknown_in_issuers))
  }
  precondition {
    condition     = length(local.unknown_in_names) == 0
    error_message = join("\n", concat(["These keys are none of the document's:"], local.unknown_in_names))
  }
  precondition {
    condition     = length(local.issuer_shape_problems) == 0
    error_message = join("\n", concat(["This is not of the right form:"], local.issuer_shape_problems))
  }
  precondition {
    condition     = length(local.name_shape_problems) == 0
    error_message = join("\n", concat(["This is not of the right form:"], local.name_shape_problems))
  }
  precondition {
    condition     = length(local.issuer_problems) == 0
    error_message = join("\n", concat(["Trusted issuers that cannot be trusted as they are:"], local.issuer_problems))
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
    condition     = length(local.delegation_problems) == 0
    error_message = join("\n", concat(["Delegations that cannot stand:"], local.delegation_problems))
  }
  precondition {
    condition     = length(module.mapping.overlap_problems) == 0
    error_message = join("\n", concat(["Bindings that collide:"], module.mapping.overlap_problems))
  }
  precondition {
    condition     = length(local.too_many) == 0
    error_message = join("\n", local.too_many)
  }
}

output "document_gzip_base64" {
  value       = base64gzip(local.document)
  description = "The same, packed: for a document that is larger than a ConfigMap may be, as `NAME.json.gz` in its `binaryData`."

  # Whoever writes this one alone must not come past what stands above: at apply, where a value was not known before, or by -target.
  precondition {
    condition     = length(local.problems) == 0
    error_message = "The document is refused, so it is not packed either. What is wrong with it is told of the output \"document\"; a plan with -target leaves that out."
  }
}

output "digest" {
  value       = "sha256:${sha256(local.document)}"
  description = "By what name tokens and records call this document, where it is the only one."
}

output "identities" {
  value       = local.are_names_shaped ? local.identities : {}
  description = "Who there is: `spiffe_id` (null for an entry of many names), the `grants` with the scopes and the lifetime in seconds at each audience, and the names of the `bindings` that lead to it."
}

output "delegations" {
  value       = local.handed_out
  description = "What each team's module (federation-team) is to be told, by the delegation's name."
}

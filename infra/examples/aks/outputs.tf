output "volume" {
  description = "What the pod of payments/api mounts to prove itself."
  value       = module.who_is_who.volume
}

output "identifier_uri" {
  description = "What the batch job asks a token for, at IMDS."
  value       = module.azure.identifier_uri
}

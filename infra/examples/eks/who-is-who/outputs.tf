output "document" {
  description = "The federation document."
  value       = module.federation.document
}

output "subjects" {
  description = "For each identity, the sub of its tokens."
  value       = { for name, identity in module.federation.identities : name => identity.spiffe_id }
}

output "objects" {
  description = "The broker's objects, for infra/modules/broker/apply."
  value       = module.broker.objects
}

output "front" {
  description = "The objects of the load balancer and of the volume."
  value       = local.front
}

output "volume" {
  description = "What the pod of payments/api mounts to prove itself."
  value       = module.workload.volume
}

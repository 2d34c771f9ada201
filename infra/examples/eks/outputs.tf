output "volume" {
  description = "What the pod of payments/api mounts to prove itself."
  value       = module.who_is_who.volume
}

output "role_arns" {
  description = "The roles that trust the broker's tokens: AWS_ROLE_ARN, beside AWS_WEB_IDENTITY_TOKEN_FILE."
  value       = module.aws.role_arns
}

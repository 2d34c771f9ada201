variables {
  issuer                = "https://broker.corp.example"
  image                 = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/chancery:0.1.0"
  cluster_issuer        = "https://oidc.eks.eu-west-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF"
  aws_accounts          = { "123456789012" = { web_identity_issuer = "https://a1b2c3d4-1111-2222-3333-444455556666.tokens.sts.global.api.aws" } }
  batch_role_arn        = "arn:aws:iam::123456789012:role/jobs/payments-batch"
  load_balancer_subnets = ["10.0.0.0/20"]
  certificate_arn       = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
}

run "binds_a_pod_and_a_role" {
  command = plan

  assert {
    condition     = jsondecode(output.document).bindings["payments-api"].match == { "kubernetes.namespace" = "payments", "kubernetes.service_account" = "api" }
    error_message = "The pod is bound by something else."
  }
  assert {
    condition     = jsondecode(output.document).bindings["payments-batch"].match == { "aws.account_id" = "123456789012", "aws.role_name" = "payments-batch" }
    error_message = "The role is bound by something else: its path is no part of its name."
  }
  assert {
    condition     = output.subjects["payments/api"] == "spiffe://corp.example/payments/api"
    error_message = "The subject is another one."
  }
}

run "puts_the_document_into_the_broker_and_the_load_balancer_in_front_of_it" {
  command = plan

  assert {
    condition     = output.objects.config_map.data["platform.json"] == output.document
    error_message = "The broker would follow another document."
  }
  assert {
    condition     = output.front.ingress.spec.rules[0].host == "broker.corp.example"
    error_message = "The load balancer has another name than the issuer."
  }
  assert {
    condition     = output.front.ingress.metadata.annotations["alb.ingress.kubernetes.io/certificate-arn"] == var.certificate_arn
    error_message = "The load balancer has another certificate."
  }
}

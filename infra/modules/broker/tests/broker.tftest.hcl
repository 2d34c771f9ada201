variables {
  issuer    = "https://broker.corp.example"
  image     = "registry.corp.example/chancery:0.1.0"
  documents = { "platform.json" = "{}" }
}

run "keeps_the_state_of_one_replica_on_a_volume" {
  command = plan

  assert {
    condition     = output.objects.workload.kind == "StatefulSet" && length(output.objects.workload.spec.volumeClaimTemplates) == 1
    error_message = "It has no volume."
  }
  assert {
    condition     = contains(output.objects.workload.spec.template.spec.containers[0].env[*].name, "CHANCERY_STORE")
    error_message = "It does not say where its state is."
  }
}

run "gives_many_replicas_one_database_and_no_volume" {
  command = plan
  variables {
    replicas     = 3
    database_url = "postgres://chancery@db.corp.example/chancery?sslmode=verify-full"
  }

  assert {
    condition     = output.objects.workload.kind == "Deployment" && !can(output.objects.workload.spec.volumeClaimTemplates)
    error_message = "They have volumes."
  }
  assert {
    condition     = output.objects.workload.spec.strategy.rollingUpdate == { maxUnavailable = 0, maxSurge = 1 }
    error_message = "A replica goes before another one has come."
  }
  assert {
    condition     = contains(flatten([for rule in output.objects.network_policy.spec.egress : [for each in rule.ports : each.port]]), 5432)
    error_message = "They cannot reach their database."
  }
}

run "takes_compressed_documents_beside_others" {
  command = plan
  variables {
    documents             = { "payments.json" = "{}" }
    documents_gzip_base64 = { "platform.json.gz" = "H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==" }
  }

  assert {
    condition     = contains(keys(output.objects.config_map.data), "payments.json") && contains(keys(output.objects.config_map.binaryData), "platform.json.gz")
    error_message = "A document is missing."
  }
}

run "leaves_out_what_is_not_there" {
  command = plan
  variables {
    service_monitor      = false
    monitoring_namespace = null
  }

  assert {
    condition     = !can(output.objects.service_monitor) && length(output.objects.network_policy.spec.ingress) == 1
    error_message = "Something is monitored."
  }
  assert {
    condition     = !strcontains(output.yaml, "null")
    error_message = "There is null in it, which an API server takes for a value: ${output.yaml}"
  }
}

run "takes_no_right_from_a_broker_in_another_namespace" {
  command = plan

  variables { namespace = "identity" }

  assert {
    condition = (output.objects.cluster_role_binding.metadata.name == "identity-reviewer"
      && output.objects.cluster_role_binding.roleRef.name == output.objects.cluster_role.metadata.name
    && output.objects.cluster_role_binding.subjects[0].namespace == "identity")
    error_message = "two brokers of a cluster would share the right to review tokens"
  }
}

run "refuses_an_issuer_with_a_final_slash" {
  command = plan
  variables {
    issuer = "https://broker.corp.example/"
  }
  expect_failures = [var.issuer]
}

run "refuses_an_image_that_changes_by_itself" {
  command = plan
  variables {
    image = "registry.corp.example/chancery:latest"
  }
  expect_failures = [var.image]
}

run "refuses_a_document_that_would_not_be_read" {
  command = plan
  variables {
    documents = { "platform.yaml" = "{}" }
  }
  expect_failures = [var.documents]
}

run "refuses_a_document_that_is_no_json" {
  command = plan
  variables {
    documents = { "platform.json" = "version: 1" }
  }
  expect_failures = [var.documents]
}

run "refuses_no_document" {
  command = plan
  variables {
    documents = {}
  }
  expect_failures = [var.documents]
}

run "refuses_a_compressed_document_that_would_not_be_read" {
  command = plan
  variables {
    documents_gzip_base64 = { "platform.gz" = "" }
  }
  expect_failures = [var.documents_gzip_base64]
}

run "refuses_documents_that_no_config_map_holds" {
  command = plan
  variables {
    documents = { "platform.json" = jsonencode([for number in range(1000) : format("%01000d", number)]) }
  }
  expect_failures = [output.objects]
}

run "refuses_documents_of_more_bytes_than_a_config_map_holds" {
  command = plan
  variables {
    documents = { "platform.json" = jsonencode([for number in range(1000) : replace(format("%0510d", 0), "0", "é")]) }
  }
  expect_failures = [output.objects]
}

run "refuses_a_namespace_that_kubernetes_has_not" {
  command = plan
  variables {
    namespace = "Chancery"
  }
  expect_failures = [var.namespace]
}

run "refuses_replicas_without_a_database" {
  command = plan
  variables {
    replicas = 2
  }
  expect_failures = [var.database_url]
}

run "refuses_a_password_that_would_be_in_the_state" {
  command = plan
  variables {
    database_url = "postgres://chancery:secret@db.corp.example/chancery"
  }
  expect_failures = [var.database_url]
}

run "refuses_a_password_among_the_parameters" {
  command = plan
  variables {
    database_url = "postgres://chancery@db.corp.example/chancery?sslmode=verify-full&password=secret"
  }
  expect_failures = [var.database_url]
}

run "refuses_a_database_that_anybody_could_stand_in_for" {
  command = plan
  variables {
    database_url = "postgres://chancery@db.corp.example/chancery?sslmode=require"
  }
  expect_failures = [var.database_url]
}

run "refuses_no_replica" {
  command = plan
  variables {
    replicas = 0
  }
  expect_failures = [var.replicas]
}

run "refuses_half_a_replica" {
  command = plan

  variables {
    replicas     = 1.5
    database_url = "postgres://chancery@db.corp.example/chancery"
  }

  expect_failures = [var.replicas]
}

run "refuses_a_proxy_that_is_no_network" {
  command = plan
  variables {
    trusted_proxies = ["load-balancer"]
  }
  expect_failures = [var.trusted_proxies]
}

run "refuses_to_believe_everybody" {
  command = plan
  variables {
    trusted_proxies = ["0.0.0.0/0"]
  }
  expect_failures = [var.trusted_proxies]
}

run "refuses_a_setting_that_weakens_it" {
  command = plan
  variables {
    settings = { insecure-host = "127.0.0.1:80" }
  }
  expect_failures = [var.settings]
}

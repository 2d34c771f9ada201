locals {
  egress_ports = concat(local.is_many ? [5432] : [], var.egress_ports)

  network = {
    service = {
      apiVersion = "v1"
      kind       = "Service"
      metadata   = local.metadata
      spec = {
        selector = local.selector
        ports = [{
          name        = var.tls_secret == null ? "http" : "https"
          port        = var.tls_secret == null ? 80 : 443
          targetPort  = "http"
          protocol    = "TCP"
          appProtocol = var.tls_secret == null ? "http" : "HTTPS" # as GKE spells it
        }]
      }
    }

    # For Prometheus, and for the names of the pods. No load balancer is pointed here.
    pods_service = {
      apiVersion = "v1"
      kind       = "Service"
      metadata   = { name = "chancery-pods", namespace = var.namespace, labels = merge(local.part_of, local.selector) }
      spec = {
        clusterIP                = "None"
        publishNotReadyAddresses = true
        selector                 = local.selector
        ports                    = [{ name = "metrics", port = 9464, targetPort = "metrics", protocol = "TCP" }]
      }
    }

    network_policy = {
      apiVersion = "networking.k8s.io/v1"
      kind       = "NetworkPolicy"
      metadata   = local.metadata
      spec = {
        podSelector = { matchLabels = local.selector }
        policyTypes = ["Ingress", "Egress"]
        ingress = concat(
          [{ ports = [{ port = "http", protocol = "TCP" }] }],
          [
            for namespace in var.monitoring_namespace[*] : {
              from  = [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = namespace } } }]
              ports = [{ port = "metrics", protocol = "TCP" }]
            }
          ],
        )
        egress = concat(
          [{
            to = [
              { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = "kube-system" } } },
              { ipBlock = { cidr = "169.254.20.10/32" } },
              { ipBlock = { cidr = "169.254.169.254/32" } },
            ]
            ports = [{ port = 53, protocol = "UDP" }, { port = 53, protocol = "TCP" }]
          }],
          [for port in concat([443], local.egress_ports) : { ports = [{ port = port, protocol = "TCP" }] }],
        )
      }
    }
  }
}

locals {
  variables = merge(
    {
      CHANCERY_ISSUER                  = var.issuer
      CHANCERY_FEDERATION              = "/etc/chancery/federation"
      CHANCERY_KEY_ENCRYPTION_KEY_FILE = "/etc/chancery/key-encryption/keys"
      CHANCERY_LISTEN                  = "0.0.0.0:8080"
      CHANCERY_METRICS_LISTEN          = "0.0.0.0:9464"
      CHANCERY_SECRETS_DIR             = "/run/secrets/chancery"
    },
    { for flag, value in var.settings : "CHANCERY_${upper(replace(flag, "-", "_"))}" => value },
    { for name, value in { CHANCERY_TRUSTED_PROXY = join(",", var.trusted_proxies) } : name => value if value != "" },
    {
      for name, value in { CHANCERY_TLS_CERT = "/etc/chancery/tls/tls.crt", CHANCERY_TLS_KEY = "/etc/chancery/tls/tls.key" } :
      name => value if var.tls_secret != null
    },
    local.is_many ? {
      CHANCERY_STORE               = var.database_url
      CHANCERY_STORE_PASSWORD_FILE = "/etc/chancery/database/password"
    } : { CHANCERY_STORE = "sqlite:/var/lib/chancery/chancery.db" },
  )

  mounts = concat(
    [for name in local.is_many ? [] : ["store"] : { name = name, mountPath = "/var/lib/chancery" }],
    [
      { name = "federation", mountPath = "/etc/chancery/federation", readOnly = true },
      { name = "key-encryption", mountPath = "/etc/chancery/key-encryption", readOnly = true },
      { name = "secrets", mountPath = "/run/secrets/chancery", readOnly = true },
      { name = "tmp", mountPath = "/tmp" },
    ],
    [for name in local.is_many ? ["database"] : [] : { name = name, mountPath = "/etc/chancery/database", readOnly = true }],
    [for secret in var.tls_secret[*] : { name = "tls", mountPath = "/etc/chancery/tls", readOnly = true }],
  )

  volumes = concat(
    [
      { name = "federation", configMap = { name = "chancery-federation", defaultMode = 292 } },
      { name = "key-encryption", secret = { secretName = var.key_encryption_secret, defaultMode = 288 } },
      {
        name = "secrets"
        projected = {
          defaultMode = 288
          sources = [
            { serviceAccountToken = { path = "cluster/token", expirationSeconds = 3600 } },
            { configMap = { name = "kube-root-ca.crt", items = [{ key = "ca.crt", path = "cluster/ca.crt" }] } },
            { secret = { name = var.files_secret, optional = true } },
          ]
        }
      },
      { name = "tmp", emptyDir = { sizeLimit = "64Mi" } },
    ],
    [for name in local.is_many ? ["database"] : [] : { name = name, secret = { secretName = var.database_secret, defaultMode = 288 } }],
    [for secret in var.tls_secret[*] : { name = "tls", secret = { secretName = secret, defaultMode = 288 } }],
  )

  container = {
    name  = "chancery"
    image = var.image
    args  = ["serve"]
    env   = [for name, value in local.variables : { name = name, value = value }]
    ports = [
      { name = "http", containerPort = 8080, protocol = "TCP" },
      { name = "metrics", containerPort = 9464, protocol = "TCP" },
    ]
    startupProbe   = { httpGet = merge(local.probe_parts, { path = "/healthz" }), periodSeconds = 2, failureThreshold = 60 }
    livenessProbe  = { httpGet = merge(local.probe_parts, { path = "/healthz" }), periodSeconds = 10, timeoutSeconds = 3, failureThreshold = 6 }
    readinessProbe = { httpGet = merge(local.probe_parts, { path = "/readyz" }), periodSeconds = 5, timeoutSeconds = 3 }
    lifecycle      = { preStop = { sleep = { seconds = 5 } } }
    resources = {
      requests = { cpu = var.cpu, memory = var.memory }
      limits   = { memory = var.memory_limit }
    }
    securityContext = {
      allowPrivilegeEscalation = false
      readOnlyRootFilesystem   = true
      capabilities             = { drop = ["ALL"] }
    }
    volumeMounts = local.mounts
  }

  spread = [
    for each in [
      { topologyKey = "topology.kubernetes.io/zone", whenUnsatisfiable = "ScheduleAnyway" },
      { topologyKey = "kubernetes.io/hostname", whenUnsatisfiable = "DoNotSchedule", nodeTaintsPolicy = "Honor" },
    ] : merge(each, { maxSkew = 1, labelSelector = { matchLabels = local.selector }, matchLabelKeys = ["pod-template-hash"] })
  ]

  pod = merge(
    {
      serviceAccountName            = "chancery"
      automountServiceAccountToken  = false
      enableServiceLinks            = false
      terminationGracePeriodSeconds = 30
      securityContext = {
        runAsNonRoot        = true
        runAsUser           = 65532
        runAsGroup          = 65532
        fsGroup             = 65532
        fsGroupChangePolicy = "OnRootMismatch"
        seccompProfile      = { type = "RuntimeDefault" }
      }
      containers = [local.container]
      volumes    = local.volumes
    },
    { for name, value in { topologySpreadConstraints = local.spread } : name => value if local.is_many },
  )

  claim = merge(
    { accessModes = ["ReadWriteOncePod"], resources = { requests = { storage = var.storage_size } } },
    { for name, value in { storageClassName = var.storage_class } : name => value if value != null },
  )

  workload = {
    apiVersion = "apps/v1"
    kind       = local.kind
    metadata   = local.metadata
    spec = merge(
      {
        replicas = var.replicas
        selector = { matchLabels = local.selector }
        template = { metadata = { labels = local.selector }, spec = local.pod }
      },
      {
        for name, value in {
          serviceName                          = "chancery-pods"
          volumeClaimTemplates                 = [{ metadata = { name = "store" }, spec = local.claim }]
          persistentVolumeClaimRetentionPolicy = { whenDeleted = "Retain", whenScaled = "Retain" }
        } : name => value if !local.is_many
      },
      {
        for name, value in {
          minReadySeconds = 10
          strategy        = { type = "RollingUpdate", rollingUpdate = { maxUnavailable = 0, maxSurge = 1 } }
        } : name => value if local.is_many
      },
    )
  }
}

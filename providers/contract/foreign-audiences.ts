/**
 * Audiences that belong to somebody else. A proof made for one of them has been, or will be, shown to that party, who could
 * bring it here; so none may be a proof audience of ours.
 */

/** Whole names, as {@link isForeignAudience} compares them. */
export const FOREIGN_NAMES: ReadonlySet<string> = new Set([
  // AWS: IRSA and EKS Pod Identity tokens. https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
  'sts.amazonaws.com',
  'sts.amazonaws.com.cn',
  'sts.amazonaws.eu',
  'pods.eks.amazonaws.com',
  // Azure: workload identity exchange, Azure Resource Manager, Graph, Key Vault, Storage.
  // https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
  'api://azureadtokenexchange',
  'api://azureadtokenexchangeusgov',
  'api://azureadtokenexchangechina',
  'api://azureadtokenexchangeusnat',
  'api://azureadtokenexchangeussec',
  // The same exchange in tokens of version 2.
  'fb60f99c-7a34-4190-8149-302f77469936',
  'management.azure.com',
  'management.core.windows.net',
  'management.usgovcloudapi.net',
  'management.core.usgovcloudapi.net',
  'management.chinacloudapi.cn',
  'management.core.chinacloudapi.cn',
  '797f4846-ba00-4fd7-ba43-dac1f8f63013',
  // The Kubernetes API servers of AKS.
  '6dae42f8-4368-4678-94ff-3960e28e3630',
  'graph.microsoft.com',
  'graph.microsoft.us',
  'microsoftgraph.chinacloudapi.cn',
  'graph.windows.net',
  '00000003-0000-0000-c000-000000000000',
  '00000002-0000-0000-c000-000000000000',
  'vault.azure.net',
  'vault.usgovcloudapi.net',
  'vault.azure.cn',
  'storage.azure.com',
  'database.windows.net',
  // Google: its token services.
  'sts.googleapis.com',
  'iam.googleapis.com',
  'oauth2.googleapis.com',
  'oauth2.googleapis.com/token',
  'accounts.google.com',
  'www.googleapis.com/oauth2/v4/token',
  // Kubernetes: the API server's default audiences. https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver
  'kubernetes',
  'api',
  'k3s',
  'rke2',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  // The agents of its network proxy. https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity
  'system:konnectivity-server',
  // Alibaba Cloud: RRSA tokens.
  'sts.aliyuncs.com',
  // Others that commonly take the same tokens.
  'vault',
  'openbao',
  'consul',
  'boundary',
  'conjur',
  'sigstore',
  'spire-server',
  'istio-ca',
  'identity.l5d.io',
  'teleport',
])

/** The last label, or the first path segment, of names that a party hands out by the thousand. */
export const FOREIGN_SUFFIXES = [
  '.apps.googleusercontent.com',
  '.googleapis.com',
  '.svc.id.goog',
  '.vault.azure.net',
] as const

/** The beginnings of such names. */
export const FOREIGN_PREFIXES = [
  'iam.googleapis.com/',
  'kubernetes.default.svc.',
  'container.googleapis.com/v1/',
] as const

/** AWS's token services of each region. */
export const REGIONAL_STS =
  /^sts(-fips)?\.[a-z0-9-]+\.(amazonaws\.(com|com\.cn|eu)|api\.(aws|amazonwebservices\.(com\.cn|eu)))$/

/** Answers whether an audience is known to be another party's, in whatever case and with or without scheme, port or final slash. */
export function isForeignAudience(audience: string): boolean {
  const name = audience
    .toLowerCase()
    .replace(/^https?:\/\/|^\/\//, '')
    .replace(/\/+(\.default)?\/*$/, '')
    .replace(/:\d+$/, '')
  return (
    FOREIGN_NAMES.has(name) ||
    REGIONAL_STS.test(name) ||
    FOREIGN_SUFFIXES.some((suffix) => name.endsWith(suffix)) ||
    FOREIGN_PREFIXES.some((prefix) => name.startsWith(prefix))
  )
}

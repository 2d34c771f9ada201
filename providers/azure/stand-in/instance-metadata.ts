/** What a virtual machine can learn of itself: the part of the metadata service that tells Azure from other clouds. */

import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'

/** Where it answers. */
export const INSTANCE_PATH = '/metadata/instance'

/**
 * Describes the machine, with a few of the real answer's members. Refuses requests without `Metadata: true` and those that somebody
 * forwarded, as the real one does.
 *
 * @see {@link https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service Azure: instance metadata service}
 */
export function answerInstance({ method, query, headers }: StandInRequest): StandInAnswer {
  if (method !== 'GET') return { status: 405 }
  if (headers.metadata !== 'true' || headers['x-forwarded-for'] !== undefined) {
    return { status: 400, body: { error: 'Bad request. Required metadata header not specified' } }
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(query.get('api-version') ?? '')) {
    return { status: 400, body: { error: 'Bad request. api-version is invalid or was not specified in the request.' } }
  }
  const compute = {
    azEnvironment: 'AzurePublicCloud',
    location: 'westeurope',
    name: 'vm-1',
    provider: 'Microsoft.Compute',
  }
  return { status: 200, body: { compute, network: { interface: [] } } }
}

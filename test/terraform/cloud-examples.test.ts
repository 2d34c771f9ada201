/** The examples for EKS, GKE and AKS: what needs no provider is tested, checked by the broker's own command, and run. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { faultsOf } from '../support/kubernetes-model.ts'
import type { Manifest } from '../support/manifests.ts'
import { startPod } from '../support/pod.ts'
import { runChancery } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'
import { applyTerraform, copyInfra, testTerraform } from '../support/terraform-copy.ts'

const CLOUDS = ['eks', 'gke', 'aks']

interface Outputs {
  readonly document: string
  readonly objects: Readonly<Record<string, Manifest>>
  readonly front: Readonly<Record<string, Manifest>>
}

/** Applies the part of an example that needs no provider, with the inputs of its own tests. */
function applyExample(cloud: string): Outputs {
  const directory = join(copyInfra(), 'examples', cloud, 'who-is-who')
  const tests = readFileSync(join(directory, 'tests', 'who-is-who.tftest.hcl'), 'utf8')
  const [, inputs = ''] = /^variables \{\n([\s\S]*?)^\}/m.exec(tests) ?? []
  writeFileSync(join(directory, 'terraform.tfvars'), inputs)
  return applyTerraform(directory) as unknown as Outputs
}

describe.skipIf(!hasTool('terraform', 'the clouds’ examples'))('the example of', () => {
  test.each(CLOUDS)('%s passes its own tests', (cloud) => {
    const { passed, complaints } = testTerraform(join(copyInfra(), 'examples', cloud, 'who-is-who'))

    expect(complaints).toEqual([])
    expect(passed).toBeGreaterThan(1)
  })

  test.each(CLOUDS)('%s writes a document without a fault, and a broker that becomes ready with it', async (cloud) => {
    const { document, objects, front } = applyExample(cloud)
    const path = join(makeScratch(), 'platform.json')
    writeFileSync(path, document)

    expect(await runChancery(['check', '--json', path])).toMatchObject({ code: 0, out: '[]\n' })
    const files = { '/run/secrets/chancery/cluster/ca.crt': '', '/run/secrets/chancery/cluster/token': 'x' }
    const pod = await startPod(Object.values(objects), { files })
    expect((await fetch(`${pod.origin('http')}/readyz`)).status).toBe(200)
    expect(Object.values(front).flatMap((object) => faultsOf(object) ?? [])).toEqual([])
  })
})

/** The federation modules: their own tests, keys at every depth, what is not known yet, and how long a plan of many bindings takes. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/federation/digest.ts'
import { readFederation } from '../../src/federation/federation.ts'
import { locateDocuments } from '../../src/federation/locate.ts'
import { readPlaces } from '../support/document-places.ts'
import { CONTEXT } from '../support/federation-parts.ts'
import { hasTool } from '../support/found-tool.ts'
import { runCheck } from '../support/run-check.ts'
import { makeScratch } from '../support/scratch.ts'
import { documentOf } from '../support/terraform-cases.ts'
import { CATALOGUE_FILE, renderCatalogue } from '../support/terraform-catalogue.ts'
import { applyModule, copyInfra, runTerraform, testTerraform } from '../support/terraform-copy.ts'
import { createPlanner, type Plan } from '../support/terraform-plan.ts'
import { renderTerraformReadmes } from '../support/terraform-readmes.ts'

const DIRECTORIES = ['modules/federation', 'modules/federation-team', 'modules/matches', 'examples/three-clouds']
const STRANGER = 'zzz'
/** As many as are proved in a plan. */
const MANY = 2_000

type Json = Readonly<Record<string, unknown>>

test('what the modules know of the broker is what its code says: run "npm run generate" where it is not', () => {
  expect(readFileSync(CATALOGUE_FILE, 'utf8')).toBe(renderCatalogue())
})

test('the tables in READMEs are those of the blocks and of the cases: run "npm run generate" where they are not', () => {
  for (const [file, text] of renderTerraformReadmes()) expect(readFileSync(file, 'utf8')).toBe(text)
})

describe.skipIf(!hasTool('terraform', 'the federation modules'))('Terraform', () => {
  test.each(DIRECTORIES)('formats, validates and tests %s', { timeout: 120_000 }, (directory) => {
    const root = join(copyInfra(), directory)

    const { passed, complaints } = testTerraform(root)

    expect(complaints).toEqual([])
    expect(passed).toBeGreaterThan(1)
    expect(runTerraform(root, 'fmt', '-check', '-recursive').out).toBe('')
    expect(runTerraform(root, 'validate', '-no-color').out).toContain('The configuration is valid.')
  })

  test('plans the example with the values that stand beside it', () => {
    const root = join(copyInfra(), 'examples/three-clouds')
    runTerraform(root, 'init', '-no-color')

    expect(runTerraform(root, 'plan', '-no-color', '-input=false', '-var-file=example.tfvars')).toMatchObject({
      code: 0,
      err: '',
    })
  })

  test('refuses a key that is not there, by name and path, wherever the document has members', async () => {
    const full = JSON.parse(readFileSync(new URL('cases/full.json', import.meta.url), 'utf8')) as Json
    const { document, paths, places } = withStrangers(full)
    const { findings } = await runCheck({ version: 1, ...document })
    const plan = await planOnce('federation', document)

    const closed = [...readPlaces().places].filter(([, { open }]) => open !== true).map(([name]) => name)
    expect(closed.filter((name) => name !== '' && !places.has(name))).toEqual([])
    expect(findings.filter(({ code }) => code === 'member_unknown')).toHaveLength(paths.length)
    const told = plan.errors.join('\n')
    for (const path of paths) expect(told).toContain(`${path}.${STRANGER}: there is no such member`)
  })

  test('refuses a binding at plan although the issuer of its cluster is not known yet', async () => {
    const { version: _version, ...inputs } = documentOf({
      change: { bindings: { api: { match: { 'kubernetes.service_account': null } } } },
    }) as Json
    const plan = await planWithUnknownIssuer(inputs)

    expect(plan.errors.join('\n')).toContain('[pin_missing]')
  })

  test('refuses at apply what could not be known at plan, before the document or its packed form is written', () => {
    const root = join(copyInfra(), 'examples', 'with-unknown')
    mkdirSync(root)
    const { version: _version, ...inputs } = documentOf({ change: {} }) as Json
    const issuer = { provider: 'kubernetes', issuers: [from('terraform_data.cluster.output')] }
    const packed = { input: from('module.it.document_gzip_base64') }
    const configuration = {
      resource: { terraform_data: { cluster: { input: 'http://oidc.corp.example' }, packed } },
      module: { it: { source: '../../modules/federation', ...inputs, trusted_issuers: { 'prod-eks': issuer } } },
    }
    writeFileSync(join(root, 'main.tf.json'), JSON.stringify(configuration))
    runTerraform(root, 'init', '-no-color')

    expect(runTerraform(root, 'plan', '-no-color').code).toBe(0)
    const { code, err } = runTerraform(root, 'apply', '-auto-approve', '-no-color')
    expect(code).toBe(1)
    expect(err).toContain('[issuer_refused]')
    expect(runTerraform(root, 'state', 'list').out).toBe('terraform_data.cluster\n')
  })

  test("takes a team's module by an absolute path with two slashes, as its page says", () => {
    const infra = copyInfra()
    const root = makeScratch()
    const team = { source: `${infra}//modules/federation-team`, delegation: 'payments' }
    writeFileSync(join(root, 'main.tf.json'), JSON.stringify({ module: { team } }))

    expect(runTerraform(root, 'init', '-no-color')).toMatchObject({ code: 0, err: '' })
    expect(runTerraform(root, 'plan', '-no-color')).toMatchObject({ code: 0, err: '' })
  })

  test('plans a document of which an issuer is not known yet', async () => {
    const { version: _version, ...inputs } = documentOf({ change: {} }) as Json

    expect((await planWithUnknownIssuer(inputs)).errors).toEqual([])
  })

  test('gives the document packed as the broker unpacks it, and the digest that the broker gives it', async () => {
    const { version: _version, ...inputs } = documentOf({
      change: { identities: { 'payments/api': { claims: { note: '<a> & b' } } } },
    }) as Json
    const outputs = applyModule('federation', inputs) as Readonly<Record<string, string>>
    const directory = makeScratch()
    writeFileSync(join(directory, 'platform.json.gz'), Buffer.from(outputs.document_gzip_base64 ?? '', 'base64'))

    const { federation } = readFederation(await locateDocuments(directory), CONTEXT)

    expect(outputs.digest).toBe(federation?.digest)
    expect(outputs.digest).toBe(digestOf(outputs.document ?? ''))
    expect(federation?.identities.get('payments/api')?.claims).toEqual({ note: '<a> & b' })
  })

  test('says so where bindings meet in more pairs than a plan can look at', async () => {
    const { version: _version, ...inputs } = documentOf({ change: { bindings: { api: null } } }) as Json
    const bindings = Object.fromEntries(
      Array.from({ length: 700 }, (_, index) => [`b${index}`, crossingOf(index)] as const),
    )

    const plan = await planOnce('federation', { ...inputs, bindings })
    const trusted = await planOnce('federation', { ...inputs, bindings, overlap_proved_by: 'check' })

    expect((await runCheck({ version: 1, ...inputs, bindings })).findings).toEqual([])
    expect(plan.errors.join('\n')).toMatch(/overlap_proved_by = "check" \[overlap_unproven\]$/m)
    expect(trusted.errors).toEqual([])
  })

  test('says so where more sessions of one role could be chosen between than a plan can look at', async () => {
    const { version: _version, ...inputs } = documentOf({ change: { bindings: { api: null } } }) as Json
    const bindings = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`b${index}`, sessionOf(index)]))

    const plan = await planOnce('federation', { ...inputs, bindings })

    expect(plan.errors.join('\n')).toMatch(/overlap_proved_by = "check" \[overlap_unproven\]$/m)
  })

  test('proves a document of 2,000 bindings in a plan, and finds the one that collides', {
    timeout: 120_000,
  }, async () => {
    const bindings = Object.fromEntries(Array.from({ length: MANY - 1 }, (_, index) => [`b${index}`, bindingOf(index)]))
    const { version: _version, ...inputs } = documentOf({ change: { bindings: { api: null } } }) as Json
    const started = performance.now()
    const good = await planOnce('federation', { ...inputs, bindings })
    const seconds = (performance.now() - started) / 1_000
    const twin = { ...bindingOf(7), identity: 'payments/batch' }
    const bad = await planOnce('federation', { ...inputs, bindings: { ...bindings, twin } })

    process.stdout.write(`plan of ${MANY - 1} bindings: ${seconds.toFixed(1)} s\n`)
    expect(good.errors).toEqual([])
    expect(bad.errors.join('\n')).toContain('b7 and twin match exactly the same proofs: remove one [bindings_equal]')
  })
})

/** An expression of Terraform's, in its JSON. */
function from(expression: string): string {
  return `\${${expression}}`
}

/** Every fourth has a list, every fourth a prefix. */
function bindingOf(index: number): object {
  const namespace = index % 4 === 1 ? `team-${index}-*` : `team-${index}`
  const account = index % 4 === 0 ? ['api', 'web'] : 'api'
  const match = { 'kubernetes.namespace': namespace, 'kubernetes.service_account': account }
  return { trusted_issuer: 'prod-eks', match, identity: index % 2 === 0 ? 'payments/api' : 'payments/batch' }
}

/** Told apart by what the caller says, so that all of them are one without it. */
function sessionOf(index: number): object {
  const match = { 'aws.account_id': '123456789012', 'aws.role_name': 'web', 'aws.session_name': `s${index}` }
  return { trusted_issuer: 'aws-prod', match, identity: index === 0 ? 'payments/batch' : 'payments/api' }
}

/** Half of them by the pod, half by the node: each of the one meets each of the other. */
function crossingOf(index: number): object {
  const more = index % 2 === 0 ? { 'kubernetes.pod_name': `p${index}` } : { 'kubernetes.node_name': `n${index}` }
  const match = { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api', ...more }
  return { trusted_issuer: 'prod-eks', match, identity: 'payments/api' }
}

async function planOnce(module: string, inputs: object, configuration?: object): Promise<Plan> {
  const planner = createPlanner(module, configuration)
  try {
    return await planner.plan(inputs)
  } finally {
    planner.close()
  }
}

/** The cluster is made by the same configuration, so that its issuer is known only after apply. */
function planWithUnknownIssuer(inputs: Json): Promise<Plan> {
  const names = Object.keys(inputs)
  return planOnce('with-unknown', inputs, {
    variable: Object.fromEntries(names.map((name) => [name, { type: 'any' }])),
    resource: { terraform_data: { cluster: { input: 'https://oidc.corp.example' } } },
    module: {
      federation: {
        source: '../federation',
        ...Object.fromEntries(names.map((name) => [name, from(`var.${name}`)])),
        trusted_issuers: from(
          'merge(var.trusted_issuers, { prod-eks = { provider = "kubernetes", issuers = [terraform_data.cluster.output] } })',
        ),
      },
    },
  })
}

/** Puts a member that is not there into every object that has named members, and says where. */
function withStrangers(full: Json): { document: Json; paths: readonly string[]; places: ReadonlySet<string> } {
  const { places, rules } = readPlaces()
  const paths: string[] = []
  const met = new Set<string>()
  const visit = (value: Json, place: string, path: string): Json => {
    const by = places.get(place)?.by
    const name = by === undefined ? place : `${place}/${String(value[by])}`
    const { members = {}, open } = places.get(name) ?? {}
    const entries = Object.entries(value).map(([key, inner]) => {
      const rule = rules.get(members[key] ?? '')
      const at = path === '' ? key : `${path}.${key}`
      if (rule === undefined || typeof inner !== 'object' || inner === null) return [key, inner]
      if (rule.place !== '') return [key, visit(inner as Json, rule.place, at)]
      if (rule.each === '') return [key, inner]
      const each = Object.entries(inner).map(([of, entry]) => [of, visit(entry as Json, rule.each, `${at}["${of}"]`)])
      return [key, Object.fromEntries(each)]
    })
    if (open === true || path === '') return Object.fromEntries(entries)
    met.add(name)
    paths.push(path)
    return { ...Object.fromEntries(entries), [STRANGER]: 1 }
  }
  return { document: visit(full, '', ''), paths, places: met }
}

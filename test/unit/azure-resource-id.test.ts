/** Ids of Azure's resources: one form, in any case, and nothing that only looks like it. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lowerAscii } from '../../providers/azure/lower-ascii.ts'
import { isGuid, RESOURCE_GROUP, readResourceId, USER_ASSIGNED_IDENTITY } from '../../providers/azure/resource-id.ts'
import { IDENTITY, SUBSCRIPTION, VM } from '../support/entra-tokens.ts'

const KELVIN = '\u212a'
const DOTLESS_I = '\u0131'
const DOTTED_I = '\u0130'
const LONG_S = '\u017f'

describe('lower case', () => {
  test('is A to Z in lower case and everything else as it was', () => {
    const ascii = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code))

    expect(lowerAscii(ascii)).toBe(ascii.toLowerCase())
    expect(lowerAscii(`A${KELVIN}${DOTLESS_I}${DOTTED_I}${LONG_S}ÅЖΣ`)).toBe(
      `a${KELVIN}${DOTLESS_I}${DOTTED_I}${LONG_S}ÅЖΣ`,
    )
  })
})

describe('a GUID', () => {
  test('has one form', () => {
    expect(isGuid(SUBSCRIPTION)).toBe(true)
    expect(isGuid('abcdef01-2345-6789-abcd-ef0123456789')).toBe(true)
    const others = [
      '',
      SUBSCRIPTION.toUpperCase().replace('1', 'A'),
      `{${SUBSCRIPTION}}`,
      `${SUBSCRIPTION}\n`,
      `${SUBSCRIPTION}0`,
      `0${SUBSCRIPTION}`,
      SUBSCRIPTION.replaceAll('-', ''),
      SUBSCRIPTION.replace('-', '_'),
      SUBSCRIPTION.replace('1', 'g'),
      `${SUBSCRIPTION.slice(0, -1)}g`,
      '11111111-2222-3333-555555555555',
      SUBSCRIPTION.slice(1),
      SUBSCRIPTION.slice(0, -1),
      '11111111-2222-3333-444-4555555555555',
      '11111111-2222-3333-4444-4444-555555555555',
      'common',
      '../x',
    ]
    expect(others.filter(isGuid)).toEqual([])
  })
})

describe('a resource group', () => {
  test('may have any name that Azure gives in ASCII, but for words of the path', () => {
    const good = ['rg', 'rg-pay', 'rg_(1).x-y', '-', 'a', `a${'.'.repeat(88)}b`, 'providers2', 'provider', '1']
    const bad = [
      '',
      '.',
      'rg.',
      'a/b',
      'a b',
      'RG',
      'rg\n',
      'a%2f',
      '*',
      'rü',
      `r${KELVIN}`,
      'a'.repeat(91),
      '..',
      '.a',
    ]

    expect(good.filter((name) => !RESOURCE_GROUP.test(name))).toEqual([])
    expect(bad.filter((name) => RESOURCE_GROUP.test(name))).toEqual([])
    expect(['providers', 'subscriptions', 'resourcegroups'].filter((name) => RESOURCE_GROUP.test(name))).toEqual([])
  })
})

describe('a resource id', () => {
  test('is read into its parts, in lower case', () => {
    expect(readResourceId(VM)).toEqual({
      text: VM.toLowerCase(),
      subscriptionId: SUBSCRIPTION,
      resourceGroup: 'rg-pay',
      type: 'microsoft.compute/virtualmachines',
    })
    expect(readResourceId(IDENTITY)?.type).toBe(USER_ASSIGNED_IDENTITY)
    expect(USER_ASSIGNED_IDENTITY).toBe('microsoft.managedidentity/userassignedidentities')
  })

  test.each([
    ['a slot', 'Microsoft.Web/sites/shop/slots/blue', 'microsoft.web/sites/slots'],
    [
      'an instance of a scale set',
      'Microsoft.Compute/virtualMachineScaleSets/vmss/virtualMachines/0',
      'microsoft.compute/virtualmachinescalesets/virtualmachines',
    ],
    [
      'a VM of a flexible scale set',
      'Microsoft.Compute/virtualMachines/vmss_0a1b2c',
      'microsoft.compute/virtualmachines',
    ],
    ['a namespace of three words', 'Microsoft.Foo.Bar/things/x', 'microsoft.foo.bar/things'],
    ['the longest of names', `Microsoft.Web/sites/${'x'.repeat(260)}`, 'microsoft.web/sites'],
    ['a name with all that a name has', 'Microsoft.Web/sites/_(1).x-', 'microsoft.web/sites'],
  ])('may be that of %s', (_, resource, type) => {
    expect(readResourceId(idOf(resource))?.type).toBe(type)
  })

  function idOf(resource: string, group = 'rg-pay'): string {
    return `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/${resource}`
  }

  test.each([
    ['no leading slash', VM.slice(1)],
    ['two leading slashes', `/${VM}`],
    ['a final slash', `${VM}/`],
    ['a final line break', `${VM}\n`],
    ['a space before it', ` ${VM}`],
    ['a host', `https://management.azure.com${VM}`],
    ['a query', `${VM}?api-version=1`],
    ['a repeated group', VM.replace('/resourcegroups/rg-pay', '/resourcegroups/rg-pay/resourcegroups/rg-pay')],
    ['a repeated subscription', `/subscriptions/${SUBSCRIPTION}${VM}`],
    [
      'the group before the subscription',
      `/resourceGroups/rg-pay/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Web/sites/x`,
    ],
    ['a group named providers', VM.replace('rg-pay', 'providers')],
    ['a group named Providers', VM.replace('rg-pay', 'Providers')],
    ['a group named resourceGroups', VM.replace('rg-pay', 'resourceGroups')],
    ['no group', VM.replace('rg-pay', '')],
    ['no subscription', VM.replace(SUBSCRIPTION, '')],
    ['a subscription by name', VM.replace(SUBSCRIPTION, 'prod')],
    ['no resource', idOf('')],
    ['a namespace alone', idOf('Microsoft.Compute')],
    ['no name', idOf('Microsoft.Compute/virtualMachines')],
    ['an empty name', idOf('Microsoft.Compute/virtualMachines/')],
    ['an empty type', idOf('Microsoft.Compute//vm1')],
    ['an empty namespace', idOf('/virtualMachines/vm1')],
    ['a namespace of one word', idOf('Microsoft/virtualMachines/vm1')],
    ['a namespace that ends with a dot', idOf('Microsoft./virtualMachines/vm1')],
    ['a namespace that begins with a dot', idOf('.Microsoft.Compute/virtualMachines/vm1')],
    ['a namespace that ends with a dash', idOf('Microsoft.Compute-/virtualMachines/vm1')],
    ['a namespace that begins with a digit', idOf('1.Compute/virtualMachines/vm1')],
    ['a type with a dot', idOf('Microsoft.Compute/virtual.Machines/vm1')],
    ['a type that begins with a digit', idOf('Microsoft.Compute/1machines/vm1')],
    ['a name that begins with a dot', idOf('Microsoft.Compute/virtualMachines/..')],
    ['a name that is too long', idOf(`Microsoft.Web/sites/${'x'.repeat(261)}`)],
    ['a child that has no identity', `${VM}/extensions/script`],
    ['a child without a name', idOf('Microsoft.Web/sites/shop/slots')],
    ['a child with an empty name', idOf('Microsoft.Web/sites/shop/slots/')],
    ['a child of a child', idOf('Microsoft.Web/sites/shop/slots/blue/slots/red')],
    ['more after a child', idOf('Microsoft.Web/sites/shop/slots/blue/x')],
    ['a slot of what has none', idOf('Microsoft.Compute/virtualMachines/vm1/slots/blue')],
    ['another provider behind it', `${VM}/providers/Microsoft.Authorization/locks/x`],
    ['a slash in disguise', VM.replace('/vm1', '%2Fvm1')],
    ['a percent-encoded name', VM.replace('vm1', 'vm%31')],
    ['a backslash', VM.replaceAll('/', '\\')],
    ['a star', VM.replace('vm1', '*')],
    ['a null', VM.replace('vm1', 'vm1\u0000')],
    ['a Kelvin sign in its group', VM.replace('rg-pay', `rg-${KELVIN}`)],
    ['a Kelvin sign in its name', VM.replace('vm1', KELVIN)],
    ['a Kelvin sign for the k of a scale set’s child', idOf(`Microsoft.Web/sites/${KELVIN}/slots/blue`)],
    ['a dotless i in its type', VM.replace('Machines', `Mach${DOTLESS_I}nes`)],
    ['a dotted I in its type', VM.replace('Machines', `Mach${DOTTED_I}nes`)],
    ['a long s in subscriptions', VM.replace('/s', `/${LONG_S}`)],
    ['a dotless i in providers', VM.replace('providers', `prov${DOTLESS_I}ders`)],
    ['a long s in resourcegroups', VM.replace('resourcegroups', `resourcegroup${LONG_S}`)],
    ['a long s in its slot', idOf(`Microsoft.Web/sites/shop/${LONG_S}lots/blue`)],
    ['nothing', ''],
    ['slashes alone', '////////'],
    [
      'no group at all, as a subscription’s own resource',
      `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Web/sites/x`,
    ],
  ])('is none with %s', (_, id) => {
    expect(readResourceId(id)).toBeUndefined()
  })

  test('of prod-evil, or below it, is not that of prod', () => {
    const prod = readResourceId(idOf('Microsoft.Compute/virtualMachines/prod', 'prod'))

    for (const [name, group] of [
      ['prod-evil', 'prod'],
      ['prod', 'prod-evil'],
      ['evil-prod', 'prod'],
      ['prod.', 'prod'],
    ] as const) {
      const other = readResourceId(idOf(`Microsoft.Compute/virtualMachines/${name}`, group))

      expect(other?.text).toBeDefined()
      expect(other?.text).not.toBe(prod?.text)
    }
  })

  test('is the same in any case, and is its own text', () => {
    const name = fc.stringMatching(/^[a-z0-9_()-][a-z0-9_().-]{0,20}[a-z0-9]$/)
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/)
    const group = name.filter((text) => RESOURCE_GROUP.test(text))
    const segments = fc.tuple(fc.uuid(), group, word, word, word, name)
    const property = fc.property(segments, fc.infiniteStream(fc.boolean()), ([id, rg, one, two, type, of], isUpper) => {
      const lower = `/subscriptions/${id}/resourcegroups/${rg}/providers/${one}.${two}/${type}/${of}`
      const mixed = lower.replaceAll(/[a-z]/g, (letter) =>
        isUpper.next().value === true ? letter.toUpperCase() : letter,
      )
      const expected = { text: lower, subscriptionId: id, resourceGroup: rg, type: `${one}.${two}/${type}` }

      expect(readResourceId(lower)).toEqual(expected)
      expect(readResourceId(mixed)).toEqual(expected)
      expect(readResourceId(lowerAscii(mixed))?.text).toBe(lower)
    })

    fc.assert(property, { numRuns: 1_000 })
  })

  test('is none with one segment more or less, or with one of the path’s own moved', () => {
    const segments = VM.split('/')
    const at = fc.nat({ max: segments.length - 1 })
    const property = fc.property(
      at,
      fc.nat({ max: 6 }),
      fc.constantFrom(...segments, 'x', '..', '%2f'),
      (to, from, more) => {
        const moved = segments
          .toSpliced(from, 1)
          .toSpliced(to, 0, segments[from] ?? '')
          .join('/')

        expect(readResourceId(segments.toSpliced(to, 1).join('/'))).toBeUndefined()
        expect(readResourceId(segments.toSpliced(to, 0, more).join('/'))).toBeUndefined()
        expect(readResourceId(moved)?.text).toBe(moved === VM ? VM.toLowerCase() : undefined)
      },
    )

    fc.assert(property, { numRuns: 1_000 })
  })

  test('is never found in junk', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('/', ...VM.split('/'), '%2F'))
    const pieces = fc.array(piece).map((all) => all.join('/'))

    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), pieces), (text) => readResourceId(text) === undefined),
      { numRuns: 2_000 },
    )
  })

  test('is known quickly, however long a text is', () => {
    const long = ['a'.repeat(100_000), '.a'.repeat(50_000), '/'.repeat(100_000)]
    const ids = long.flatMap((text) => [text, idOf('Microsoft.Web/sites/x', text), idOf(`Microsoft${text}`)])

    expect(ids.filter((id) => readResourceId(id) !== undefined)).toEqual([])
  })
})

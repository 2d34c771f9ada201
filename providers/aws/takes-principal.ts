import type { Attributes } from '../contract/proof.ts'
import { kindOfRole, type PrincipalKind } from './arn.ts'
import type { AwsSettings } from './settings.ts'

/**
 * Whether a trusted issuer takes a principal that was verified before: its partition, its account and its kind. A record does not say
 * which region and which kind of endpoint a request was signed for, so that of these nothing is told.
 */
export function takesPrincipal({ partition, accounts, principals }: AwsSettings, attributes: Attributes): boolean {
  return (
    attributes.get('aws.partition') === partition &&
    accounts.has(attributes.get('aws.account_id') ?? '') &&
    principals.includes(kindOf(attributes))
  )
}

function kindOf(attributes: Attributes): PrincipalKind {
  const roleName = attributes.get('aws.role_name')
  return roleName === undefined ? 'user' : kindOfRole(roleName)
}

/** Whether any principal that a trusted issuer takes has this value. */
export function takesPrincipalsValue(
  { partition, accounts, principals }: AwsSettings,
  attribute: string,
  value: string,
): boolean {
  switch (attribute) {
    case 'aws.account_id':
      return accounts.has(value)
    case 'aws.partition':
      return value === partition
    case 'aws.role_name':
      return principals.includes(kindOfRole(value))
    case 'aws.role_id':
      return principals.some((kind) => kind !== 'user')
    case 'aws.user_name':
    case 'aws.user_id':
      return principals.includes('user')
    default:
      return true
  }
}

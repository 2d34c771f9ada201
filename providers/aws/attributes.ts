/** What a binding can match about a workload on AWS. The table in this folder's README says the same, and is tested. */

import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'
import { collectAttributes, createCatalogue, platformAttribute } from '../kit/attributes.ts'
import { PRINCIPAL_NAME, type Principal, ROLE_ID, type Role, SESSION_NAME, USER_ID } from './arn.ts'
import { PARTITIONS } from './endpoints.ts'
import type { SessionClaims } from './web-identity-claims.ts'

const ACCOUNT_ID = /^\d{12}$/
const ROLE_PATH = /^\/([\x21-\x2e\x30-\x7e]{1,510}\/)*$/
/** @see {@link https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html AWS Organizations, ids} */
const ORG_ID = /^o-[a-z0-9]{10,32}$/
const OU_PATH = /^o-[a-z0-9]{10,32}\/r-[a-z0-9]{4,32}\/(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}\/)*$/
/** A region that the table of STS hosts does not have yet is one all the same. */
const REGION = /^[a-z]{2,5}(-[a-z]+){1,3}-\d{1,2}$/
const INSTANCE_ID = /^i-[0-9a-f]{8,32}$/
const FUNCTION_ARN =
  /^arn:aws(-[a-z]+)*:lambda:[a-z0-9-]{1,32}:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9$_-]{1,128})?$/
const TAG_VALUE = /^[\x20-\x7e]{0,256}$/

/** Tags are attributes by name, as far as the name is one that can be written down: AWS takes letters of every script. */
const TAG_KEY = /^[A-Za-z0-9+=.:/@_-]{1,128}$/

const PROOF_KINDS = ['signed_request', 'web_identity'] as const

/** Every attribute of a verified AWS proof, by public name. */
export const AWS_ATTRIBUTES: AttributeCatalogue = createCatalogue([
  ['aws.partition', isOneOf('the partition of the account: aws, aws-cn, aws-us-gov or aws-eusc', PARTITIONS)],
  ['aws.account_id', like('the account of the role or user', ACCOUNT_ID)],
  ['aws.role_name', platformAttribute('the name of the role', PRINCIPAL_NAME, { prefix: true })],
  [
    'aws.role_id',
    {
      ...platformAttribute(
        'the unique id of the role: another one after it was recreated; only in signed requests',
        ROLE_ID,
      ),
      caution: 'a web-identity token does not have it, and so will never match',
    },
  ],
  ['aws.role_path', onlyInTokens('the path of the role, / where it has none', ROLE_PATH)],
  ['aws.user_name', platformAttribute('the name of the IAM user', PRINCIPAL_NAME)],
  ['aws.user_id', platformAttribute('the unique id of the IAM user: another one after it was recreated', USER_ID)],
  ['aws.org_id', onlyInTokens('the organization of the account', ORG_ID)],
  ['aws.ou_path', onlyInTokens('where the account stands in its organization', OU_PATH)],
  ['aws.source_region', onlyInTokens('the region that the token was asked for in', REGION)],
  ['aws.ec2_instance_id', onlyInTokens('the instance whose credentials were used', INSTANCE_ID)],
  ['aws.lambda_function_arn', onlyInTokens('the function whose credentials were used', FUNCTION_ARN)],
  ['aws.proof', isOneOf('how the workload proved itself: signed_request or web_identity', PROOF_KINDS)],
  [
    'aws.session_name',
    caller(platformAttribute('the name of the session, chosen by whoever assumed the role', SESSION_NAME)),
  ],
  [
    'aws.principal_tags/<key>',
    {
      ...caller(onlyInTokens('a tag of the role or, where the session has its own, of the session', TAG_VALUE)),
      mayDecide: true,
    },
  ],
])

/** An account, and in it a name or an id that nobody else there can have. */
export const AWS_PINS = [
  ['aws.account_id', 'aws.role_name'],
  ['aws.account_id', 'aws.role_id'],
  ['aws.account_id', 'aws.user_id'],
] as const

/** Gives the attributes of the principal behind a signed request. */
export function attributesOfPrincipal(principal: Principal): Attributes {
  return collectAttributes(AWS_ATTRIBUTES, {
    'aws.partition': principal.partition,
    'aws.account_id': principal.accountId,
    'aws.proof': 'signed_request',
    ...(principal.kind === 'user'
      ? { 'aws.user_name': principal.userName, 'aws.user_id': principal.userId }
      : {
          'aws.role_name': principal.roleName,
          'aws.role_id': principal.roleId,
          'aws.session_name': principal.sessionName,
        }),
  })
}

/** Gives the attributes of the role, and of its session, behind a web-identity token. */
export function attributesOfSession(role: Role, session: SessionClaims): Attributes {
  const tags = [...session.principalTags].filter(([key]) => TAG_KEY.test(key))
  return collectAttributes(AWS_ATTRIBUTES, {
    'aws.partition': role.partition,
    'aws.account_id': role.accountId,
    'aws.proof': 'web_identity',
    'aws.role_name': role.roleName,
    'aws.role_path': role.rolePath,
    'aws.org_id': session.orgId,
    'aws.ou_path': session.ouPath,
    'aws.source_region': session.sourceRegion,
    'aws.ec2_instance_id': session.instanceId,
    'aws.lambda_function_arn': session.functionArn,
    ...Object.fromEntries(
      tags.filter(([, value]) => TAG_VALUE.test(value)).map(([key, value]) => [`aws.principal_tags/${key}`, value]),
    ),
  })
}

/** An attribute that web-identity tokens have and signed requests have not. */
function onlyInTokens(meaning: string, pattern: RegExp): AttributeDescription {
  const caution = 'a signed request does not have it, and so will never match'
  return { ...like(`${meaning}; only in the web-identity JWT`, pattern), caution }
}

function like(meaning: string, pattern: RegExp): AttributeDescription {
  return platformAttribute(meaning, pattern)
}

function isOneOf(meaning: string, values: readonly string[]): AttributeDescription {
  return platformAttribute(meaning, new RegExp(`^(${values.join('|')})$`))
}

function caller(attribute: AttributeDescription): AttributeDescription {
  return { ...attribute, grade: 'caller' }
}

/** Answers that no honest STS gives to `GetCallerIdentity`, by name: what a verifier must not take for an identity. */

import type { StandInAnswer } from '../../kit/stand-in-server.ts'
import { errorAnswer, StsError, type StsFormat } from './sts-protocol.ts'

/** Whom the wrong answers name, as an attacker would have it. */
export interface ClaimedCaller {
  readonly account: string
  readonly arn: string
  readonly userId: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const XML_TYPE = { 'content-type': 'text/xml' }

/** Every name that {@link wrongAnswer} knows of an answer with status 200. */
export const WRONG_ANSWERS = [
  'XML within a JSON text',
  'XML where JSON was asked for',
  'answer of another action',
  'answer of another action in XML',
  'HTML content type',
  'XML content type',
  'no content type',
  'DOCTYPE',
  'external entity',
  'billion laughs',
  'flood of numeric entities',
  '__proto__ member',
  'constructor member',
  'repeated member',
  'two roots',
  'trailing garbage',
  'truncated',
  'empty',
  'null',
  'list',
  'account as a number',
  'account missing',
  'ARN missing',
  'user id missing',
  'account of another ARN',
  'session of another user id',
  'id of a user with an assumed role',
  'error beside success',
  'error beside the result',
] as const

export type WrongAnswer = (typeof WRONG_ANSWERS)[number]

/** Gives a wrong answer about a caller that looks as right as it can. */
export function wrongAnswer(name: WrongAnswer, caller: ClaimedCaller): StandInAnswer {
  const answers: Readonly<Record<WrongAnswer, StandInAnswer>> = {
    ...inXml(caller),
    ...inBentJson(caller),
    ...inAnotherShape(caller),
    ...withOtherMembers(caller),
  }
  return answers[name]
}

const success = (content: object | string | null, headers: Readonly<Record<string, string>> = JSON_TYPE) => ({
  status: 200,
  headers,
  body: typeof content === 'string' ? content : JSON.stringify(content),
})

const resultOf = ({ account, arn, userId }: ClaimedCaller) => ({ Account: account, Arn: arn, UserId: userId })

const METADATA = { RequestId: 'c025e1ba-c36b-4078-9407-fdd02eaee5aa' }

function jsonOf(result: object, action = 'GetCallerIdentity'): object {
  return { [`${action}Response`]: { [`${action}Result`]: result, ResponseMetadata: METADATA } }
}

function xmlOf({ account, arn, userId }: ClaimedCaller, action = 'GetCallerIdentity'): string {
  const result = `<Arn>${arn}</Arn><UserId>${userId}</UserId><Account>${account}</Account>`
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result></${action}Response>`
}

function inXml(caller: ClaimedCaller) {
  const xml = xmlOf(caller)
  const withEntity = (doctype: string, entity: string): StandInAnswer =>
    success(`<?xml version="1.0"?>${doctype}${xmlOf({ ...caller, userId: entity })}`, XML_TYPE)
  const laughs = Array.from({ length: 10 }, (_, index) => {
    const text = index === 0 ? 'lol' : `&lol${index - 1};`.repeat(10)
    return `<!ENTITY lol${index} "${text}">`
  })
  return {
    'XML where JSON was asked for': success(xml, XML_TYPE),
    'answer of another action in XML': success(xmlOf(caller, 'AssumeRoleWithWebIdentity'), XML_TYPE),
    DOCTYPE: withEntity(`<!DOCTYPE r [<!ENTITY id "${caller.userId}">]>`, '&id;'),
    'external entity': withEntity('<!DOCTYPE r [<!ENTITY id SYSTEM "file:///etc/passwd">]>', '&id;'),
    'billion laughs': withEntity(`<!DOCTYPE r [${laughs.join('')}]>`, '&lol9;'),
    'flood of numeric entities': withEntity('', '&#65;'.repeat(6_000)),
  }
}

function inBentJson(caller: ClaimedCaller) {
  const right = JSON.stringify(jsonOf(resultOf(caller)))
  const opened = '{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{'
  const inserted = (member: string): string => right.replace(opened, `${opened}${member},`)
  return {
    'HTML content type': success(right, { 'content-type': 'text/html' }),
    'XML content type': success(right, { 'content-type': 'application/xml' }),
    'no content type': success(right, {}),
    '__proto__ member': success(inserted('"__proto__":{"Account":"999999999999"}')),
    'constructor member': success(inserted('"constructor":{"prototype":{"Account":"999999999999"}}')),
    'repeated member': success(inserted('"Account":"999999999999"')),
    'two roots': success(right + right),
    'trailing garbage': success(`${right}<!-- -->`),
    truncated: success(right.slice(0, -2)),
  }
}

function inAnotherShape(caller: ClaimedCaller) {
  const result = resultOf(caller)
  const error = { Code: 'SignatureDoesNotMatch', Message: 'no', Type: 'Sender' }
  const right = { GetCallerIdentityResult: result, ResponseMetadata: METADATA }
  return {
    'XML within a JSON text': success({ message: xmlOf(caller) }),
    'answer of another action': success(jsonOf(result, 'AssumeRoleWithWebIdentity')),
    empty: success(''),
    null: success(null),
    list: success([jsonOf(result)]),
    'error beside success': success({ GetCallerIdentityResponse: right, Error: error }),
    'error beside the result': success({ GetCallerIdentityResponse: { ...right, Error: error } }),
  }
}

function withOtherMembers(caller: ClaimedCaller) {
  const changed = (members: object): StandInAnswer => success(jsonOf({ ...resultOf(caller), ...members }))
  const { account, userId } = caller
  const otherAccount = account === '999999999999' ? '888888888888' : '999999999999'
  const [, session = ''] = userId.split(':')
  return {
    'account as a number': changed({ Account: Number(account) }),
    'account missing': changed({ Account: undefined }),
    'ARN missing': changed({ Arn: undefined }),
    'user id missing': changed({ UserId: undefined }),
    'account of another ARN': changed({ Account: otherAccount }),
    'session of another user id': changed({ UserId: `${userId.split(':')[0]}:another-session` }),
    'id of a user with an assumed role': changed({ UserId: `AIDAQ3EGTESTEXAMPLE77:${session}` }),
  }
}

/** Gives a redirect as an STS that was taken over might send it. */
export function redirectAnswer(status: 301 | 302 | 303 | 307 | 308, location: string): StandInAnswer {
  return { status, headers: { location } }
}

const ERRORS = {
  'signature expired': {
    status: 403,
    code: 'SignatureDoesNotMatch',
    message: 'Signature expired: 20260115T115442Z is now earlier than 20260115T120938Z (20260115T122438Z - 15 min.)',
  },
  'key unknown': {
    status: 403,
    code: 'InvalidClientTokenId',
    message: 'The security token included in the request is invalid.',
  },
  'token expired': {
    status: 403,
    code: 'ExpiredToken',
    message: 'The security token included in the request is expired',
  },
  throttled: { status: 400, code: 'Throttling', message: 'Rate exceeded' },
  'internal failure': { status: 500, code: 'InternalFailure', message: 'An internal error occurred.' },
  unavailable: { status: 503, code: 'ServiceUnavailable', message: 'The service is unavailable.' },
} as const

export type StsErrorName = keyof typeof ERRORS

/** Gives an error that STS itself answers with, in the format that was asked for. */
export function stsErrorAnswer(name: StsErrorName, format: StsFormat): StandInAnswer {
  const { status, code, message } = ERRORS[name]
  return errorAnswer(new StsError(status, code, message), format)
}

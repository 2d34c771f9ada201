/** Which values each attribute of AWS takes: those that AWS could give, and no others. */

import { expect, test } from 'vitest'
import { AWS_ATTRIBUTES } from '../../providers/aws/attributes.ts'
import { PARTITIONS } from '../../providers/aws/endpoints.ts'

const LAMBDA = 'arn:aws:lambda:us-east-1:123456789012:function'

const NO_NAMES = ['', 'a b', 'a/b', 'a:b', 'é', 'a\n', '\na', 'x'.repeat(65), '*', 'a*']
const FORMS: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  'aws.partition': [PARTITIONS, ['', 'aws-iso', 'AWS', 'aws ', 'amazon']],
  'aws.account_id': [
    ['123456789012', '000000000000'],
    ['', '12345678901', '1234567890123', '123456789012\n', '12345678901a', '*'],
  ],
  'aws.role_name': [['a', 'x'.repeat(64), 'a_b+c=d,e.f@g-h'], NO_NAMES],
  'aws.role_id': [['AROAQ3EGTESTEXAMPLE77'], ['', 'AIDAQ3EGTESTEXAMPLE77', 'AROA', 'aroaQ3EGTESTEXAMPLE77']],
  'aws.role_path': [
    ['/', '/a/', '/a/b/', `/${'x'.repeat(510)}/`, '/!~/'],
    ['', 'a', '/a', 'a/', '//', '/a//', '/a b/', '/é/', `/${'x'.repeat(511)}/`, '/a/\n', '\n/'],
  ],
  'aws.user_name': [['a', 'ada@corp.example'], NO_NAMES],
  'aws.user_id': [['AIDAQ3EGTESTEXAMPLE77'], ['', 'AROAQ3EGTESTEXAMPLE77', 'AIDA']],
  'aws.org_id': [
    ['o-abc1234567', `o-${'a'.repeat(32)}`],
    ['', 'o-', 'o-abc123456', `o-${'a'.repeat(33)}`, 'O-abc1234567', 'xo-abc1234567', 'o-abc1234567\n'],
  ],
  'aws.ou_path': [
    [
      'o-a1b2c3d4e5/r-ab12/',
      'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/',
      'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/',
    ],
    [
      '',
      'o-a1b2c3d4e5',
      'o-a1b2c3d4e5/',
      'o-a1b2c3d4e5/r-ab12',
      'o-a1b2c3d4e5/r-ab12/ou-ab12/',
      'o-a1b2c3d4e5/r-ab12/x/',
      'x/o-a1b2c3d4e5/r-ab12/',
      'o-a1b2c3d4e5/r-ab12/\n',
      'o-a1b2c3d4e5/*',
    ],
  ],
  'aws.source_region': [
    ['us-east-1', 'ap-southeast-7', 'us-gov-west-1', 'eusc-de-east-1', 'xx-new-12'],
    [
      '',
      'us-east',
      'useast1',
      'us-east-1a',
      'US-EAST-1',
      'us-east-123',
      'u-east-1',
      'abcdef-east-1',
      'us-a-b-c-d-1',
      'us-east-1\n',
      'xus--1',
    ],
  ],
  'aws.ec2_instance_id': [
    ['i-01234567', 'i-0123456789abcdef0'],
    ['', 'i-', 'i-0123456', `i-${'0'.repeat(33)}`, 'i-0123456x', 'x-01234567', 'xi-01234567', 'i-01234567\n'],
  ],
  'aws.lambda_function_arn': [
    [
      'arn:aws:lambda:us-east-1:123456789012:function:api',
      'arn:aws-cn:lambda:cn-north-1:123456789012:function:a_b-c:$LATEST',
      'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:api:live',
    ],
    [
      '',
      'arn:aws:lambda:us-east-1:123456789012:function:',
      'arn:aws:lambda:us-east-1:12:function:api',
      'arn:aws:s3:us-east-1:123456789012:function:api',
      'arn:aws:lambda:us-east-1:123456789012:function:api:',
      'arn:aws:lambda:us-east-1:123456789012:function:a b',
      'xarn:aws:lambda:us-east-1:123456789012:function:api',
      'arn:aws:lambda:us-east-1:123456789012:function:api\n',
      `arn:aws:lambda:us-east-1:123456789012:function:${'x'.repeat(65)}`,
    ],
  ],
  'aws.proof': [
    ['signed_request', 'web_identity'],
    ['', 'jwt', 'signed_requests', 'web-identity'],
  ],
  'aws.session_name': [
    ['ab', 'x'.repeat(64)],
    ['a', ...NO_NAMES],
  ],
  'aws.principal_tags/team': [
    ['', 'a', ' a b ', '~', 'x'.repeat(256)],
    ['é', 'a\n', '\na', 'a\tb', '\u007f', 'x'.repeat(257)],
  ],
}

test.each(Object.entries(FORMS))('takes for %s what AWS could give, and nothing else', (name, [good, bad]) => {
  const attribute = AWS_ATTRIBUTES.get(name)

  expect(good.filter((value) => attribute?.isValue(value) !== true)).toEqual([])
  expect(bad.filter((value) => attribute?.isValue(value) !== false)).toEqual([])
})

/** Texts of which each repeats a part as often as it may, and once more or once less than that. */
const BOUNDS: Readonly<Record<string, readonly [least: number, most: number, write: (count: number) => string]>> = {
  'aws.org_id': [10, 32, (count) => `o-${'a'.repeat(count)}`],
  'aws.ou_path': [10, 32, (count) => `o-${'a'.repeat(count)}/r-ab12/`],
  'aws.ou_path of a root': [4, 32, (count) => `o-abc1234567/r-${'a'.repeat(count)}/`],
  'aws.ou_path of a unit': [4, 32, (count) => `o-abc1234567/r-ab12/ou-${'a'.repeat(count)}-11111111/`],
  'aws.ou_path to its end': [8, 32, (count) => `o-abc1234567/r-ab12/ou-ab12-${'1'.repeat(count)}/`],
  'aws.source_region': [2, 5, (count) => `${'a'.repeat(count)}-east-1`],
  'aws.source_region of parts': [1, 3, (count) => `us${'-east'.repeat(count)}-1`],
  'aws.source_region of a number': [1, 2, (count) => `us-east-${'1'.repeat(count)}`],
  'aws.ec2_instance_id': [8, 32, (count) => `i-${'0'.repeat(count)}`],
  'aws.lambda_function_arn': [1, 64, (count) => `${LAMBDA}:${'f'.repeat(count)}`],
  'aws.lambda_function_arn of a version': [1, 128, (count) => `${LAMBDA}:f:${'1'.repeat(count)}`],
  'aws.lambda_function_arn of a region': [1, 32, (count) => `${LAMBDA.replace('us-east-1', 'r'.repeat(count))}:f`],
  'aws.lambda_function_arn of an account': [12, 12, (count) => `${LAMBDA.replace(/\d{12}/, '1'.repeat(count))}:f`],
  'aws.lambda_function_arn of a partition': [
    1,
    20,
    (count) => `${LAMBDA.replace('aws', `aws-${'x'.repeat(count)}`)}:f`,
  ],
}

test.each(Object.entries(BOUNDS))('knows how long %s may be', (name, [least, most, write]) => {
  const isValue = AWS_ATTRIBUTES.get(name.split(' ')[0] ?? '')?.isValue ?? (() => undefined)

  expect([least, most].map((count) => isValue(write(count)))).toEqual([true, true])
  expect(isValue(write(least - 1))).toBe(false)
  if (!name.endsWith('of a partition')) expect(isValue(write(most + 1))).toBe(false)
})

test('describes the form of every attribute here', () => {
  expect(Object.keys(FORMS)).toEqual([...AWS_ATTRIBUTES.keys()].map((name) => name.replace('<key>', 'team')))
})

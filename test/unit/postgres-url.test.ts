/** Where a PostgreSQL store is, and that nobody can take its place. */

import { describe, expect, test } from 'vitest'
import { describePostgres, parsePostgresUrl } from '../../src/store/postgres-url.ts'

test('says where the database is, whose it is and how it is known', () => {
  expect(parsePostgresUrl('postgres://chancery:p%40ss%2F@db.example:6432/broker?sslmode=verify-full')).toEqual({
    host: 'db.example',
    port: 6_432,
    user: 'chancery',
    database: 'broker',
    password: 'p@ss/',
    passwordFile: undefined,
    tls: { rootCertFile: undefined },
  })
})

test.each([
  ['postgresql://u@db.example/d', 'u@db.example:5432/d'],
  ['postgres://u:s3cret@[2001:db8::1]:1/d', 'u@[2001:db8::1]:1/d'],
  ['postgres:///d?host=/var/run/postgresql&user=u', 'u@/var/run/postgresql/d'],
  ['postgres://u%40org@db.example/d%20e', 'u@org@db.example:5432/d e'],
])('%s is told of without its password', (url, told) => {
  expect(describePostgres(parsePostgresUrl(url))).toBe(told)
})

describe('the server’s certificate and name', () => {
  test.each([
    'postgres://u@db.example/d',
    'postgres://u@db.example/d?sslmode=verify-full',
    'postgres://u@10.0.0.1/d',
    'postgres://u@127.0.0.1.example/d',
    'postgres://u@db-127.0.0.1/d',
    'postgres://u@127.0.0/d',
    'postgres://u@[::2]/d',
    'postgres://u@localhost/d?sslmode=verify-full',
  ])('are checked for %s', (url) => {
    expect(parsePostgresUrl(url).tls).toEqual({ rootCertFile: undefined })
  })

  test('are checked by the authorities of a file, where one is named', () => {
    const { tls } = parsePostgresUrl('postgres://u@db.example/d?sslrootcert=/etc/db-ca.pem')

    expect(tls).toEqual({ rootCertFile: '/etc/db-ca.pem' })
  })

  test.each([
    'postgres://u@127.0.0.1/d',
    'postgres://u@127.9.9.9/d?sslmode=disable',
    'postgres://u@localhost/d',
    'postgres://u@[::1]/d',
    'postgres:///d?host=/run&user=u',
  ])('are not asked for where nothing leaves this machine: %s', (url) => {
    expect(parsePostgresUrl(url).tls).toBeUndefined()
  })

  test.each([
    ['disable', 'beyond this machine'],
    ['allow', 'verify-full'],
    ['prefer', 'verify-full'],
    ['require', 'verify-full'],
    ['verify-ca', 'verify-full'],
    ['no-verify', 'verify-full'],
    ['', 'verify-full'],
  ])('cannot be left unchecked: sslmode=%s', (mode, told) => {
    expect(() => parsePostgresUrl(`postgres://u@db.example/d?sslmode=${mode}`)).toThrow(told)
  })
})

test.each([
  ['postgres://db.example/d', 'no user'],
  ['postgres://u@db.example', 'no database'],
  ['postgres://u@db.example/', 'no database'],
  ['postgres://u@db.example/d/e', 'no database'],
  ['postgres:///d?user=u', 'no host'],
  ['postgres://u@one.example,two.example/d', 'one host'],
  ['postgres://u@db.example/d?host=/run', 'host twice'],
  ['postgres:///d?host=run&user=u', 'directory'],
  ['postgres://u@db.example/d?ssl=false', 'a parameter other than'],
  ['postgres://u@db.example/d?uselibpqcompat=true&sslmode=require', 'a parameter other than'],
  ['postgres://u@db.example/d?options=-c%20synchronous_commit=off', 'a parameter other than'],
  ['postgres://u@db.example/d?sslmode=verify-full&sslmode=disable', 'twice'],
  ['postgres://u@127.0.0.1/d?sslrootcert=/ca.pem', 'verify-full'],
  ['postgres://u:a#b@db.example/d', '#'],
  ['postgres://u:50%@db.example/d', '%25'],
  ['postgres://u@db.example:port/d', 'not a PostgreSQL URL'],
  ['mysql://u@db.example/d', 'not a PostgreSQL URL'],
  ['/run/postgresql d', 'not a PostgreSQL URL'],
])('%s is refused', (url, told) => {
  expect(() => parsePostgresUrl(url)).toThrow(told)
})

test('no part of a wrong URL is repeated, as it may be the password', () => {
  for (const end of ['h', 'h/d?sslmode=disable', 'h/d?x=1', 'h,i/d', 'h:x/d', '/d', 'h/d#']) {
    for (const password of ['s3cret', 's3cret%', 's3cret#', 's3cret?']) {
      expect(() => parsePostgresUrl(`postgres://u:${password}@${end}`)).toThrow(/^(?!.*s3cret)/)
    }
  }
})

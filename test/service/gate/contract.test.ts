import { expect, test } from 'vitest'
import { document, examples, pathsOf, validatorOf } from '../../support/service/contract.ts'

/** Paths and statuses of the admin API. */
const promised: readonly [call: string, statuses: readonly number[]][] = [
  ['get /tenants', [200, 401, 403]],
  ['get /tenants/{tenant}', [200, 401, 403, 404]],
  ['post /tenants/{tenant}/quiesce', [201, 400, 401, 403, 404, 409, 422, 423, 429, 500, 503]],
  ['post /tenants/{tenant}/quiesce/{lease}/renew', [200, 400, 401, 403, 409, 410]],
  ['delete /tenants/{tenant}/quiesce/{lease}', [200, 400, 401, 403, 404, 409, 410]],
  ['get /quiesce', [200, 401, 403]],
  ['get /capabilities', [200, 401, 403]],
]

test('the document is OpenAPI 3.1 and holds every call of the contract with its statuses, and no other call', () => {
  expect(document['openapi']).toBe('3.1.0')
  const calls = new Map(
    pathsOf().flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([method]) => method !== 'parameters')
        .map(([method, operation]) => [
          `${method} ${path}`,
          Object.keys((operation as { responses: object }).responses).map(Number),
        ]),
    ),
  )
  expect([...calls.keys()].sort()).toEqual(promised.map(([call]) => call).sort())
  for (const [call, statuses] of promised) expect(calls.get(call)).toEqual(expect.arrayContaining([...statuses]))
})

test('every reference of the document leads somewhere', () => {
  const broken: string[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, child] of Object.entries(node)) {
      if (key !== '$ref') walk(child)
      else if (
        String(child)
          .slice(2)
          .split('/')
          .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document) === undefined
      )
        broken.push(String(child))
    }
  }
  walk(document)
  expect(broken).toEqual([])
})

test('every parameter in a path is declared', () => {
  for (const [path, methods] of pathsOf()) {
    const declared = JSON.stringify(methods['parameters'] ?? [])
    for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) expect(declared.toLowerCase()).toContain(name)
  }
})

test('every example fits the schema that it stands beside', () => {
  expect(examples().length).toBeGreaterThan(15)
  for (const { where, value, schema } of examples()) {
    const validate = validatorOf(where, schema)
    expect({ where, valid: validate(value), errors: validate.errors }).toEqual({ where, valid: true, errors: null })
  }
})

test('every kind of trouble in the contract is answered somewhere in the document', () => {
  const text = JSON.stringify(document)
  for (const kind of [
    'idempotency-key-missing',
    'unknown-field',
    'idempotency-key-reused',
    'auth',
    'scope',
    'tenant-unknown',
    'already-quiesced',
    'fence-mismatch',
    'in-progress',
    'lease-expired',
    'tenant-busy',
    'quiesce-limit',
    'drain-timeout',
    'starting',
    'quiesce-failed',
  ]) {
    expect(text).toContain(kind)
  }
})

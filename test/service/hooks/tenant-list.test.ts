/** What the tenants command prints: what is a list, and how a list is refused. */
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { acme, failureOf, forever, shortOf } from '../../support/service/client.ts'
import { notesctl } from '../../support/service/notesctl.ts'

test('a listing that is no listing is no registry', async () => {
  const said = async (text: string): Promise<string> => {
    using ctl = notesctl(`process.stdout.write(${JSON.stringify(text)})`)
    await using service = await connectService(ctl.settings())
    return await service.tenants(forever).then(
      (tenants) => String(tenants.length),
      (error: unknown) => shortOf(Promise.reject(error as Error)),
    )
  }
  expect(await said('{"tenants":[{"id":"a","files":["/a.db"],"more":1}]}')).toBe('1')
  expect(await said('[]')).toBe('0')
  for (const text of [
    '',
    'acme\nbolt',
    '[{"id":"a"}]',
    '[{"id":"","files":[]}]',
    '[{"id":"a","files":[]},{"id":"a","files":[]}]',
    '{"tenants":5}',
  ])
    expect(await said(text)).toBe('REGISTRY_STALE untouched')
})

test('a listing of another form: which entry, what it must be, and where that stands', async () => {
  const failed = async (text: string): Promise<string> => {
    using ctl = notesctl(`process.stdout.write(${JSON.stringify(text)})`)
    await using service = await connectService(ctl.settings())
    const { message, hint } = await failureOf(service.tenants(forever))
    expect(hint).toContain('`holdfast explain service.hooks.tenants`')
    return message.replace(/^service.hooks.tenants: \[.*?\]: /, '')
  }
  const like = '; each entry must be like {"id": "acme", "files": ["/srv/acme.db"]}'
  expect(await failed('["acme"]')).toBe(`entry 1 of the list: expected object, received string${like}`)
  expect(await failed('[{"id":"a","files":[]},{"id":"b"}]')).toBe(`entry 2 of the list, files: it is missing${like}`)
})

test('fields of a listing that may be null may be absent, and one that does not fit is named', async () => {
  const listed = async (tenant: object): Promise<string> => {
    using ctl = notesctl(`console.log(JSON.stringify([${JSON.stringify(tenant)}]))`)
    await using service = await connectService(ctl.settings())
    return await service.tenant(acme, forever).then(
      ({ state, healthy }) => `${state} ${healthy}`,
      (error: Error) => error.message,
    )
  }
  expect(await listed({ id: 'acme', files: [] })).toBe('active true')
  expect(await listed({ id: 'acme', files: [], state: null, healthy: null })).toBe('active true')
  expect(await listed({ id: 'acme', files: [], state: 'asleep' })).toMatch(/: entry 1 of the list, state: /)
  expect(await listed({ id: 'acme', files: null })).toMatch(/: entry 1 of the list, files: .*array/)
})

test('what does not fit in a listing never hides that a tenant serves', async () => {
  using ctl = notesctl(
    `console.log(JSON.stringify([{ id: 'bolt', files: 5 }, { id: 'acme', ` +
      `files: null, healthy: 'yes', state: 'active' }, 7]))`,
  )
  await using service = await connectService(ctl.settings())
  expect(await shortOf(service.tenant(acme, forever))).toBe('REGISTRY_STALE untouched')
  expect(await service.servingStatus(acme, forever)).toMatchObject({ state: 'active', healthy: true })
  expect(await shortOf(service.servingStatus(tenantId('bolt2'), forever))).toBe('REGISTRY_STALE untouched')
})

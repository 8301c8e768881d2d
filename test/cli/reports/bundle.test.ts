/** The bundle of a run (I5.3): what is in it, what is masked, and where it is not written. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, type ProgramOptions, type ProgramResult } from '../../support/cli/program.ts'
import { schemaErrors } from '../../support/cli/report-schema.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

const token = 'a-very-secret-token'
let service: TestService
const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config], options)

beforeAll(async () => {
  service = await openService({
    token,
    tenants: (data) => {
      const bolt = makeDatabase(join(data, 'bolt.db'), { rows: 400 })
      damageIndex(bolt)
      const torn = makeDatabase(join(data, 'torn.db'), { rows: 400 })
      const bytes = readFileSync(torn)
      bytes.fill(0xaa, 4096 * 4, 4096 * 4 + 100)
      writeFileSync(torn, bytes)
      return { acme: join(data, 'acme.db'), bolt, '../../torn <b>': torn }
    },
    settings: {
      service: { tokenFile: 'token' },
      backups: { dir: 'backups', fetch: ['/bin/fetch', '--password=hunter2', '{tenant}', '{out}'] },
    },
  })
  writeFileSync(service.folder.in('token'), token, { mode: 0o600 })
  expect((await run(['sweep'])).code).toBe(2)
})
afterAll(() => service[Symbol.asyncDispose]())

/** Bundles, and unpacks with the tar of the system. */
async function unpackBundle(
  ...args: readonly string[]
): Promise<{ readonly ran: ProgramResult; readonly folder: string }> {
  const folder = service.folder.in(`unpacked-${Math.random().toString(36).slice(2)}`)
  const archive = `${folder}.tar.gz`
  const ran = await run(['bundle', '--output', archive, ...args])
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(statSync(archive).mode & 0o777).toBe(0o600)
  mkdirSync(folder)
  execFileSync('tar', ['-xzf', archive, '-C', folder])
  const [top = '', ...others] = readdirSync(folder)
  expect([top, others]).toEqual([expect.stringMatching(/^holdfast-bundle-[0-9A-Z]{26}$/), []])
  return { ran, folder: join(folder, top) }
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .toSorted()

describe('I5.3: a bundle', () => {
  test('has the report, its page, the ledger, the machine, the service and the damaged pages', async () => {
    const { ran, folder } = await unpackBundle('--json')
    const files = filesIn(folder)
    expect(files).toEqual(
      expect.arrayContaining([
        'README.txt',
        'configuration.json',
        'doctor.json',
        'mounts.json',
        'report.html',
        'report.json',
        'service.json',
        'versions.json',
        expect.stringMatching(/^ledger\/[0-9A-Z]{26}\.jsonl$/),
        expect.stringMatching(/^pages\/\d-bolt\/page-1\.txt$/),
        expect.stringMatching(/^pages\/\d-_torn_b_\/page-5\.txt$/),
      ]),
    )
    const listed = (JSON.parse(ran.stdout) as { readonly files: readonly { name: string; bytes: number }[] }).files
    expect(listed.map(({ name }) => name).toSorted()).toEqual(files)
    for (const { name, bytes } of listed) expect([name, statSync(join(folder, name)).size]).toEqual([name, bytes])
    const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
    const report = JSON.parse(text('report.json')) as { readonly run: { readonly id: string } }
    expect(schemaErrors(report)).toEqual([])
    expect(text('report.html')).toContain('2 of 3 tenants are damaged')
    const events = text(`ledger/${report.run.id}.jsonl`)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(events[0]).toMatchObject({ run: report.run.id, event: { kind: 'run-started' } })
    expect(events.at(-1)).toMatchObject({ event: { kind: 'run-finished', exitCode: 2 } })
    expect(JSON.parse(text('service.json'))).toMatchObject({ service: 'test', sqliteVersion: '3.54.1' })
    expect(JSON.parse(text('doctor.json'))).toMatchObject({ schema: 'holdfast.fitness/1' })
    expect(JSON.parse(text('versions.json'))).toMatchObject({ node: process.version })
    for (const name of files) if (name !== 'README.txt') expect(text('README.txt')).toContain(name)
  })

  test('has no secret: no token, no argument of a command', async () => {
    const { folder } = await unpackBundle('--with-contents')
    const all = filesIn(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    for (const secret of [token, 'hunter2']) expect(all.filter((text) => text.includes(secret))).toEqual([])
    const settings = readFileSync(join(folder, 'configuration.json'), 'utf8')
    expect(JSON.parse(settings)).toMatchObject({
      backups: { fetch: ['/bin/fetch', '(not shown)', '{tenant}', '{out}'] },
      service: { tokenFile: service.folder.in('token') },
      hold: { ttlMs: 10_000 },
    })
  })

  test('masks contents of rows, and decodes what is around them', async () => {
    const { folder } = await unpackBundle()
    const pages = filesIn(folder).filter((name) => name.startsWith('pages/'))
    const texts = pages.map((name) => readFileSync(join(folder, name), 'utf8'))
    const hexOf = (word: string): string => [...Buffer.from(word)].map((byte) => byte.toString(16)).join(' ')
    for (const text of texts) for (const word of ['title', 'body', 'CREATE']) expect(text).not.toContain(hexOf(word))
    const first = texts.find((text) => text.startsWith('page      1\n')) ?? ''
    expect(first).toMatch(/Header of the database:[^]*pageSize +4096/)
    expect(first).toContain(hexOf('SQLite format 3'))
    const torn = texts.find((text) => text.includes('page      5\n')) ?? ''
    expect(torn).toContain('No b-tree page: it has the unknown page type 170')
    expect(texts.join('')).toMatch(/B-tree page: interior page of a table[^]*left child \d+, rowid \d+/)
  })

  test('--with-contents adds whole pages, and says so', async () => {
    const { ran, folder } = await unpackBundle('--with-contents')
    expect(ran.stdout).toContain('The pages have contents of rows')
    const [name = ''] = filesIn(folder).filter((file) => file.endsWith('torn_b_/page-5.bin'))
    expect(readFileSync(join(folder, name))).toEqual(
      readFileSync(join(service.data, 'torn.db')).subarray(4096 * 4, 4096 * 5),
    )
  })

  test('overwrites nothing, and leaves nothing where it cannot be written', async () => {
    const taken = service.folder.in('taken.tar.gz')
    writeFileSync(taken, 'mine')
    expect(await run(['bundle', '--output', taken])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not overwritten') as string,
    })
    expect(readFileSync(taken, 'utf8')).toBe('mine')
    const here = service.folder.in('here')
    mkdirSync(here)
    expect((await run(['bundle'], { cwd: here })).code).toBe(0)
    expect((await run(['bundle'], { cwd: here })).code).toBe(1)
    expect(readdirSync(here)).toEqual([expect.stringMatching(/^holdfast-bundle-[0-9A-Z]{26}\.tar\.gz$/)])
    expect((await run(['bundle', 'NOPE'], { cwd: here })).code).toBe(64)
  })

  test('is made without the service, and says what is missing', async () => {
    service.vanish()
    const { ran, folder } = await unpackBundle('--json')
    expect(filesIn(folder)).not.toContain('service.json')
    expect((JSON.parse(ran.stdout) as { readonly missing: readonly string[] }).missing.join()).toContain(
      'What the service says of itself: ADMIN_UNREACHABLE',
    )
    expect(readFileSync(join(folder, 'README.txt'), 'utf8')).toContain('ADMIN_UNREACHABLE')
  })
})

/** src/service/hooks/README.md: its examples, tried with the real commands, and its numbers. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyMeanings } from '../../../src/config/reference/key-meanings.ts'
import { connectService, type ServiceSettings } from '../../../src/service/connect.ts'
import { commandFor } from '../../../src/service/hooks/argument.ts'
import { stdoutBytesMax } from '../../../src/service/hooks/command.ts'
import { idLettersMax, registryBounds } from '../../../src/service/registry-bounds.ts'
import { acme, forever, request, shortOf } from '../../support/service/client.ts'

const page = readFileSync(new URL('../../../src/service/hooks/README.md', import.meta.url), 'utf8')
const blocksBetween = (from: string, to: string): readonly string[] =>
  [...page.slice(page.indexOf(from), page.indexOf(to)).matchAll(/```json\n([^]*?)```/g)].map(([, text = '']) => text)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hooks-page-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const hooks = (more: Partial<ServiceSettings>): ServiceSettings =>
  ({
    kind: 'hooks',
    name: 'notes',
    tenants: ['true'],
    quiesce: ['true', '{tenant}'],
    resume: ['true', '{tenant}'],
    timeoutMs: 20_000,
    ...more,
  }) as ServiceSettings

async function listed(text: string): Promise<string> {
  const file = join(folder, 'listing.json')
  writeFileSync(file, text)
  await using service = await connectService(hooks({ tenants: ['cat', file] }))
  return await service.tenants(forever).then(
    (tenants) => `${tenants.length} listed`,
    (error: unknown) => shortOf(Promise.reject(error as Error)),
  )
}

describe('what tenants prints', () => {
  const accepted = blocksBetween('These are accepted', 'These are refused')
  const refused = blocksBetween('These are refused', '## Exit codes')

  test.each(accepted)('accepted: %s', async (text) => {
    const document = JSON.parse(text) as readonly unknown[] | { readonly tenants: readonly unknown[] }
    expect(await listed(text)).toBe(`${'tenants' in document ? document.tenants.length : document.length} listed`)
  })

  test.each(refused)('refused: %s', async (text) => {
    expect(await listed(text)).toBe('REGISTRY_STALE untouched')
  })

  test('both kinds stand on the page', () => {
    expect([accepted.length, refused.length]).toEqual([4, 6])
  })
})

const rows = [...page.matchAll(/^\| `(\[.*?\])` \| `(".*?")` \| (?:`(\[.*?\])`|refused: .*) \|$/gm)].map(
  ([, words = '', id = '', argv]) => [words, id, argv ?? null] as const,
)

test.each(rows)('%s for %s', (words, id, argv) => {
  const made = (): readonly string[] => commandFor(JSON.parse(words) as string[], JSON.parse(id) as string)
  if (argv === null) expect(made).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error)
  else expect(made()).toEqual(JSON.parse(argv))
})

test('all rows of that table were tried', () => {
  const table = page.slice(page.indexOf('| configured |'), page.indexOf('- Environment'))
  expect(rows).toHaveLength(table.trim().split('\n').length - 2)
})

test('environment, standard input, working folder and output of each command', async () => {
  const program = join(folder, 'notesctl')
  writeFileSync(
    program,
    `#!/bin/sh
exec >"$(dirname "$0")/$1" 2>&1 </dev/stdin
env | grep -E '^HOLDFAST_(QUIESCE|RESUME)='; env | grep '^HOOK_TEST='; pwd; wc -c
`,
  )
  chmodSync(program, 0o755)
  process.env['HOOK_TEST'] = 'inherited'
  try {
    await using service = await connectService(
      hooks({
        tenants: [program, 'tenants'],
        quiesce: [program, 'quiesce', '{tenant}'],
        resume: [program, 'resume', '{tenant}'],
      }),
    )
    await shortOf(service.tenants(forever))
    await service.resume(await service.quiesce(acme, request, forever), forever)
  } finally {
    delete process.env['HOOK_TEST']
  }
  const seen = (command: string): readonly string[] =>
    readFileSync(join(folder, command), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim())
  const rest = ['HOOK_TEST=inherited', process.cwd(), '0']
  expect(seen('tenants')).toEqual(rest)
  expect(seen('quiesce')).toEqual([`HOLDFAST_QUIESCE=${request.holder}`, ...rest])
  expect(seen('resume')).toEqual([`HOLDFAST_RESUME=${request.holder}`, ...rest])
  for (const name of ['HOLDFAST_QUIESCE', 'HOLDFAST_RESUME']) expect(page).toContain(`\`${name}\``)
})

test('failures and limits are those of the program', async () => {
  await using failing = await connectService(
    hooks({
      tenants: ['false'],
      quiesce: ['false', '{tenant}'],
      resume: ['sh', '-c', `echo x >>${folder}/resumes; exit 1`, '{tenant}'],
    }),
  )
  const codes = [
    ['tenants', await shortOf(failing.tenants(forever))],
    ['quiesce', await shortOf(failing.quiesce(acme, request, forever))],
    ['resume', await shortOf(failing.resume({ tenant: acme, leaseId: 'x', fence: null }, forever))],
  ] as const
  for (const [command, said] of codes) expect(page).toContain(`| \`${command}\` | \`${said.split(' ')[0]}\` |`)
  expect(page).toContain(`${readFileSync(join(folder, 'resumes'), 'utf8').trim().split('\n').length} times in all`)
  expect(page).toContain(`may print ${stdoutBytesMax / 2 ** 20} MiB`)
  expect(page).toContain(`\`service.hooks.timeout\` (${keyMeanings['service.hooks.timeout']?.default})`)
  const inWords = (count: number): string => count.toLocaleString('en-US')
  expect(page).toContain(
    `${inWords(registryBounds.tenantsMax)} tenants and ` +
      `${inWords(registryBounds.filesMax)} files. An id has at most ` +
      `${inWords(idLettersMax)} letters`,
  )
})

test('prose stays within 120 columns', () => {
  expect(page.split('\n').filter((line) => line.length > 120 && !/^[|[{]/.test(line))).toEqual([])
})

/** Which libraries a command loads: a monitor calls some of them every minute, and a hook waits for others. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../support/cli/folder.ts'
import { holdfast, type ProgramResult } from '../support/cli/program.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { eventually, isRunning } from '../support/processes.ts'

const folder = temporaryFolder()
afterAll(() => folder[Symbol.dispose]())

const watcher = folder.file('watch.mjs')
writeFileSync(
  watcher,
  `import { registerHooks } from 'node:module'
  const libraries = new Set()
  registerHooks({ load(url, context, next) {
    const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules)/.exec(url) ?? []
    if (name !== undefined) libraries.add(name)
    return next(url, context)
  } })
  process.on('exit', () => {
    if (process.argv[1]?.endsWith('holdfast.js')) console.error('LOADED ' + [...libraries].join(' '))
  })`,
)

async function watched(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<ProgramResult> {
  return holdfast(args, { env: { NODE_OPTIONS: `--import ${watcher}`, ...more } })
}

function librariesIn({ stderr }: ProgramResult): readonly string[] {
  const line = /^LOADED (.*)$/m.exec(stderr)?.[1]
  expect(line).toBeDefined()
  return line?.split(' ') ?? []
}

const librariesOf = async (...args: readonly string[]): Promise<readonly string[]> => librariesIn(await watched(args))

const config = folder.file('holdfast.yaml')
const text = JSON.stringify({
  service: { name: 'notes', admin: `unix:${folder.file('admin.sock')}` },
  tenants: { roots: [folder.file('.')] },
  ledger: { dir: folder.file('ledger') },
  snapshots: { dir: folder.file('snapshots') },
})
writeFileSync(config, text, { mode: 0o600 })

test('the version loads no library of a run', async () => {
  expect(await librariesOf('--version')).toEqual(expect.not.arrayContaining(['zod', 'p-queue', 'minimatch', 'yaml']))
})

/** Of a run, of its progress, of bundles, and of traces. */
const ofRuns = ['p-queue', 'koffi', 'ora', 'tar', '@opentelemetry/api', '@opentelemetry/sdk-trace']

test.each([
  ['status', ['status', '--config', config]],
  ['history', ['history', '--config', config]],
])('%s loads none of a run', async (_, args) => {
  const loaded = await librariesOf(...args)
  expect(loaded).toContain('yaml')
  expect(loaded.filter((name) => ofRuns.includes(name))).toEqual([])
})

test('a hook that begins a triage loads none of a run', async () => {
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
  const monit = {
    MONIT_SERVICE: 'notes',
    MONIT_EVENT: 'gone',
    MONIT_DESCRIPTION: '-',
    MONIT_DATE: '-',
    MONIT_HOST: '-',
  }
  const ran = await watched(['triage', '--from-monit', '--json', '--config', config], monit)
  expect(ran.code).toBe(0)
  // It locks its request, which needs koffi.
  expect(librariesIn(ran).filter((name) => ofRuns.includes(name))).toEqual(['koffi'])
  const { pid } = JSON.parse(ran.stdout) as { readonly pid: number }
  // No service answers it. It must not write into a folder that is gone.
  await eventually('the triage has ended', () => !isRunning(pid))
})

test('a check of a file that finds damage loads nothing for traces, bundles or a terminal', async () => {
  const file = makeDatabase(folder.file('a.db'))
  damageIndex(file)
  const loaded = await librariesOf('check', file)
  expect(loaded).toContain('koffi')
  expect(loaded.filter((name) => ['ora', 'tar', 'yaml'].includes(name) || name.startsWith('@opentelemetry'))).toEqual(
    [],
  )
})

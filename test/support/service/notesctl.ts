import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HookSettings } from '../../../src/service/hooks/hook-service.ts'

/**
 * A folder with a program `notesctl` that writes its arguments down, one per line, each call ended by a line of its
 * own.
 */
export function notesctl(
  body = '',
): Disposable & {
  path: string
  program: string
  settings: (more?: Partial<HookSettings>) => HookSettings
  calls: () => string[][]
} {
  const path = mkdtempSync(join(tmpdir(), 'hooks-'))
  const program = join(path, 'notesctl')
  writeFileSync(
    program,
    `#!${process.execPath}\nconst fs = require('node:fs'); const args = ` +
      `process.argv.slice(2)\nfs.appendFileSync(${JSON.stringify(join(path, 'calls'))}, JSON.stringify(args) + ` +
      `'\\n')\n${body}\n`,
  )
  chmodSync(program, 0o755)
  const settings = (more: Partial<HookSettings> = {}): HookSettings => ({
    kind: 'hooks',
    name: 'notes',
    tenants: [program, 'tenants'],
    quiesce: [program, 'pause', '--', '{tenant}'],
    resume: [program, 'resume', '--', '{tenant}'],
    timeoutMs: 5_000,
    ...more,
  })
  const calls = (): string[][] =>
    existsSync(join(path, 'calls'))
      ? readFileSync(join(path, 'calls'), 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as string[])
      : []
  return { path, program, settings, calls, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** The body of a `notesctl` that lists two tenants. */
export const listing =
  `if (args[0] === 'tenants') console.log(JSON.stringify([{ id: 'acme', ` +
  `files: ['/srv/acme.db'] }, { id: 'bolt', files: [] }]))`

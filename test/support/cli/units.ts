/**
 * The example of src/service/hooks/README.md: programs that are stopped and started as units of systemd. A command of
 * the name `systemctl` stands in for systemd: it stops a program with SIGTERM and waits for its end.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDatabase, makeFolder, type Folder } from './folder.ts'
import { generousLimits } from './generous-limits.ts'
import { holdfast, type ProgramResult } from './program.ts'

const page = readFileSync(new URL('../../../src/service/hooks/README.md', import.meta.url), 'utf8')
const example = page.slice(page.indexOf('## A program that is stopped'), page.indexOf('## What a command is given'))
const [, configured = '', , units = ''] = /```yaml\n([^]*?)```\n(```json\n([^]*?)```)/.exec(example) ?? []

const program = fileURLToPath(new URL('../programs/live/unit.ts', import.meta.url))

const systemctl = (database: string): string => `#!/bin/sh
here=$(dirname "$0")
unit=\${2%.service}
running="$here/$unit.running"
echo "$1 $2" >>"$here/calls"
case $1 in
  start)
    [ -e "$running" ] && exit 0
    setsid '${process.execPath}' '${program}' '${database}' "$running" </dev/null >/dev/null 2>>"$here/errors" &
    echo $! >"$here/$unit.pid"
    until [ -e "$running" ]; do sleep 0.01; done ;;
  stop)
    [ -e "$running" ] || exit 0
    kill -TERM "$(cat "$here/$unit.pid")"
    while [ -e "$running" ]; do sleep 0.01; done ;;
esac
`

export interface UnitHost extends Disposable {
  readonly folder: Folder
  readonly database: string
  readonly isRunning: () => boolean
  /** The commands that systemctl got since the last call, in order. */
  takeCalls(): readonly string[]
  systemctl(verb: 'start' | 'stop'): void
  holdfast(...args: readonly string[]): Promise<ProgramResult>
}

/**
 * The unit runs.
 * @param change of the text of the configuration
 */
export function openUnitHost({
  wal = true,
  before = () => {},
  change = (text) => text,
}: {
  readonly wal?: boolean
  /** Called with the database before the unit starts. */
  readonly before?: (database: string) => void
  readonly change?: (text: string) => string
} = {}): UnitHost {
  const folder = makeFolder()
  const [bin, config, calls] = [folder.in('bin'), folder.in('etc/units.yaml'), folder.in('bin/calls')]
  const database = folder.in('var/lib/vault/db.sqlite3')
  const own = ['snapshots', 'ledger', 'backups'].map((name) => `${name}: { dir: ${folder.in(name)} }\n`).join('')
  for (const path of [bin, dirname(config), dirname(database)]) mkdirSync(path, { recursive: true })
  const placed = (text: string): string =>
    text.replaceAll('/etc/holdfast', dirname(config)).replaceAll('/var/lib', folder.in('var/lib'))
  writeFileSync(config, `${placed(change(configured))}${own}${generousLimits}`)
  writeFileSync(folder.in('etc/units.json'), placed(units))
  makeDatabase(database, { wal, rows: 200 })
  before(database)
  writeFileSync(join(bin, 'systemctl'), systemctl(database))
  chmodSync(join(bin, 'systemctl'), 0o755)
  const run = (verb: string): void =>
    void execFileSync(join(bin, 'systemctl'), [verb, 'vault.service'], { timeout: 240_000 })
  const takeCalls = (): readonly string[] => {
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
    writeFileSync(calls, '')
    return lines.filter((line) => line !== '')
  }
  run('start')
  takeCalls()
  return {
    folder,
    database,
    isRunning: () => existsSync(join(bin, 'vault.running')),
    takeCalls,
    systemctl: run,
    holdfast: (command = '', ...rest) =>
      holdfast([command, ...rest, '--config', config], { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } }),
    [Symbol.dispose]() {
      run('stop')
      folder[Symbol.dispose]()
    },
  }
}

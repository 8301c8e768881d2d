/** The scripts that complete command lines, in the shells themselves. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'

const isThere = (program: string): boolean => spawnSync('which', [program]).status === 0
const scriptFor = async (shell: string): Promise<string> => (await holdfast(['completion', shell])).stdout

test('bash completes commands, commands below them, options and their choices', async () => {
  using folder = makeFolder()
  writeFileSync(folder.in('completion'), await scriptFor('bash'))
  const complete = (...words: readonly string[]): readonly string[] => {
    const program = `source "$1"; shift
COMP_WORDS=(holdfast "$@"); COMP_CWORD=$#; compopt() { COMPREPLY=(FILES); }
_holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-euc', program, 'bash', folder.in('completion'), ...words], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => line !== '')
  }
  expect(complete('swe')).toEqual(['sweep'])
  expect(complete('backups', 'ver')).toEqual(['verify'])
  expect(complete('sweep', '--dep')).toEqual(['--depth'])
  expect(complete('check', '--engine', '')).toEqual(['census', 'sqlite'])
  expect(complete('install', '')).toEqual(['systemd', 'monit', 'cron'])
  expect(complete('check', '--config', '')).toEqual(['FILES'])
  expect(complete('check', 'app')).toEqual(['FILES'])
})

test.skipIf(!isThere('zsh'))('zsh loads its script (skipped without zsh)', async () => {
  using folder = makeFolder()
  writeFileSync(folder.in('_holdfast'), await scriptFor('zsh'))
  const program = 'autoload -Uz compinit; compinit -D -u; source "$1"; _holdfast_sweep >/dev/null 2>&1; print ok'
  const { stdout, stderr } = spawnSync('zsh', ['-fc', program, 'zsh', folder.in('_holdfast')], { encoding: 'utf8' })
  expect([stdout, stderr]).toEqual(['ok\n', ''])
})

test.skipIf(!isThere('fish'))('fish completes by its script (skipped without fish)', async () => {
  using folder = makeFolder()
  writeFileSync(folder.in('holdfast.fish'), await scriptFor('fish'))
  const complete = (line: string): string =>
    spawnSync('fish', ['--no-config', '-c', `source ${folder.in('holdfast.fish')}; complete -C '${line}'`], {
      encoding: 'utf8',
      env: { ...process.env, HOME: folder.in('.') },
    }).stdout
  expect(complete('holdfast swe')).toMatch(/^sweep\t/)
  expect(complete('holdfast check --engine ')).toMatch(/^census\t/m)
  expect(complete('holdfast backups ver')).toMatch(/^verify$/m)
})

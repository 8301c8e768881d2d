/** The man page that a build makes. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { holdfast } from '../support/cli/program.ts'

const file = new URL('../../dist/holdfast.1', import.meta.url).pathname

test.skipIf(spawnSync('which', ['groff']).status !== 0)(
  'the man page has all commands, and roff finds no mistake in it (skipped without groff)',
  async () => {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou', file], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const { stdout: help } = await holdfast(['--help'])
    const commands = [...help.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'help')
    expect(commands).toContain('sweep')
    for (const name of commands) expect(stdout).toContain(`holdfast ${name}\n`)
    expect(stdout).toContain("holdfast sweep --only 'a*' 'b*'") // As it can be copied.
  },
)

test('the package installs the man page', () => {
  const { man } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly man: readonly string[]
  }
  expect(man).toEqual(['./dist/holdfast.1'])
})

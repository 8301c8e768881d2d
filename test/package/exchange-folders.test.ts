/** A build puts its folder in the place of the last one: whoever looks meanwhile finds one of them, whole. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../support/cli/folder.ts'

const program = new URL('../../scripts/build/exchange-folders.ts', import.meta.url).pathname

test('a folder takes the place of another in one step, and of none', () => {
  using folder = makeFolder()
  const exchange = (): Buffer => execFileSync(process.execPath, [program, 'new', 'dist'], { cwd: folder.path })
  const make = (text: string): void => {
    mkdirSync(folder.in('new'))
    writeFileSync(folder.in('new/program'), text)
  }
  make('first')
  exchange()
  expect([readFileSync(folder.in('dist/program'), 'utf8'), existsSync(folder.in('new'))]).toEqual(['first', false])
  make('second')
  exchange()
  expect([readFileSync(folder.in('dist/program'), 'utf8'), readFileSync(folder.in('new/program'), 'utf8')]).toEqual([
    'second',
    'first',
  ])
})

/** Helps are written for 80 columns: nothing that fits is wrapped there, and nothing is wider than the terminal. */
import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { wrapHanging } from '../../src/text/layout.ts'
import { holdfast } from '../support/cli/program.ts'

const commands = [
  'agent',
  'alerts',
  'backups',
  'bundle',
  'check',
  'compare',
  'completion',
  'coordinator',
  'doctor',
  'explain',
  'fleet',
  'fleet agents',
  'fleet compare',
  'fleet export',
  'fleet history',
  'fleet import',
  'fleet pause',
  'fleet reconcile',
  'fleet resume',
  'fleet status',
  'fleet sweep',
  'fleet triage',
  'history',
  'holders',
  'init',
  'install',
  'pull',
  'reconcile',
  'repair',
  'report',
  'restore',
  'resume',
  'salvage',
  'status',
  'sweep',
  'triage',
]
const helpAt = async (command: readonly string[], width: number): Promise<string> =>
  (await holdfast([...command, '--help'], { env: { COLUMNS: String(width) } })).stdout
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

describe('the help of', () => {
  test.each(['', ...commands])('holdfast %s', async (name) => {
    const command = name === '' ? [] : name.split(' ')
    const [at79 = '', at80 = '', ...wider] = await Promise.all(
      [79, 80, 81, 100, 200].map((width) => helpAt(command, width)),
    )
    expect(at80).toContain('Usage: holdfast')
    expect(widest(at79)).toBeLessThanOrEqual(79)
    expect(widest(at80)).toBeLessThanOrEqual(80)
    expect(wider).toEqual([at80, at80, at80])
  })
})

test('a sentence that fits is one line, and what is too wide by a letter is two', () => {
  const sentence = `${'word '.repeat(15)}tail.`
  expect(sentence).toHaveLength(80)
  expect(wrapHanging(sentence, 80)).toEqual([sentence])
  expect(wrapHanging(`  ${sentence}`, 82)).toEqual([`  ${sentence}`])
  expect(wrapHanging(sentence, 79)).toEqual([sentence.slice(0, 74), '  tail.'])
})

test('the short part of the help of doctor comes before the table of requirements', async () => {
  const help = await helpAt(['doctor'], 80)
  expect(help.indexOf('What a service must do')).toBeGreaterThan(help.indexOf('Exit codes: 0 no step is unfit'))
  expect(help).toContain('NOT TRIED')
})

test.each(['check', 'sweep'])('the help of %s names the workers that this machine has by default', async (command) => {
  const help = await helpAt([command], 80)
  expect(help.replaceAll(/\s+/g, ' ')).toContain(`or one for each processor: ${availableParallelism()} here)`)
  expect(help).not.toContain('--concurrency') // The old name of `sweep` is accepted, and hidden.
})

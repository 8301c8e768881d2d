/** Options are read from a command line that commander refuses, in the way in which commander reads them. */
import { expect, test } from 'vitest'
import { givenOptions } from '../../../src/cli/printing/given-options.ts'

const flags = ['--json', '--quiet', '--format <format>', '--tenant <id...>']
const read = (words: string): unknown => givenOptions(flags, words.split(' '))

test.each([
  ['--json', { json: true }],
  ['--nonsense --json', { json: true }],
  ['--nonsense value --json', { json: true }],
  ['--format xml --json', { format: 'xml', json: true }],
  ['--format nagios --format text', { format: 'text' }],
  ['--format text --format=nagios', { format: 'nagios' }],
  ['--format --json', { format: '--json' }],
  ['--tenant --json', { tenant: ['--json'] }],
  ['--tenant acme --json', { tenant: ['acme'], json: true }],
  ['-- --json', {}],
  ['acme -- --format nagios', {}],
  ['--format monit --format', { format: 'monit' }],
  ['', {}],
])('%s', (words, options) => {
  expect(read(words)).toEqual(options)
})

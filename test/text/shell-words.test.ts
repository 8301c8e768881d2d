/** Commands that people copy into a shell. */
import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tenantId } from '../../src/model/brand.ts'
import { printableSentence } from '../../src/text/printable.ts'
import { shellWord, targetWords, tenantWord } from '../../src/text/shell-words.ts'

const confusingText = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        '\\',
        "'",
        '"',
        '$',
        '`',
        '\n',
        '\u001b',
        'x',
        '0',
        '1',
        'a',
        'f',
        ' ',
        '!',
        '~',
        '*',
        '\u202e',
        '\u00a0',
        'é',
        '日',
        '\ufe0f',
        '\u2800',
        '\u3164',
      ),
      maxLength: 30,
    }),
  )
  .filter((text) => !text.includes('\0') && text.isWellFormed())

test('a shell passes exactly the word, whatever it holds', () => {
  const words = fc.sample(confusingText, { numRuns: 400, seed: 7 })
  const out = execFileSync('bash', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' })
  expect(out.split('\0').slice(0, -1)).toEqual(words)
})

test('a word can be shown as it is: one line, nothing hidden', () => {
  fc.assert(
    fc.property(confusingText, (text) => {
      expect(printableSentence(shellWord(text))).toBe(shellWord(text))
    }),
  )
})

test('bytes of a name that are not UTF-8 reach the program as they are', () => {
  const out = execFileSync('bash', ['-c', `printf %s ${shellWord('ca\udcc3\udc80f\udce9 1.db')}`], {
    encoding: 'latin1',
  })
  expect(out).toBe('ca\xc3\x80f\xe9 1.db')
  expect(printableSentence('caf\udce9.db')).toBe(String.raw`caf\xe9.db`)
})

test('nothing becomes an option', () => {
  expect(targetWords(tenantId('--all'), '/x')).toBe('--tenant=--all')
  expect(targetWords(null, '--snapshot')).toBe('./--snapshot')
  expect(targetWords(tenantId(''), '/x')).toBe(`--tenant ''`)
})

test('the id of a tenant as a word of its own is never taken for an option', () => {
  expect(['acme', '-acme', '--all', 'a b'].map(tenantWord)).toEqual(['acme', '-- -acme', '-- --all', "'a b'"])
})

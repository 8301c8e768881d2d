import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve, dirname, sep } from 'node:path'
import { expect, test } from 'vitest'

/** The only permitted order: a folder sees itself and those before it (src/ARCHITECTURE.md). */
const order = [
  'model',
  'text',
  'sqlite',
  'census',
  'comparison',
  'diagnosis',
  'host',
  'config',
  'service',
  'ledger',
  'hold',
  'check',
  'backup',
  'repair',
  'fleet',
  'doctor',
  'report',
  'cli',
]
const pure = new Set(['model', 'text', 'sqlite', 'census', 'comparison', 'diagnosis'])
/** Without effects. */
const libraries = new Set(['get-east-asian-width', 'leven'])
const root = resolve(import.meta.dirname, '../../src')

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const imports = sources.flatMap((name) => {
  const file = join(root, name)
  const found = readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^\n'`]*\bfrom '([^'\n]+)'$|^import '([^'\n]+)'$|\bimport\('([^']+)'\)/gm,
  )
  return [...found]
    .map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '')
    .map((target) => ({
      name,
      target,
      resolved: target.startsWith('.') ? relative(root, resolve(dirname(file), target)) : null,
    }))
})
const folderOf = (path: string): string => path.split(sep)[0] ?? ''

test('every source file lies in a known folder', () => {
  expect(sources.filter((name) => !order.includes(folderOf(name)))).toEqual([])
  expect(sources.length).toBeGreaterThan(0)
})

test('no folder imports one that comes after it', () => {
  const wrong = imports.filter(
    ({ name, resolved }) => resolved !== null && order.indexOf(folderOf(resolved)) > order.indexOf(folderOf(name)),
  )
  expect(wrong).toEqual([])
})

test('the pure folders import nothing with effects', () => {
  expect(
    imports.filter(
      ({ name, target, resolved }) => pure.has(folderOf(name)) && resolved === null && !libraries.has(target),
    ),
  ).toEqual([])
})

test('the gate has no dependencies but Node and itself', () => {
  const gate = imports.filter(({ name }) => name.startsWith(join('service', 'gate')))
  expect(
    gate.filter(({ target, resolved }) =>
      resolved === null ? !target.startsWith('node:') : !resolved.startsWith(join('service', 'gate')),
    ),
  ).toEqual([])
})

test('only hold/ mints and accepts a LivePath', () => {
  const mentions = sources.filter((name) => /\bLivePath\b/.test(readFileSync(join(root, name), 'utf8')))
  expect(mentions.map(folderOf).filter((folder) => folder !== 'hold' && folder !== 'model')).toEqual([])
})

/** The part of YAML that a configuration needs: sections, lists and words, each with its line. */

import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import { invariant } from '../model/bug.ts'

interface TextPosition {
  /** Both counted from 1. */
  readonly line: number
  readonly column: number
}

export interface PlacedProblem extends TextPosition {
  readonly message: string
}

export type YamlParseResult =
  | {
      readonly kind: 'read'
      readonly value: unknown
      placeOf(path: readonly PropertyKey[], of: 'key' | 'value'): TextPosition
    }
  | { readonly kind: 'refused'; readonly problems: readonly PlacedProblem[] }

/** A configuration has four levels. Text with hundreds was written to break the parser. */
const depthMax = 40

export function readYaml(text: string): YamlParseResult {
  const deep = deepPlace(text)
  if (deep !== null)
    return { kind: 'refused', problems: [{ ...deep, message: 'lists or sections are nested too deeply' }] }
  const lines = new LineCounter()
  const document = parseTolerantly(text, lines)
  const place = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const problems = [
    ...[...document.errors, ...document.warnings].map((error) => ({
      ...place(error.pos[0]),
      message: plain(error.code, error.message),
    })),
    ...repeatedKeys(document).map((offset) => ({ ...place(offset), message: 'this key is here a second time' })),
    ...references(document).map((offset) => ({
      ...place(offset),
      message: 'anchors, aliases and tags are not understood here: write the value out',
    })),
  ]
  if (problems.length > 0) return { kind: 'refused', problems }
  return {
    kind: 'read',
    value: document.toJS({ maxAliasCount: 0 }) as unknown,
    placeOf: (path, of) => place(offsetOf(document, path, of)),
  }
}

/** The text at this path, also if other parts are not valid YAML; null if there is none. */
export function textAt(text: string, path: readonly string[]): string | null {
  if (deepPlace(text) !== null) return null
  const value: unknown = parseTolerantly(text, new LineCounter()).getIn(path)
  return typeof value === 'string' ? value : null
}

const parseTolerantly = (text: string, lineCounter: LineCounter): Document =>
  parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    merge: false,
    version: '1.2',
    schema: 'core',
    stringKeys: true,
  })

/**
 * The parser is recursive, so the depth is bounded before it begins: by brackets in flow style, by dashes and
 * indentation in block style.
 * @returns where the text becomes too deep; null if it does not
 */
function deepPlace(text: string): TextPosition | null {
  const lines = text.split('\n')
  let brackets = 0
  for (const [index, line] of lines.entries()) {
    const dashes = /^[\s?:-]*/.exec(line)?.[0].replaceAll(/[^?:-]/g, '').length ?? 0
    for (const letter of line) {
      if (letter === '[' || letter === '{') brackets += 1
      if (letter === ']' || letter === '}') brackets = Math.max(0, brackets - 1)
    }
    const indent = line.length - line.trimStart().length
    if (brackets > depthMax || dashes > depthMax || indent > 10 * depthMax) return { line: index + 1, column: 1 }
  }
  return null
}

function plain(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line: use spaces'
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: a configuration is one document'
  return `is no valid YAML: ${message}`
}

/**
 * The parser could find them too, but takes minutes for a file with very many keys.
 */
function repeatedKeys(document: Document): readonly number[] {
  const offsets: number[] = []
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = keyText(key)
        if (seen.has(name)) offsets.push(startOf(key) ?? 0)
        seen.add(name)
      }
    },
  })
  return offsets
}

const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key)

function references(document: Document): readonly number[] {
  const offsets: number[] = []
  visit(document, (_key, node) => {
    if (
      isAlias(node) ||
      (isNode(node) && 'anchor' in node && node.anchor !== undefined) ||
      (isNode(node) && hasOwnTag(node))
    ) {
      offsets.push(isNode(node) ? (node.range?.[0] ?? 0) : 0)
    }
  })
  return offsets
}

/** True for a tag that is in the text, and false for one that the schema gave. */
const hasOwnTag = (node: Node): boolean =>
  node.tag !== undefined && (isScalar(node) || isMap(node) || isSeq(node)) && node.tag !== ''

/**
 * Where the value at `path` begins, or the key that leads to it. If it is missing: the nearest section around it.
 */
function offsetOf(document: Document, path: readonly PropertyKey[], of: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step))
      if (pair === undefined) return offset
      const keyOffset = startOf(pair.key) ?? offset
      // A value that begins below its key is located by the key; one on the same line by itself.
      offset = last && of === 'value' ? (valueBeside(pair.value) ?? keyOffset) : keyOffset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      offset = startOf(node) ?? offset
    } else {
      return offset
    }
  }
  invariant(offset >= 0, 'a place in a text is not before its beginning')
  return offset
}

/** Cached for each section: otherwise many problems in one section would each search it. */
const pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>()
function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairs.get(map) ?? new Map(map.items.map((pair) => [keyText(pair.key), pair]))
  pairs.set(map, known)
  return known
}

const startOf = (node: unknown): number | null => (isNode(node) ? (node.range?.[0] ?? null) : null)
const valueBeside = (node: unknown): number | null =>
  isScalar(node) || (isNode(node) && 'flow' in node && node.flow) ? startOf(node) : null

/** The kinds of value in a configuration. Each describes in words what it expects, with an example. */

import { isAbsolute, resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Command } from './settings.ts'
import { durationMs, durationUnitNames, sizeBytes, sizeUnitNames } from './units.ts'

/** The value, or why it is refused. */
type ParseResult<Value> = { readonly value: Value } | { readonly refused: string }
const refused = (why: string): { readonly refused: string } => ({ refused: why })

export interface Kind<Value> {
  /** With an example: `a duration such as 30s`. */
  readonly expected: string
  /** All that is allowed, without an example: `a duration from 1s to 1h`. Left out if `expected` says it all. */
  readonly allowed?: string
  /** `ms, s, m, h, d`; left out if a value has no unit. */
  readonly unit?: string
  /** null if `given` is not what is expected. */
  read(given: unknown): ParseResult<Value> | null
}

/** A key that holds a value, as the reference describes it. */
interface ValueNote {
  readonly allowed: string
  readonly unit: string | null
  readonly required: boolean
}

/** The notes of all keys, each by its schema. */
export const valueNotes = z.registry<ValueNote>()

/** The key must be there. */
export function required<Value>(kind: Kind<Value>): z.ZodMiniType<Value> {
  return addNote(
    kind,
    true,
    z.transform((given: unknown, context) => {
      if (given === undefined) return refuse(context, given, `is missing: expected ${kind.expected}`)
      return readGiven(kind, given, context)
    }),
  )
}

/** `fallback` is the value if the key is left out. If it is null, the file may say `null` too. */
export function optional<Value, Fallback>(kind: Kind<Value>, fallback: Fallback): z.ZodMiniType<Value | Fallback> {
  return addNote(
    kind,
    false,
    z.transform((given: unknown, context) => {
      if (given === undefined || (given === null && fallback === null)) return fallback
      return readGiven(kind, given, context)
    }),
  )
}

function addNote<Schema extends z.ZodMiniType>(kind: Kind<unknown>, isRequired: boolean, schema: Schema): Schema {
  valueNotes.add(schema, { allowed: kind.allowed ?? kind.expected, unit: kind.unit ?? null, required: isRequired })
  return schema
}

type Context = z.core.ParsePayload

function readGiven<Value>(kind: Kind<Value>, given: unknown, context: Context): Value {
  const reading = given === null || given === undefined ? null : kind.read(given)
  if (reading === null) return refuse(context, given, `expected ${kind.expected}, found ${describeValue(given)}`)
  return 'refused' in reading ? refuse(context, given, reading.refused) : reading.value
}

function refuse(context: Context, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', message, input })
  return z.NEVER
}

/** Shows a value only as far as it helps: it may be long, or a secret. */
function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a section'
  if (typeof value === 'string') return value.length > 40 ? 'a long text' : `the text ${JSON.stringify(value)}`
  return typeof value === 'boolean' ? `${value}` : `the number ${value as number}`
}

export interface Range {
  readonly least: string
  readonly most: string
}

export const duration = (example: string, range: Range): Kind<number> =>
  quantity('a duration', example, { inUnits: durationMs, names: durationUnitNames }, range)
export const size = (example: string, range: Range): Kind<number> =>
  quantity('a size', example, { inUnits: sizeBytes, names: sizeUnitNames }, range)

interface Units {
  readonly inUnits: (text: string) => number | undefined
  readonly names: readonly string[]
}

function quantity(what: string, example: string, { inUnits, names }: Units, range: Range): Kind<number> {
  const expected = `${what} such as ${example}`
  const least = inUnits(range.least) ?? Number.NaN
  const most = inUnits(range.most) ?? Number.NaN
  return {
    expected,
    allowed: `${what} from ${range.least} to ${range.most}`,
    unit: names.join(', '),
    read(given) {
      const value = typeof given === 'string' ? inUnits(given) : undefined
      if (value === undefined) return null
      return value >= least && value <= most
        ? { value }
        : refused(`expected ${expected} between ${range.least} and ${range.most}, found ${describeValue(given)}`)
    },
  }
}

export const whole = (least: number, most: number): Kind<number> => ({
  expected: `a whole number from ${least} to ${most}`,
  read: (given) =>
    typeof given === 'number' && Number.isSafeInteger(given) && given >= least && given <= most
      ? { value: given }
      : null,
})

export const oneOf = <const Word extends string>(...words: readonly Word[]): Kind<Word> => ({
  expected: `${words.length > 1 ? 'one of ' : ''}${words.join(', ')}`,
  read(given) {
    const word = words.find((word) => word === given)
    return word === undefined ? null : { value: word }
  },
})

export const yesOrNo: Kind<boolean> = {
  expected: 'true or false',
  read: (given) => (typeof given === 'boolean' ? { value: given } : null),
}

export const either = <One, Other>(one: Kind<One>, other: Kind<Other>): Kind<One | Other> => ({
  expected: `${one.expected} or ${other.expected}`,
  read: (given) => one.read(given) ?? other.read(given),
})

const textLengthMax = 4096
const isText = (given: unknown): given is string =>
  // In a system call, NUL would end the text early.
  typeof given === 'string' && given.length > 0 && given.length <= textLengthMax && !given.includes('\0')

export const plainText = (expected: string, pattern?: RegExp): Kind<string> => ({
  expected,
  read: (given) => (isText(given) && (pattern?.test(given) ?? true) ? { value: given } : null),
})

/** Relative paths count from the folder of the configuration file. */
export const path = (expected: string, folder: string): Kind<string> => ({
  expected,
  read: (given) => (isText(given) ? { value: resolve(folder, given) } : null),
})

const listLengthMax = 10_000

const itemIs = (what: string): string => `each item must be ${what}`

export function list<Value>(expected: string, item: Kind<Value>): Kind<readonly Value[]> {
  return {
    expected,
    allowed: `${expected}; ${itemIs(item.allowed ?? item.expected)}`,
    read(given) {
      if (!Array.isArray(given) || given.length > listLengthMax) return null
      const values: Value[] = []
      for (const each of given as readonly unknown[]) {
        const reading = each === null || each === undefined ? null : item.read(each)
        if (reading === null)
          return refused(`expected ${expected}; ${itemIs(item.expected)}, found ${describeValue(each)}`)
        if ('refused' in reading) return reading
        values.push(reading.value)
      }
      return { value: values }
    },
  }
}

export function nonEmpty<Value>(kind: Kind<readonly Value[]>): Kind<readonly [Value, ...Value[]]> {
  return {
    ...kind,
    read(given) {
      const reading = kind.read(given)
      if (reading === null || 'refused' in reading) return reading
      const [first, ...rest] = reading.value
      return first === undefined ? null : { value: [first, ...rest] }
    },
  }
}

/**
 * A program with its arguments. A program with a slash is a path that counts from the folder of the configuration file;
 * one without a slash is searched in PATH.
 */
export function command(example: string, folder: string, ...placeholders: readonly string[]): Kind<Command> {
  const words = nonEmpty(list(`a command as a list of words such as ${example}`, plainText('a word in quotes')))
  const arguments_ = placeholders.map((placeholder) => `"${placeholder}"`).join(' and ')
  return {
    expected: words.expected,
    allowed: `${words.expected}${arguments_ === '' ? '' : `, with ${arguments_} among its arguments`}`,
    read(given) {
      if (typeof given === 'string')
        return refused(`expected ${words.expected}, found one text: commands are run without a shell`)
      const reading = words.read(given)
      if (reading === null || 'refused' in reading) return reading
      const [program, ...rest] = reading.value
      const lacking = placeholders.find((placeholder) => !rest.some((word) => word.includes(placeholder)))
      if (lacking !== undefined)
        return refused(`must have the word "${lacking}" among its arguments, such as ${example}`)
      return { value: [program.includes('/') && !isAbsolute(program) ? resolve(folder, program) : program, ...rest] }
    },
  }
}

/** Compares each document that a command prints with `--json` with the published schema that it names. */
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import addFormats from 'ajv-formats'
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js'

const folder = new URL('../../../src/report/schemas/', import.meta.url)

type Schema = AnySchemaObject & { readonly $id: string }
/** By the name of their document, such as `status`. */
export const schemas: ReadonlyMap<string, Schema> = new Map(
  globSync('**/*.schema.json', { cwd: folder.pathname }).map((file) => {
    const schema = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Schema
    return [basename(file, '.schema.json'), schema]
  }),
)

/** Every field of these must be described: they are printed from types that may grow. */
const described = new Set([
  'status',
  'history',
  'fitness',
  'holders',
  'backups',
  'bundle',
  'resume',
  'explanation',
  'init',
  'install',
  'topics',
  'failure',
  'alarm',
  'alerts',
  'remedy',
  'reconcile',
  'fleetstatus',
  'fleethistory',
  'fleetagents',
  'fleetreconcile',
  'fleetcompare',
  'fleetrun',
  'fleetpauses',
  'transfer',
])

const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
for (const [name, schema] of schemas) ajv.addSchema(described.has(name) ? closed(schema) : schema)

/** Empty where the document fits, and where every field of it is described. */
export function problemsOfDocument(document: unknown): readonly unknown[] {
  const [, name = ''] = /^holdfast\.([a-z]+)\/1$/.exec((document as { readonly schema?: string }).schema ?? '') ?? []
  const validate: ValidateFunction | undefined = ajv.getSchema(`urn:holdfast:${name}:1`)
  if (!validate) return [`no schema describes ${JSON.stringify(document).slice(0, 200)}`]
  return validate(document) ? [] : (validate.errors ?? [])
}

/** Empty for other output. Reports and comparisons are compared with their schemas where tests read them. */
export function problemsOfOutput(stdout: string): readonly unknown[] {
  const [, name = ''] = /^\{\n {2}"schema": "holdfast\.([a-z]+)\/1"/.exec(stdout) ?? []
  return name === '' || name === 'report' || name === 'compare' ? [] : problemsOfDocument(JSON.parse(stdout))
}

/**
 * The schema with no other fields than those that it describes. Readers are allowed more, so the published one is open.
 */
function closed(schema: Schema): Schema {
  const definitions = (schema['$defs'] ?? {}) as Readonly<Record<string, AnySchemaObject>>
  const partsOf = (object: AnySchemaObject): readonly string[] =>
    ((object['allOf'] ?? []) as readonly { readonly $ref?: string }[]).flatMap(
      ({ $ref }) => /^#\/\$defs\/(\w+)$/.exec($ref ?? '')?.[1] ?? [],
    )
  const fieldsOf = (object: AnySchemaObject): readonly string[] => [
    ...Object.keys((object['properties'] ?? {}) as object),
    ...partsOf(object).flatMap((name) => fieldsOf(definitions[name] ?? {})),
  ]
  // A part of a larger object does not know the fields of the other parts.
  const parts = new Set([schema, ...Object.values(definitions)].flatMap(partsOf))
  const close = (value: unknown, isPart: boolean): unknown => {
    if (Array.isArray(value)) return value.map((one) => close(one, isPart))
    if (typeof value !== 'object' || value === null) return value
    const closing = Object.entries(value).map(([key, below]): readonly [string, unknown] => {
      if (key !== '$defs' && key !== 'properties')
        return [key, close(below, ['allOf', 'if', 'then', 'else'].includes(key))]
      return [
        key,
        Object.fromEntries(
          Object.entries(below as object).map(([name, one]) => [name, close(one, key === '$defs' && parts.has(name))]),
        ),
      ]
    })
    const fields = isPart ? [] : fieldsOf(value)
    return { ...Object.fromEntries(closing), ...(fields.length === 0 ? {} : { propertyNames: { enum: fields } }) }
  }
  return close(schema, false) as Schema
}

/** Holds real answers against the published OpenAPI document. */
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import addFormats from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

type Node = Record<string, unknown>
export const document = parse(
  readFileSync(new URL('../../../src/service/admin-api.yaml', import.meta.url), 'utf8'),
) as Node
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)

const at = (node: unknown, ...keys: string[]): unknown =>
  keys.reduce<unknown>((found, key) => deref((found as Node | undefined)?.[key]), deref(node))

function deref(node: unknown): unknown {
  const reference = (node as Node | undefined)?.['$ref']
  if (typeof reference !== 'string') return node
  return at(document, ...reference.slice(2).split('/'))
}

const compiled = new Map<string, ValidateFunction>()
export function validatorOf(key: string, schema: unknown): ValidateFunction {
  const known =
    compiled.get(key) ?? ajv.compile({ ...(schema as object), components: document['components'] } as object)
  compiled.set(key, known)
  return known
}

export const pathsOf = (): [path: string, methods: Node][] =>
  Object.entries(document['paths'] as Node).map(([path, methods]) => [path, methods as Node])

/** `/tenants/a%2Fb` → `/tenants/{tenant}` */
export function templateOf(path: string): string | null {
  const segments =
    path
      .split('?')[0]
      ?.replace(/^.*\/admin\/v1/, '')
      .split('/') ?? []
  const found = pathsOf().find(([template]) => {
    const parts = template.split('/')
    return (
      parts.length === segments.length && parts.every((part, index) => part.startsWith('{') || part === segments[index])
    )
  })
  return found?.[0] ?? null
}

/** What is wrong with an answer by the contract; [] when nothing is. */
export function misfits(
  method: string,
  path: string,
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly json: unknown },
): string[] {
  const template = templateOf(path)
  if (template === null) return [`no such path: ${path}`]
  const response = at(document, 'paths', template, method.toLowerCase(), 'responses', String(answer.status)) as
    | Node
    | undefined
  if (!response) return [`${method} ${template} has no status ${answer.status}`]
  const [type, content] = Object.entries((response['content'] ?? {}) as Node)[0] ?? ['', {}]
  const problems: string[] = []
  if (answer.headers['content-type'] !== type)
    problems.push(`content type ${answer.headers['content-type']} is not ${type}`)
  const validate = validatorOf(`${method} ${template} ${answer.status}`, (content as Node)['schema'])
  if (!validate(answer.json)) problems.push(ajv.errorsText(validate.errors))
  for (const [name, declared] of Object.entries((response['headers'] ?? {}) as Node)) {
    const header = deref(declared) as { required: boolean; schema: object }
    const value = answer.headers[name.toLowerCase()]
    if (
      value === undefined
        ? header.required
        : !validatorOf(`header ${template} ${answer.status} ${name}`, header.schema)(value)
    )
      problems.push(`header ${name}: ${String(value)}`)
  }
  return problems
}

/** Every example with the schema that it stands beside. */
export function examples(): { readonly where: string; readonly value: unknown; readonly schema: unknown }[] {
  const found: { where: string; value: unknown; schema: unknown }[] = []
  const walk = (node: unknown, where: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { examples: named, schema } = node as Node
    if (named && schema)
      for (const name of Object.keys(named))
        found.push({ where: `${where}/${name}`, value: at(named, name, 'value'), schema })
    for (const [key, child] of Object.entries(node)) walk(child, `${where}/${key}`)
  }
  walk(document, '')
  return found
}

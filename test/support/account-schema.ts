/** The published schema of accounts, and what a document has against it. */
import { readFileSync } from 'node:fs'
import addFormats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../src/report/schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object
const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
ajv.addSchema(read('report'))
const validate = ajv.compile(read('account'))

/** Empty where it fits. */
export const accountErrors = (document: unknown): readonly unknown[] =>
  validate(document) ? [] : (validate.errors ?? [])

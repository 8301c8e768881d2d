/** The schema of reports, and what a document has against it. */
import { readFileSync } from 'node:fs'
import addFormats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'

type Words = { readonly enum: readonly string[] }
export const reportSchema = JSON.parse(
  readFileSync(new URL('../../../src/report/schemas/report.schema.json', import.meta.url), 'utf8'),
) as {
  readonly $defs: {
    readonly finding: { readonly properties: { readonly rule: Words } }
    readonly failure: { readonly properties: { readonly code: Words } }
    readonly result: { readonly properties: { readonly damage: Words } }
  }
}

const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
const validate = ajv.compile(reportSchema)

/** Empty where it fits. */
export const schemaErrors = (document: unknown): readonly unknown[] =>
  validate(document) ? [] : (validate.errors ?? [])

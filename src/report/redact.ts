/** `--redact-keys`: replaces row keys by digests. */

import { createHmac, randomBytes } from 'node:crypto'
import type { Finding, RowKey } from '../model/result/finding.ts'
import type { Result } from '../model/result/report.ts'

/**
 * Replaces keys by digests with a secret of this report. In it the same key has the same digest, and the digest of a
 * known rowid cannot be computed. Sentences that may quote a key lose their numbers.
 */
export function keyRedactor(digest = keyDigest()): (result: Result) => Result {
  const redacted = (finding: Finding): Finding => {
    const text = mayQuoteKeys.has(finding.rule) ? finding.text.replaceAll(/\d+/g, '#') : finding.text
    const { rows, lines } = finding
    return {
      ...finding,
      ...(rows === undefined ? {} : { rows: rows.map(digest) }),
      // What a command of the application prints may hold anything.
      ...(lines === undefined ? {} : { lines: lines.map(digest) }),
      text,
    }
  }
  return (result) => ({
    ...result,
    findings: result.findings.map(redacted),
    ...redactSecond(result.secondSnapshot, redacted),
  })
}

const redactSecond = (
  second: Result['secondSnapshot'],
  redacted: (finding: Finding) => Finding,
): Pick<Result, 'secondSnapshot'> =>
  second === undefined
    ? {}
    : {
        secondSnapshot: {
          ...second,
          unconfirmed: second.unconfirmed.map((one) => ({ ...one, finding: redacted(one.finding) })),
        },
      }

const mayQuoteKeys = new Set<Finding['rule']>([
  'rtree-broken',
  'engine-says',
  'rowid-out-of-order',
  'key-out-of-order',
  'record-malformed',
])

/** Computes digests of keys with a new secret. */
export function keyDigest(): (row: RowKey) => string {
  const secret = randomBytes(32)
  return (row) => `hmac:${createHmac('sha256', secret).update(JSON.stringify(row)).digest('hex').slice(0, 16)}`
}

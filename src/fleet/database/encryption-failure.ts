/**
 * Why a connection to the database could not be encrypted and verified, in words. The connection ended before the
 * password was sent. Names in a certificate are untrusted: they are shortened and printable.
 */

import { printable } from '../../text/printable.ts'

interface EncryptionProblem {
  readonly words: string
  readonly hint: string
}

/** null: the error is about something else. */
export function encryptionProblem(error: Error): EncryptionProblem | null {
  if (error.message === 'The server does not support SSL connections') return withoutEncryption
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { words: namesIn(error), hint: hints.name }
  return byCode.find(([pattern]) => pattern.test(code))?.[1] ?? null
}

const hints = {
  name: 'write a name that the certificate has in fleet.database, or give the server a certificate with this name',
  time: 'give the server a new certificate and reload its configuration, or correct the clock of this host',
} as const

const withoutEncryption: EncryptionProblem = {
  words: 'the server offers no encryption, so it got no password',
  hint: 'set `ssl = on` on the server and give it a certificate; check that fleet.database names the right server',
}

/** By the codes of OpenSSL that Node passes on. */
const byCode: readonly (readonly [RegExp, EncryptionProblem])[] = [
  [/^CERT_HAS_EXPIRED$/, { words: 'the certificate of the server has expired', hint: hints.time }],
  [/^CERT_NOT_YET_VALID$/, { words: 'the certificate of the server is not valid yet', hint: hints.time }],
  [
    /^(?:UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF).*|(?:DEPTH_ZERO_)?SELF_SIGNED_.*|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)$/,
    {
      words: 'the certificate of the server was not signed by an authority that this host trusts for it',
      hint: 'name the certificate of the authority in fleet.caFile; check that fleet.database names the right server',
    },
  ],
]

const lettersMax = 200

function namesIn(error: Error): string {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: string } }
  const names = printable((cert?.subjectaltname ?? '').slice(0, lettersMax))
  return `the certificate of the server is for another name: it is for ${names === '' ? 'none' : names}`
}

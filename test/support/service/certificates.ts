/** Private authorities and their certificates for servers, made by openssl for one test. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  readonly caFile: string
  readonly ca: Buffer
  readonly key: Buffer
  readonly cert: Buffer
}

/** An authority, and a certificate for localhost. */
export function makeCertificates(dir: string): Certificates {
  const authority = makeAuthority(dir)
  const { certFile, keyFile } = authority.issue('server', ['DNS:localhost', 'IP:127.0.0.1'])
  const { caFile } = authority
  return { caFile, ca: readFileSync(caFile), key: readFileSync(keyFile), cert: readFileSync(certFile) }
}

export interface IssuedCertificate {
  readonly certFile: string
  readonly keyFile: string
}

export interface CertificateAuthority {
  readonly caFile: string
  /** @param alternatives such as `DNS:localhost`. @param days until it ends; with -1 it has ended yesterday */
  issue(name: string, alternatives: readonly string[], days?: number): IssuedCertificate
}

export function makeAuthority(dir: string, named = 'ca'): CertificateAuthority {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const caFile = join(dir, `${named}.pem`)
  const subject = ['-subj', `/CN=authority ${named}`]
  openssl('req', '-x509', ...newKey, '-keyout', `${named}.key`, '-out', caFile, ...subject, '-days', '2')
  const signing = ['-CA', caFile, '-CAkey', `${named}.key`, '-CAcreateserial']
  return {
    caFile,
    issue(name, alternatives, days = 2) {
      const [certFile, keyFile] = [join(dir, `${name}.pem`), join(dir, `${name}.key`)]
      writeFileSync(join(dir, 'names'), `subjectAltName=${alternatives.join(',')}\n`)
      openssl('req', ...newKey, '-keyout', keyFile, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      const request = ['-req', '-in', `${name}.csr`, '-extfile', 'names']
      openssl('x509', ...request, ...signing, '-out', certFile, '-days', String(days))
      return { certFile, keyFile }
    },
  }
}

/** A program that pretends to be PostgreSQL: it asks for the password in clear text, and keeps all that it is told. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { IssuedCertificate } from '../service/certificates.ts'

export interface RecordingServer extends AsyncDisposable {
  readonly port: number
  /** What clients have sent, decrypted if they encrypted it. */
  heard(): string
}

/** AuthenticationCleartextPassword. */
const askForPassword = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])

/** @param certificate null: it refuses to encrypt, and asks all the same */
export async function startRecordingServer(
  address: string,
  certificate: IssuedCertificate | null,
): Promise<RecordingServer> {
  const heard: Buffer[] = []
  const open = new Set<Socket>()
  const listenTo = (socket: Socket): void => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes)
      socket.write(askForPassword)
    })
  }
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)))
    socket.once('data', (request: Buffer) => {
      heard.push(request)
      socket.write(certificate === null ? 'N' : 'S')
      if (certificate === null) return listenTo(socket)
      const [key, cert] = [readFileSync(certificate.keyFile), readFileSync(certificate.certFile)]
      listenTo(new TLSSocket(socket, { isServer: true, key, cert }))
    })
  })
  await once(server.listen(0, address), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => Buffer.concat(heard).toString('latin1'),
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close')
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** The connections to a service: at most 16, and those that are idle are used again. */
import { Agent, type AgentOptions, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { readSmallFile } from '../../host/files/small-file.ts'
import { Failure } from '../../model/failure.ts'
import type { AdminSettings } from './transport.ts'
import { requireTrustedFile } from './trusted-file.ts'

export interface Connections {
  readonly agent: Agent
  /** Where they lead, as `request` of node:http takes it. */
  readonly target: Pick<RequestOptions, 'protocol' | 'hostname' | 'port' | 'socketPath'>
  /** The path of the address, without a slash at its end. */
  readonly prefix: string
}

/** Services often close a connection that was idle for 5 s. One that is closed just as we ask costs a repetition. */
const idleMsMax = 3_000
/** Enough for all authorities that a system knows, several times over. */
const certificateBytesMax = 4_000_000
/** No `timeout`: the deadline of each request is ours. No `proxyEnv`: a proxy would see the token. */
const options: AgentOptions = { keepAlive: true, maxSockets: 16 }

/** Reads the certificates. Connects only when a request is made. @throws {Failure} CONFIG_INVALID */
export async function openConnections({ endpoint, caFile }: AdminSettings): Promise<Connections> {
  if (endpoint.kind === 'unix') {
    const target = { protocol: 'http:', hostname: 'localhost', socketPath: endpoint.socket }
    return { agent: closingIdle(new Agent(options)), target, prefix: '' }
  }
  const url = new URL(endpoint.url)
  const { protocol, hostname, port } = urlToHttpOptions(url)
  const tls = caFile === null ? {} : { ca: await readCertificates(caFile) }
  // Loading TLS takes time that a unix socket does not need.
  const { Agent: TlsAgent } = await import('node:https')
  return {
    agent: closingIdle(new TlsAgent({ ...options, ...tls })),
    target: { protocol, hostname, port },
    prefix: url.pathname.replace(/\/+$/, ''),
  }
}

/**
 * Closes a connection that was idle for long, and one on which the service sends what no request asked for: it would
 * be taken for the answer to the next request. Node before 24 does not do the latter.
 */
function closingIdle(agent: Agent): Agent {
  const keep = agent.keepSocketAlive.bind(agent) as unknown as (socket: Duplex) => boolean
  const reuse = agent.reuseSocket.bind(agent)
  agent.keepSocketAlive = (socket): boolean => {
    if (!keep(socket)) return false
    ;(socket as Socket).setTimeout(idleMsMax)
    socket.on('timeout', close).on('data', close)
    return true
  }
  agent.reuseSocket = (socket, request) => {
    ;(socket as Socket).setTimeout(0)
    socket.off('timeout', close).off('data', close)
    reuse(socket, request)
  }
  return agent
}

function close(this: Duplex): void {
  this.destroy()
}

async function readCertificates(file: string): Promise<Buffer> {
  requireTrustedFile(file, 'the file of service.caFile')
  const refused = (why: string): Failure =>
    new Failure('CONFIG_INVALID', `the certificates in service.caFile ${file} cannot be read (${why})`)
  const read = await readSmallFile(file, certificateBytesMax, 'follow').catch((error: unknown) => {
    const doing = 'read the certificates in service.caFile'
    throw systemFailure(error, { doing, path: file, pathCode: 'CONFIG_INVALID' })
  })
  if (read.kind !== 'read')
    throw refused(
      read.kind === 'too-large' ? `it has more than ${certificateBytesMax} bytes` : 'it is not a regular file',
    )
  return read.bytes
}

/** The connections to a service: at most 16, and an idle one is used for the next request. */
import { Agent, type AgentOptions, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import type { AdminSettings } from '../../config/settings.ts'
import { readAuthorities } from './authorities.ts'

export interface Connections {
  readonly agent: Agent
  /** The address, as `request` of node:http takes it. */
  readonly target: Pick<RequestOptions, 'protocol' | 'hostname' | 'port' | 'socketPath'>
  /** The path of the address, without a slash at its end. */
  readonly prefix: string
}

/** Many services close a connection that was idle for 5 s. A request on it just then is lost and sent again. */
const idleMsMax = 3_000
/**
 * Without `timeout`, because each request has a deadline of ours; without `proxyEnv`, because a proxy sees the token.
 */
const options: AgentOptions = { keepAlive: true, maxSockets: 16 }

/** Reads the certificates. The first request opens the first connection. @throws {Failure} CONFIG_INVALID */
export async function openConnections({ endpoint, caFile }: AdminSettings): Promise<Connections> {
  if (endpoint.kind === 'unix') {
    const target = { protocol: 'http:', hostname: 'localhost', socketPath: endpoint.socket }
    return { agent: closeIdleConnections(new Agent(options)), target, prefix: '' }
  }
  const url = new URL(endpoint.url)
  const { protocol, hostname, port } = urlToHttpOptions(url)
  const tls = caFile === null ? {} : { ca: await readAuthorities(caFile, 'service.caFile') }
  // Loading TLS takes time that a unix socket does not need.
  const { Agent: TlsAgent } = await import('node:https')
  return {
    agent: closeIdleConnections(new TlsAgent({ ...options, ...tls })),
    target: { protocol, hostname, port },
    prefix: url.pathname.replace(/\/+$/, ''),
  }
}

/** Closes all connections. A request that still waits for one ends with an error, and opens none. */
export function closeConnections({ agent }: Connections): void {
  agent.createConnection = (_options, callback) => {
    // The declared type has no error without a connection; Node's own callback takes one.
    ;(callback as ((error: Error) => void) | undefined)?.(new Error('the connections to the service are closed'))
    return undefined
  }
  agent.destroy()
}

/**
 * Makes the agent close a connection that was idle for long, or on which the service sends bytes between two requests.
 * Those bytes would be taken for the answer to the next request. Node before 24 does not watch for them.
 */
function closeIdleConnections(agent: Agent): Agent {
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

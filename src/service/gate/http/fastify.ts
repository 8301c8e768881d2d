/**
 * The gate as a Fastify plugin: `app.register(gate.fastify)`. It names only the parts of Fastify that it uses, so that
 * Fastify is no dependency.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GateHandler } from './handler.ts'

interface FastifyRequest {
  readonly raw: IncomingMessage
}
interface FastifyReply {
  readonly raw: ServerResponse
  hijack(): unknown
}
interface FastifyApp {
  readonly prefix: string
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: FastifyRequest, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown
  all(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => void): unknown
}

// Method syntax in the interfaces above keeps them assignable from Fastify's own, narrower types.
export type GateFastifyPlugin = (app: FastifyApp, options: unknown, done: () => void) => void

export function createFastifyPlugin(handler: GateHandler): GateFastifyPlugin {
  return (app, _options, done) => {
    // The gate reads bodies itself, with its own limits, so Fastify must not read them within this plugin.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    const answer = (request: FastifyRequest, reply: FastifyReply): void => {
      reply.hijack()
      if (app.prefix !== '') request.raw.url = (request.raw.url ?? '').slice(app.prefix.length)
      handler(request.raw, reply.raw)
    }
    app.all('/admin/v1', answer)
    app.all('/admin/v1/*', answer)
    done()
  }
}

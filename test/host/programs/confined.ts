/** A child that goes into its cell and then tries whatever it is told. */
import { chmodSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { answerQuestions, confine, type Room } from '../../../src/host/child-side.ts'

export type Attempt =
  | { readonly do: 'confine'; readonly room: Room }
  | { readonly do: 'open-folder'; readonly path: string }
  | { readonly do: 'read' | 'list' | 'write' | 'exists' | 'chmod'; readonly path: string }
  | { readonly do: 'regain' | 'who' | 'hang' | 'chroot' }

const libc = createRequire(import.meta.url)('koffi').load(null)

answerQuestions<Attempt, unknown>((attempt) => {
  switch (attempt.do) {
    case 'confine':
      process.setgroups?.([4, 27]) // As a login would leave them.
      return confine(attempt.room)
    case 'open-folder':
      return openSync(attempt.path, 'r')
    case 'read':
      return readFileSync(attempt.path, 'utf8')
    case 'list':
      return readdirSync(attempt.path)
    case 'write':
      return writeFileSync(attempt.path, 'written')
    case 'exists':
      return existsSync(attempt.path)
    case 'chmod':
      return chmodSync(attempt.path, 0o777)
    case 'regain':
      return [() => process.setuid?.(0), () => process.seteuid?.(0), () => process.setgid?.(0), () => process.setgroups?.([0])].map((way) => {
        try {
          way()
          return 'regained'
        } catch (error) {
          return (error as NodeJS.ErrnoException).code
        }
      })
    case 'chroot':
      return libc.func('int chroot(const char *folder)')('.')
    case 'who':
      return { uid: process.getuid?.(), gid: process.getgid?.(), groups: process.getgroups?.() }
    case 'hang':
      process.title = 'hanging'
      for (;;) { /* Until somebody ends it. */ }
  }
})

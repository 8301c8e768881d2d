/** Arguments of commands may be secrets, and commands quote them: no sentence has them, nor an address. */
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { maskedCommand, withoutSecrets } from '../../../src/service/hooks/command-secrets.ts'
import { acme, failureOf, forever, request } from '../../support/service/client.ts'
import { notesctl } from '../../support/service/notesctl.ts'

const shell = (script: string, ...more: readonly string[]): readonly [string, ...string[]] => [
  '/bin/sh',
  '-c',
  script,
  ...more,
]
const telling = 'echo "curl $2 failed: https://u:HOOKPW@x/?key=HOOKKEY refused SECRETSECRET for $1" >&2; exit 1'

test.each(['tenants', 'quiesce', 'resume'] as const)(
  'a %s command that fails tells none of its secrets',
  async (hook) => {
    using ctl = notesctl()
    const id = hook === 'tenants' ? 'all' : '{tenant}'
    const command = shell(telling, '--', id, '--token=SECRETSECRET')
    await using service = await connectService(ctl.settings({ [hook]: command }))
    const asked =
      hook === 'tenants'
        ? service.tenants(forever)
        : hook === 'quiesce'
          ? service.quiesce(acme, request, forever)
          : service.resume({ tenant: acme, leaseId: 'one', fence: null }, forever)
    const { message, hint } = await failureOf(asked)
    expect(message + hint).not.toMatch(/SECRET|HOOKPW|HOOKKEY/)
    const last = hook === 'tenants' ? 'all' : 'acme'
    expect(message).toContain(
      `["/bin/sh","-c","…","--","${last}","…"]: exit code 1 (curl … failed: https://… refused …`,
    )
    expect(message).toContain(`for ${last})`)
  },
)

test('a list that does not fit, and an id that cannot be passed, tell none either', async () => {
  using ctl = notesctl()
  const tenants = shell('echo 7', '--token=SECRETSECRET')
  const quiesce: [string, ...string[]] = [ctl.program, '--token=SECRETSECRET', '{tenant}']
  await using service = await connectService(ctl.settings({ tenants, quiesce }))
  const refusedId = tenantId('-rf')
  for (const ask of [() => service.tenants(forever), () => service.quiesce(refusedId, request, forever)])
    expect((await failureOf(ask())).message).not.toContain('SECRET')
})

test('what stands for a placeholder is shown, and a secret beside one is not', () => {
  const template = ['ctl', '--tenant={tenant}', 'SECRET:{tenant}', '{tenant}', '-v']
  const command = ['ctl', '--tenant=acme', 'SECRET:acme', 'acme', '-v']
  expect(maskedCommand(command, template)).toBe('["ctl","--tenant=acme","…","acme","-v"]')
  expect(withoutSecrets('on acme: no SECRET:acme', command, template)).toBe('on acme: no …')
})

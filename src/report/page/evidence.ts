/** The evidence of a hold in words: each with what it is about. */
import type { Evidence, ProbeAnswer, Proof } from '../../model/result/evidence.ts'
import { count } from '../../text/count.ts'
import { printable } from '../../text/printable.ts'
import { humanBytes, humanMs } from '../../text/units.ts'
import { pinClauses, whatPinnedProves } from '../describe-pinned.ts'

const holdersMax = 10

export function evidenceFacts(evidence: Evidence): readonly (readonly [term: string, fact: string])[] {
  const { lock, probe, lease, pin, holders, unseen, proofs, quiesce, snapshot, fileSystem, attempts } = evidence
  return [
    ...(quiesce === null ? [] : [['Pause', pauseWords(quiesce)] as const]),
    ...(lock === null ? [] : [['Lock', `${lock.kind.toUpperCase()} locks on ${lock.ranges.join(', ')}`] as const]),
    ...(probe === null
      ? []
      : [
          [
            'Second process',
            `before the copy: ${probeWords(probe.before)}; after it: ${probeWords(probe.after)}`,
          ] as const,
        ]),
    ...(lease === null ? [] : [['Kernel lease', `${lease.state}, on ${count(lease.files, 'file')}`] as const]),
    ...(pinClauses(pin).length === 0 ? [] : [['Pin', [...pinClauses(pin), whatPinnedProves].join('; ')] as const]),
    ...proofs.map((proof, at) => [`Proof ${at + 1}`, proofWords(proof)] as const),
    ...(snapshot === null
      ? []
      : [
          [
            'Snapshot',
            `${humanBytes(snapshot.bytes)} by ${snapshot.method}, ${humanBytes(snapshot.tailBytes)} of it in the pause`,
          ] as const,
          ['SHA-256', snapshot.sha256] as const,
        ]),
    ...(fileSystem === null ? [] : [['File system', printable(fileSystem)] as const]),
    ...(holders.length === 0
      ? []
      : [
          [
            'Open in',
            holders
              .slice(0, holdersMax)
              .map(({ pid, command, modes }) => `${printable(command)} (pid ${pid}, ${modes.join('+')})`)
              .join(', '),
          ] as const,
        ]),
    ...(unseen.length === 0 ? [] : [['Not seen', unseen.slice(0, holdersMax).map(printable).join(', ')] as const]),
    ...(attempts > 1 ? [['Attempts', String(attempts)] as const] : []),
  ]
}

function pauseWords({ via, leaseId, fence, heldMs, continuous, bootId }: NonNullable<Evidence['quiesce']>): string {
  const held = heldMs === null ? 'for an unknown time' : `for ${humanMs(heldMs)}`
  const whole = {
    true: 'without a break',
    false: 'NOT without a break',
    null: 'the service did not say whether without a break',
  }[String(continuous) as 'true' | 'false' | 'null']
  const lease = via === 'hooks' ? 'by hooks' : `lease ${printable(leaseId)}, fence ${fence ?? '-'}`
  return `${lease}, held ${held}, ${whole}${bootId === null ? '' : `; boot ${printable(bootId)}`}`
}

const probeWords = (answer: ProbeAnswer | null): string =>
  answer === null ? 'not tried' : `lock ${answer.raw}, read ${answer.read}, write ${answer.write}`

function proofWords({ at, files, changeCounter, walSalts }: Proof): string {
  const parts = files.map(
    ({ part, size, ino }) => `${part === '' ? 'file' : part} of ${humanBytes(size)}, inode ${printable(ino)}`,
  )
  return `${printable(at)}: change counter ${changeCounter}, WAL salts ${walSalts ?? '-'}; ${parts.join('; ')}`
}

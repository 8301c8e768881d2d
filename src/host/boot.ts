import { readFileSync } from 'node:fs'

let known: string | null = null

/**
 * Identifies the time since the last start of this machine; empty if the system does not say. It is read once, because
 * a sweep asks for each tenant.
 */
export function bootId(): string {
  return (known ??= readBootId())
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

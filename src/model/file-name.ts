/**
 * Names of files as strings, for any bytes. A byte that is not valid UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF
 * (Python does the same). So each name is one string, two names never give the same string, and JSON can carry it.
 */

/** The string for a name as the system gave it. */
export function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : escaped + byte)).join('')
}

/** The name for a call of node:fs: the string itself if it is UTF-8, otherwise the bytes. */
export function onDisk(name: string): string | Buffer {
  if (name.isWellFormed()) return name
  return Buffer.concat(
    Array.from(name, (letter) => {
      const code = letter.codePointAt(0) ?? 0
      return code >= escaped + 0x80 && code <= escaped + 0xff ? Buffer.from([code - escaped]) : Buffer.from(letter)
    }),
  )
}

const escaped = 0xdc00

/**
 * The arguments of a command line with all their bytes. Node replaces bytes that are not UTF-8 by U+FFFD; the kernel
 * has them.
 * @param argv as Node gives them @param commandLine /proc/self/cmdline; null if there is none
 */
export function argumentsOf(argv: readonly string[], commandLine: Buffer | null): readonly string[] {
  if (commandLine === null || !argv.some((argument) => argument.includes('\ufffd'))) return argv
  const given: string[] = []
  for (let at = 0, end = commandLine.indexOf(0); end !== -1; at = end + 1, end = commandLine.indexOf(0, at)) {
    given.push(nameOf(commandLine.subarray(at, end)))
  }
  // Options of Node itself come before ours. The name of the program, which Node resolves, is not used.
  const ours = argv.slice(2)
  return ours.length > given.length ? argv : [...argv.slice(0, 2), ...given.slice(given.length - ours.length)]
}

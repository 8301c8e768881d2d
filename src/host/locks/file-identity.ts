/** How a file is known to the kernel, whatever its name is at the moment. */

export interface FileIdentity {
  readonly path: string
  readonly dev: bigint
  readonly ino: bigint
}

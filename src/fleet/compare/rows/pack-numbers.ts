/** Columns of numbers as text, for messages through the database. */

import { z } from 'zod'

/** @param bytesMax longer texts are refused before they are decoded */
export const packedWordsSchema = (bytesMax: number) => packedSchema(bytesMax).refine((bytes) => bytes.length % 4 === 0)

/** @param bytesMax longer texts are refused before they are decoded */
export const packedSchema = (bytesMax: number) =>
  z
    .string()
    .max(Math.ceil(bytesMax / 3) * 4)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
    .transform((text) => Buffer.from(text, 'base64'))

export const pack = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

/** The words of a packed column. All hosts of a fleet are little-endian, as all that Node.js runs on are. */
export function unpackWords<Words extends Int32Array | Uint32Array>(
  bytes: Buffer,
  Kind: new (buffer: ArrayBuffer) => Words,
): Words {
  return new Kind(Uint8Array.from(bytes).buffer)
}

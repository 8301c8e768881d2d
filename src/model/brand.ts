/** Branded strings: the type says what is known about the value, so a wrong call does not compile. */

declare const brand: unique symbol
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

/**
 * A customer's id in the registry of the service. Untrusted text: encode it before it becomes a file name or an
 * argument.
 */
export type TenantId = Brand<string, 'TenantId'>
/** Absolute real path of a main database file that the service may be using. Only hold/ makes and accepts one. */
export type LivePath = Brand<string, 'LivePath'>
/**
 * Absolute path of the main database file of a private copy. A private copy is a snapshot that came out of a hold, or
 * what was made of one (a restored backup, a mended file). Never of a live file.
 */
export type SnapshotPath = Brand<string, 'SnapshotPath'>
/** Identifies one run of holdfast; ids sort by time. */
export type RunId = Brand<string, 'RunId'>
/** Ties the runs of one incident together: the id of the run that began it. */
export type IncidentId = Brand<string, 'IncidentId'>
/** Identifies one change of live files; ids sort by time. */
export type ChangeId = Brand<string, 'ChangeId'>

export const tenantId = (text: string): TenantId => text as TenantId

/** Branded strings and numbers: a value carries what is known of it, and the wrong call does not compile. */
declare const brand: unique symbol
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

/**
 * One customer's id in the service's registry. Untrusted text: encode it before it becomes a file name or an argument.
 */
export type TenantId = Brand<string, 'TenantId'>
/** Absolute real path of a main database file that the service may be using. Minted and accepted in hold/ only. */
export type LivePath = Brand<string, 'LivePath'>
/** Absolute path of the main database file of a private copy that came out of a hold. Minted in hold/ only. */
export type SnapshotPath = Brand<string, 'SnapshotPath'>
/** Number of a page in a database file, counted from 1. */
export type PageNumber = Brand<number, 'PageNumber'>
/** Identifies one run of holdfast: sortable by time. */
export type RunId = Brand<string, 'RunId'>

export const tenantId = (text: string): TenantId => text as TenantId
export const pageNumber = (number: number): PageNumber => number as PageNumber

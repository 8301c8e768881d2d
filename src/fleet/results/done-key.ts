import type { TenantId } from '../../model/brand.ts'

/** How a set of files that have a result names one. @param path as `storedPath` writes it */
export const doneKey = (tenant: TenantId, path: string): string => JSON.stringify([tenant, path])

/** Names of demo tenants: twelve short ones, then numbers. */
const first = ['acme', 'bolt', 'crate', 'delta', 'ember', 'fjord', 'grove', 'harbor', 'iris', 'juno', 'kiln', 'lumen']

export const tenantName = (at: number): string => first[at] ?? `tenant-${String(at).padStart(5, '0')}`
export const dozen: readonly string[] = first

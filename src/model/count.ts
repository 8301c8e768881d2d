/** `2 tenants`, `1 file`. */
export const count = (total: number, one: string, many = `${one}s`): string => `${total} ${total === 1 ? one : many}`

/** Names of files that lie beside a database and are none themselves. */

/** What a change of a live set writes beside it, and the originals of bare files. Name one to have it checked. */
const changeNames = /^\.holdfast-|\.original-[0-9A-Z]{26}(?:-wal|-journal|-shm|\.settled)?$/

/** True for a name that a change of a live set gives to a file beside it. */
export const isChangeName = (name: string): boolean => changeNames.test(name)

/** True for the name of a WAL, a wal-index, a journal or a super-journal. */
export const isCompanionName = (name: string): boolean => /.-(?:wal|shm|journal|mj[0-9A-F]{9})$/.test(name)

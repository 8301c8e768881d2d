export { argumentsOf, nameOf, onDisk } from '../../model/file-name.ts'

/** Of the YAML package only what an agent needs, in a module of its own: it is loaded for a file that is YAML, and for no other. */

// biome-ignore lint/performance/noBarrelFile: a package of CommonJS that is imported by itself has no names in a bundle
export { parseDocument } from 'yaml'

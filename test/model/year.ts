/** Runs the simulation for as long as one likes: `node test/model/year.ts [days] [seed] [period in days] [days between rotations by hand]`. */

import { simulate } from './simulate.ts'

const [days = 3_650, seed = 1, periodDays = 30, operatorDays = 10] = process.argv.slice(2).map(Number)

const { broken, ...figures } = await simulate({ days, seed, periodDays, operatorDays })
process.stdout.write(`${JSON.stringify({ seed, ...figures })}\n`)
if (broken !== undefined) process.stdout.write(`BROKEN: ${broken.message}\n`)
process.exitCode = broken === undefined ? 0 : 1

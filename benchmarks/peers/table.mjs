// node table.mjs FILE PEER…: the lines of a run as one Markdown table.
import fs from 'node:fs'

const [, , file, ...peers] = process.argv
const results = new Map()
for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
  const match = /^(\S+) (W\w+) (\{.*\})$/.exec(line)
  if (match) results.set(`${match[1]} ${match[2]}`, JSON.parse(match[3]))
}

const perSecond = { unit: '/s' }
const bytes = { unit: ' B', less: true }

// The goals of each row: a figure, or how many times better than the best peer.
const rows = [
  { title: 'W1 writes, one transaction', workload: 'W1', field: r => r.opsPerS, ...perSecond, goal: '≥ 4×, 2M/s' },
  { title: 'W1s writes, a transaction and an event each', workload: 'W1s', field: r => r.opsPerS,
    ...perSecond, goal: '≥ 1M/s' },
  { title: 'W2 apply a full delta', workload: 'W2', field: r => r.recordsPerS,
    ...perSecond, goal: '≥ 3×, 0.8 of the floor' },
  { title: 'W3 merge, half the keys shared', workload: 'W3', field: r => r.mergedPerS,
    ...perSecond, goal: '≥ 3×, 2.4M/s' },
  { title: 'W4 catch up on 100 changes', workload: 'W4', field: r => r.totalMs,
    unit: ' ms', less: true, goal: '≤ 0.12 ms' },
  { title: 'W4 bytes a change', workload: 'W4', field: r => r.bytesPerChange, ...bytes, goal: '≤ 52' },
  { title: 'W5 full state a record', workload: 'W5', field: r => r.bytesPerRecord, ...bytes, goal: '≤ 52' },
  { title: 'W5 after two overwrites', workload: 'W5', field: r => r.after2Overwrites,
    ...bytes, goal: '≤ 52' },
  { title: 'W5 the smallest encoding', workload: 'W5', field: smallest, ...bytes, goal: '≤ 34' },
  { title: 'W6 heap a record, loaded', workload: 'W6', field: r => r.loadedHeapPerRecord,
    ...bytes, goal: '≤ 200, then < 110' },
  { title: 'W7 merge of many replicas', workload: 'W7', field: r => r.recordsPerS, ...perSecond, goal: '≥ 1.8M/s' },
]

function smallest(result) {
  return Math.min(result.bytesPerRecord, ...Object.values(result.alt))
}

function show(value, unit) {
  if (value === undefined) return '–'
  if (unit !== '/s') return value.toFixed(value < 1 ? 3 : 1) + unit
  return value >= 1e6 ? (value / 1e6).toFixed(2) + 'M/s' : Math.round(value / 1e3) + 'k/s'
}

const value = (name, row) => {
  const result = results.get(`${name} ${row.workload}`)
  return result && row.field(result)
}
const cell = (name, row) => {
  const result = results.get(`${name} ${row.workload}`)
  const flaw = result?.converged === false ? ' (diverged)' : ''
  return show(value(name, row), row.unit) + flaw
}

const head = ['', ...peers, 'floor', 'ours', 'ours ÷ best peer', 'ours ÷ floor', 'goal']
console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`)
for (const row of rows) {
  const ours = value('syncengine', row), floor = value('floor', row)
  const rivals = peers.map(name => value(name, row)).filter(v => v !== undefined)
  if (ours === undefined && rivals.length === 0) continue
  const best = row.less ? Math.min(...rivals) : Math.max(...rivals)
  const times = other => {
    if (ours === undefined || other === undefined || !Number.isFinite(other)) return '–'
    return (row.less ? other / ours : ours / other).toFixed(2) + '×'
  }
  const figures = [...peers, 'floor'].map(name => cell(name, row))
  const cells = [row.title, ...figures, `**${cell('syncengine', row)}**`]
  console.log(`| ${[...cells, times(best), times(floor), row.goal].join(' | ')} |`)
}

const sizes = [...new Set([...results.values()].map(r => r.n))]
const loads = [...results.values()].map(r => r.load)
const authors = [...new Set(peers.map(name => results.get(`${name} W7`)).filter(r => r && r.replicas < 1000)
  .map(r => r.replicas))]
console.log(`
${sizes.join(', ')} records a workload; system load ${Math.min(...loads)} to ${Math.max(...loads)} during the run.
A ratio above 1 means that ours is better, whichever way the row counts. Only ratios of one run count.

ywasm, loro and automerge are Rust compiled to wasm and run in node. As native builds they would be 1.5 to 3 times
faster: divide ours ÷ best peer by that before comparing with them. yjs and json-joy are JavaScript. The floor is no
product: a dictionary that passes the same checks, without deletes, conflicts, validation or storage.`)
if (authors.length > 0) console.log(`W7 ran with fewer replicas for some peers: ${authors.join(', ')}.`)

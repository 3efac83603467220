// node --expose-gc bench.mjs PEER WORKLOAD: one workload on one peer; prints `peer W2 {json}`.
// The same measurements as SyncEngine.Benchmarks/Workloads, in the same order, with the same checks.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { hundred, keyOf, range, valueOf } from './records.mjs'

const [, , peerName, workload] = process.argv
const peer = (await import(`./adapters/${peerName}.mjs`)).default
const count = +(process.env.RECORDS ?? 100_000)
const repeats = +(process.env.REPEATS ?? 3)
const PATIENCE_MS = 50_000
const WARM_UP_MS = 1500

const load = peer.load ?? ((id, bytes) => {
  const replica = peer.open(id)
  peer.apply(replica, bytes)
  return replica
})
const round = (value, digits = 3) => Number(value.toFixed(digits))
const perSecond = (items, ms) => Math.floor(items / ms * 1000)
const least = (runs, of) => Math.min(...runs.map(of))
const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
const collect = () => { for (let i = 0; i < 3; i++) globalThis.gc() }
const close = replica => peer.close?.(replica)

function timed(action) {
  const start = performance.now()
  const result = action()
  return [performance.now() - start, result]
}

function require(holds) {
  if (!holds) throw new Error('A result is wrong, so its time says nothing.')
}

/** Repeats at a tenth of the size, as long as our engine's benchmarks do, so that the JIT has seen the code. */
function warmUp(run) {
  const start = performance.now()
  do run(); while (performance.now() - start < WARM_UP_MS)
}

function best(size, run) {
  warmUp(() => run(Math.max(10, Math.floor(size / 10))))
  const runs = []
  const start = performance.now()
  while (runs.length < repeats && (runs.length === 0 || performance.now() - start < PATIENCE_MS)) {
    collect()
    runs.push(run(size))
  }
  return runs
}

function filled(id, from, records, generation) {
  const replica = peer.open(id)
  peer.writeAll(replica, range(from, records, generation))
  return replica
}

function pull(target, source) {
  const [asked, version] = timed(() => peer.version(target, source))
  const [encoded, delta] = timed(() => peer.delta(source, version))
  const [applied] = timed(() => peer.apply(target, delta))
  const up = peer.versionLength?.(version) ?? version.length
  return { version: asked, encode: encoded, apply: applied, total: asked + encoded + applied, up, down: delta.length }
}

function requireValues(replica, records, step = 1) {
  for (let i = 0; i < records; i += step) require(peer.read(replica, keyOf(i)) === valueOf(i, 1))
}

function areEqual(left, right, records) {
  for (let i = 0; i < records; i++) {
    const value = peer.read(left, keyOf(i))
    if (typeof value !== 'string' || value !== peer.read(right, keyOf(i))) return false
  }
  return true
}

/** Overwrites a hundred records and pulls them, again and again. */
function pullRounds(records) {
  const source = filled(1, 0, records, 1), target = peer.open(2), pulls = []
  pull(target, source)
  const start = performance.now()
  for (let i = 0; i < 200 && performance.now() - start < PATIENCE_MS; i++) {
    peer.writeAll(source, hundred(records, i))
    const pulled = pull(target, source)
    if (i >= 100 || performance.now() - start > PATIENCE_MS / 3) pulls.push(pulled)
  }
  pulls.converged = areEqual(source, target, records)
  close(source)
  close(target)
  return pulls
}

function heapBytes() {
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

const workloads = {
  W1() {
    const ms = Math.min(...best(count, n => {
      const records = range(0, n, 1), replica = peer.open(1)
      const [time] = timed(() => peer.writeAll(replica, records))
      require(peer.read(replica, records[n >> 1][0]) === records[n >> 1][1])
      close(replica)
      return time
    }))
    return { ms: round(ms), opsPerS: perSecond(count, ms) }
  },

  async W1s() {
    const run = async records => {
      const replica = peer.open(1)
      let events = 0
      peer.listen?.(replica, changes => { events += changes })
      const start = performance.now()
      let writes = 0
      while (writes < records.length) {
        peer.write(replica, ...records[writes++])
        if ((writes & 63) === 0 && performance.now() - start > 15_000) break
      }
      let ms = performance.now() - start
      if (peer.listen && events < writes) {
        await new Promise(resolve => setTimeout(resolve)) // some deliver once the caller's code has ended
        ms = performance.now() - start
      }
      require(peer.read(replica, records[writes - 1][0]) === records[writes - 1][1])
      close(replica)
      return { writes, ms: round(ms), opsPerS: perSecond(writes, ms), events }
    }
    const records = range(0, count, 1)
    const warmUpStart = performance.now()
    const few = records.slice(0, Math.max(10, Math.floor(count / 10)))
    do await run(few); while (performance.now() - warmUpStart < WARM_UP_MS)
    let fastest
    const start = performance.now()
    for (let i = 0; i < repeats && (i === 0 || performance.now() - start < PATIENCE_MS); i++) {
      collect()
      const result = await run(records)
      if (!fastest || result.opsPerS > fastest.opsPerS) fastest = result
    }
    return fastest
  },

  W2() {
    const runs = best(count, n => {
      const source = filled(1, 0, n, 1), target = peer.open(2)
      const pulled = pull(target, source)
      const [read] = timed(() => requireValues(target, n))
      const [save, full] = timed(() => peer.encodeAll(source))
      const [loading, loaded] = timed(() => {
        const replica = load(3, full)
        require(peer.read(replica, keyOf(5)))
        return replica
      })
      for (const replica of [source, target, loaded]) close(replica)
      return { pulled, read, save, loading }
    })
    const apply = least(runs, r => r.pulled.apply)
    return {
      encodeMs: round(least(runs, r => r.pulled.encode)), applyMs: round(apply), recordsPerS: perSecond(count, apply),
      deltaBytes: runs[0].pulled.down, checkReadMs: round(least(runs, r => r.read)),
      saveMs: round(least(runs, r => r.save)), loadMs: round(least(runs, r => r.loading)),
    }
  },

  W3() {
    let converged = true
    const runs = best(count, n => {
      const half = n >> 1
      const left = filled(1, 0, n, 1), right = filled(2, half, n, 2)
      const toRight = pull(right, left), toLeft = pull(left, right)
      converged &&= areEqual(left, right, half + n)
      close(left)
      close(right)
      return {
        apply: toRight.apply + toLeft.apply, all: toRight.total + toLeft.total, bytes: toRight.down + toLeft.down,
      }
    })
    const apply = least(runs, r => r.apply), all = least(runs, r => r.all)
    return {
      converged, applyMs: round(apply), exchangeMs: round(all), mergedPerS: perSecond(2 * count, apply),
      exchangedPerS: perSecond(2 * count, all), bytes: runs[0].bytes,
    }
  },

  W4() {
    warmUp(() => pullRounds(Math.max(100, Math.floor(count / 10))))
    const pulls = pullRounds(count)
    const middle = name => round(median(pulls.map(p => p[name])))
    return {
      converged: pulls.converged, versionMs: middle('version'), encodeMs: middle('encode'),
      applyMs: middle('apply'), totalMs: middle('total'), bestTotalMs: round(least(pulls, p => p.total)),
      upBytes: middle('up'), deltaBytes: middle('down'), bytesPerChange: round(middle('down') / 100, 2),
    }
  },

  W5() {
    const replica = filled(1, 0, count, 1)
    const size = bytes => round(bytes.length / count, 2)
    const encodings = Object.entries(peer.others ?? {})
    const others = () => Object.fromEntries(encodings.map(([name, encode]) => [name, size(encode(replica))]))
    const result = { bytesPerRecord: size(peer.encodeAll(replica)), alt: others() }
    for (const generation of [2, 3]) peer.writeAll(replica, range(0, count, generation))
    return { ...result, after2Overwrites: size(peer.encodeAll(replica)), alt2: others() }
  },

  W6() {
    close(load(8, peer.encodeAll(filled(9, 0, 100, 1))))
    const before = heapBytes()
    const written = peer.open(1)
    for (let i = 0; i < count; i += 1000) peer.writeAll(written, range(i, Math.min(1000, count - i), 1))
    const after = heapBytes()
    const file = path.join(os.tmpdir(), `syncengine-peers-${process.pid}.bin`)
    fs.writeFileSync(file, peer.encodeAll(written))
    close(written)
    const result = {
      writtenRssPerRecord: Math.round((after.rss - before.rss) / count),
      writtenHeapPerRecord: Math.round((after.heap - before.heap) / count),
    }
    return { ...result, file }
  },

  /** In a process of its own: what writing took from wasm's memory is never given back. */
  W6load() {
    close(load(8, peer.encodeAll(filled(9, 0, 100, 1))))
    const before = heapBytes()
    let state = fs.readFileSync(process.env.STATE)
    const replica = load(3, state)
    state = null
    for (let i = 0; i < count; i++) peer.read(replica, keyOf(i))
    const heap = heapBytes().heap - before.heap
    requireValues(replica, count, 97)
    return { loadedHeapPerRecord: Math.round(heap / count) }
  },

  W7() {
    const authors = peer.authors ?? Math.max(10, Math.min(1000, Math.floor(count / 100)))
    const runs = best(authors, n => {
      const target = peer.open(1), deltas = []
      for (let i = 0; i < n; i++) {
        const author = filled(1000 + i, i * 100, 100, 1)
        deltas.push(peer.delta(author, peer.version(target, author)))
        close(author)
      }
      let [time] = timed(() => { for (const delta of deltas) peer.apply(target, delta) })
      requireValues(target, n * 100, 37)
      const full = peer.encodeAll(target).length
      close(target)
      if (peer.applyAll) {
        const other = peer.open(1)
        collect()
        const [together] = timed(() => peer.applyAll(other, deltas))
        requireValues(other, n * 100, 37)
        close(other)
        time = Math.min(time, together) // a peer that has a call for many deltas is measured with the faster way
      }
      return { time, bytes: deltas.reduce((sum, delta) => sum + delta.length, 0), full }
    })
    const ms = least(runs, r => r.time)
    return {
      replicas: authors, ms: round(ms), recordsPerS: perSecond(authors * 100, ms), bytesIn: runs[0].bytes,
      fullBytesPerRecord: round(runs[0].full / (authors * 100), 2),
    }
  },
}

let result = await workloads[workload]()
if (result.file) {
  const { spawnSync } = await import('node:child_process')
  const flags = ['--expose-gc', '--max-old-space-size=8192']
  const child = spawnSync(process.execPath, [...flags, process.argv[1], peerName, 'W6load'],
    { encoding: 'utf8', env: { ...process.env, STATE: result.file } })
  fs.rmSync(result.file)
  delete result.file
  if (child.status !== 0) throw new Error(child.stderr)
  result = { ...result, ...JSON.parse(child.stdout.slice(child.stdout.indexOf('{'))) }
}
console.log(`${peer.name} ${workload} ${JSON.stringify({ ...result, n: count, load: round(os.loadavg()[0], 2) })}`)
process.exit(0)

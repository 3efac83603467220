import { createRequire } from 'node:module'
const { LoroDoc, VersionVector } = createRequire(import.meta.url)('loro-crdt')

function open(id) {
  const doc = new LoroDoc()
  doc.setPeerId(BigInt(id))
  return { doc, map: doc.getMap('records') }
}

export default {
  name: 'loro', package: 'loro-crdt', kind: 'Rust as wasm', open,
  close: r => { r.map.free(); r.doc.free() },
  write: (r, key, value) => { r.map.set(key, value); r.doc.commit() },
  writeAll: (r, records) => { for (const [key, value] of records) r.map.set(key, value); r.doc.commit() },
  read: (r, key) => r.map.get(key),
  listen: (r, count) => r.map.subscribe(() => count(1)),
  version: r => r.doc.oplogVersion().encode(),
  delta: (r, version) => r.doc.export({ mode: 'update', from: VersionVector.decode(version) }),
  apply: (r, bytes) => { r.doc.import(bytes) },
  applyAll: (r, list) => { r.doc.importBatch(list) },
  encodeAll: r => r.doc.export({ mode: 'snapshot' }),
  others: { updates: r => r.doc.export({ mode: 'update' }) },
}

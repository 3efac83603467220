import { createRequire } from 'node:module'
const Y = createRequire(import.meta.url)('ywasm')

function open(id) {
  const doc = new Y.YDoc({ clientID: id })
  return { doc, map: doc.getMap('records') }
}

function transact(r, action) {
  const transaction = r.doc.beginTransaction()
  try {
    action(transaction)
  } finally {
    transaction.commit()
    transaction.free()
  }
}

export default {
  name: 'ywasm', package: 'ywasm', kind: 'Rust as wasm', open,
  close: r => { r.map.free(); r.doc.free() },
  write: (r, key, value) => transact(r, t => r.map.set(key, value, t)),
  writeAll: (r, records) => transact(r, t => { for (const [key, value] of records) r.map.set(key, value, t) }),
  read: (r, key) => r.map.get(key),
  listen: (r, count) => r.map.observe(() => count(1)),
  version: r => Y.encodeStateVector(r.doc),
  delta: (r, version) => Y.encodeStateAsUpdate(r.doc, version),
  apply: (r, bytes) => Y.applyUpdate(r.doc, bytes),
  encodeAll: r => Y.encodeStateAsUpdate(r.doc),
  others: { v2: r => Y.encodeStateAsUpdateV2(r.doc) },
}

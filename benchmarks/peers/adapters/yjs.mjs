import * as Y from 'yjs'

function open(id) {
  const doc = new Y.Doc()
  doc.clientID = id
  return { doc, map: doc.getMap('records') }
}

export default {
  name: 'yjs', package: 'yjs', kind: 'JavaScript', open,
  close: r => r.doc.destroy(),
  write: (r, key, value) => { r.map.set(key, value) },
  writeAll: (r, records) => r.doc.transact(() => { for (const [key, value] of records) r.map.set(key, value) }),
  read: (r, key) => r.map.get(key),
  listen: (r, count) => r.map.observe(event => count(event.keysChanged.size)),
  version: r => Y.encodeStateVector(r.doc),
  delta: (r, version) => Y.encodeStateAsUpdate(r.doc, version),
  apply: (r, bytes) => Y.applyUpdate(r.doc, bytes),
  applyAll: (r, list) => r.doc.transact(() => { for (const bytes of list) Y.applyUpdate(r.doc, bytes) }),
  encodeAll: r => Y.encodeStateAsUpdate(r.doc),
  others: { v2: r => Y.encodeStateAsUpdateV2(r.doc) },
}

// A model cannot be asked what changed since a version, so a replica keeps the patches it made, and a delta is the
// tail
// of them. That is the least work a delta can be; it is also why an exchange costs so little here.
import { createRequire } from 'node:module'
const { Model, Patch, s } = createRequire(import.meta.url)('json-joy/lib/json-crdt')

const EMPTY = Model.create(s.obj({}), 65537).toBinary()
const wrap = model => ({ model, root: model.api.obj([]), patches: [], pulled: new Map() })
const sessionOf = id => 70000 + id

function write(r, fields) {
  r.root.set(fields)
  const patch = r.model.api.flush()
  if (patch?.ops.length) r.patches.push(patch.toBinary())
}

export default {
  name: 'json-joy', package: 'json-joy', kind: 'JavaScript',
  open: id => wrap(Model.load(EMPTY, sessionOf(id))),
  write: (r, key, value) => write(r, { [key]: s.con(value) }),
  writeAll: (r, records) => write(r, Object.fromEntries(records.map(([key, value]) => [key, s.con(value)]))),
  read: (r, key) => {
    const id = r.model.root.node().keys.get(key)
    return id && r.model.index.get(id).val
  },
  listen: (r, count) => r.model.api.onChange.listen(() => count(1)),
  version: (r, source) => {
    const at = r.pulled.get(source) ?? 0
    r.pulled.set(source, source.patches.length)
    return String(at)
  },
  delta: (r, version) => {
    const parts = []
    for (const patch of r.patches.slice(+version)) {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(patch.length)
      parts.push(length, patch)
    }
    return Buffer.concat(parts)
  },
  apply: (r, bytes) => {
    for (let at = 0; at < bytes.length;) {
      const end = at + 4 + bytes.readUInt32LE(at)
      r.model.applyPatch(Patch.fromBinary(bytes.subarray(at + 4, end)))
      at = end
    }
  },
  encodeAll: r => r.model.toBinary(),
  load: (id, bytes) => wrap(Model.load(bytes, sessionOf(id))),
}

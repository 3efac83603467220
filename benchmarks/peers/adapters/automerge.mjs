// A value is an ImmutableString: a plain string would become a text that several can edit, which costs far more.
import * as A from '@automerge/automerge'

const actorOf = id => id.toString(16).padStart(32, '0')
const EMPTY = A.save(A.from({}, { actor: actorOf(999_999) }))
const scalar = value => new A.ImmutableString(value)

export default {
  name: 'automerge', package: '@automerge/automerge', kind: 'Rust as wasm', authors: 200,
  open: id => ({ doc: A.load(EMPTY, { actor: actorOf(id) }) }),
  close: r => A.free(r.doc),
  write: (r, key, value) => { r.doc = A.change(r.doc, d => { d[key] = scalar(value) }) },
  writeAll: (r, records) => {
    r.doc = A.change(r.doc, d => { for (const [key, value] of records) d[key] = scalar(value) })
  },
  read: (r, key) => r.doc[key]?.val,
  version: r => A.getHeads(r.doc),
  versionLength: version => version.length * 32,
  delta: (r, version) => A.saveSince(r.doc, version),
  apply: (r, bytes) => { r.doc = A.loadIncremental(r.doc, bytes) },
  applyAll: (r, list) => { r.doc = A.loadIncremental(r.doc, Buffer.concat(list)) },
  encodeAll: r => A.save(r.doc),
  load: (id, bytes) => ({ doc: A.load(bytes, { actor: actorOf(id) }) }),
}

// The records of SyncEngine.Benchmarks/Workloads/RecordSet.cs, character for character.
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function scramble(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

const hex = bits => bits.toString(16).padStart(8, '0')

// Through a buffer, so that the engine gets one flat string and not a tree of pieces.
const flat = text => Buffer.from(text, 'latin1').latin1Slice()

export const keyOf = id => flat(hex(scramble(id ^ 0x5bd1e995)) + hex(scramble(id + 0x3c6ef372)))

export function valueOf(id, generation) {
  let state = scramble(id ^ scramble(generation + 0x51ed270b)) | 1
  const bytes = Buffer.allocUnsafe(32)
  for (let i = 0; i < bytes.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = LETTERS.charCodeAt(state >>> 26)
  }
  return bytes.latin1Slice()
}

const record = (id, generation) => [keyOf(id), valueOf(id, generation)]

export const range = (from, count, generation) =>
  Array.from({ length: count }, (_, i) => record(from + i, generation))

/** A hundred records, spread over all of them and others in each round. */
export const hundred = (count, round) =>
  Array.from({ length: 100 }, (_, i) => record((i * Math.floor(count / 100) + round * 7) % count, 1000 + round))

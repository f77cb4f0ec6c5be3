const NUL = 0x00
const LF = 0x0a
const CR = 0x0d

/**
 * The same text with CRLF as its only line end and without NUL, the one byte that mail cannot carry (RFC 5321 §2.3.8).
 * A bare CR or LF that one server takes for a line end and the next does not is how a second message is smuggled inside
 * the first (VU#302671), so `mime/` reads and writes nothing that did not go through here. All CRs right before a LF
 * belong to that one line end. Linear; returns the bytes uncopied when there is nothing to change.
 */
export function toCrlf(bytes: Uint8Array): Buffer {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = firstIrregular(input)
  if (start === -1) return input

  // At worst every byte left becomes two.
  const output = Buffer.allocUnsafe(2 * input.length - start)
  input.copy(output, 0, 0, start)
  let length = start
  let at = start
  while (at < input.length) {
    const byte = input[at] as number
    at += 1
    if (byte === NUL) continue
    if (byte === CR) {
      const run = at - 1
      while (input[at] === CR) at += 1
      if (input[at] === LF) continue
      for (let count = at - run; count > 0; count -= 1) length = writeLineEnd(output, length)
    } else if (byte === LF) {
      length = writeLineEnd(output, length)
    } else {
      output[length++] = byte
    }
  }
  return output.subarray(0, length)
}

/** The text with a line end at its end, uncopied when it has one or is empty. */
export function withLineEnd(text: Buffer): Buffer {
  return text.length === 0 || text.subarray(-2).toString('latin1') === '\r\n'
    ? text
    : Buffer.concat([text, Buffer.from('\r\n')])
}

function writeLineEnd(output: Buffer, at: number): number {
  output[at] = CR
  output[at + 1] = LF
  return at + 2
}

/** Where the first byte stands that may not stay as it is; -1 when all may. */
function firstIrregular(input: Buffer): number {
  for (let at = 0; at < input.length; at += 1) {
    const byte = input[at]
    if (byte === NUL || byte === LF) return at
    if (byte === CR) {
      if (input[at + 1] !== LF) return at
      at += 1
    }
  }
  return -1
}

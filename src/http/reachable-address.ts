import { isIP, isIPv4 } from 'node:net'

/**
 * Whether an address is one of the public internet. Everything that a network gives a special meaning is not: loopback,
 * private, link-local, shared and documentation ranges, multicast (IANA's special-purpose registries, RFC 6890), and IPv6
 * addresses that hold an IPv4 one, which are judged by that.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !isWithin(bytesOfIPv4(address), specialIPv4)
  if (isIP(address) !== 6) return false
  const bytes = bytesOfIPv6(address)
  const embedded = embeddedIPv4(bytes)
  if (embedded !== undefined) return !isWithin(embedded, specialIPv4)
  return isWithin(bytes, globalUnicast) && !isWithin(bytes, specialIPv6)
}

/** This machine: 127.0.0.0/8 and ::1, also as IPv4 within IPv6. */
export function isLoopbackAddress(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.')
  if (isIP(address) !== 6) return false
  const bytes = bytesOfIPv6(address)
  if (isWithin(bytes, mapped)) return bytes[12] === 127
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0))
}

interface Range {
  readonly first: readonly number[]
  readonly bits: number
}

const specialIPv4: readonly Range[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map(rangeOf)

/** RFC 4291 §2.4: all that is routed today. */
const globalUnicast = [rangeOf('2000::/3')]

/** Within it. Teredo (2001::/32) is in the first. */
const specialIPv6 = ['2001::/23', '2001:db8::/32', '3fff::/20', '2620:4f:8000::/48'].map(rangeOf)

const mapped = [rangeOf('::ffff:0:0/96')]
const sixToFour = [rangeOf('2002::/16')]
/** IPv4-compatible (RFC 4291 §2.5.5.1), IPv4-translated (RFC 2765), NAT64 (RFC 6052). */
const embeddedAtEnd = [...mapped, ...['::/96', '::ffff:0:0:0/96', '64:ff9b::/96'].map(rangeOf)]

function embeddedIPv4(bytes: readonly number[]): readonly number[] | undefined {
  if (isWithin(bytes, sixToFour)) return bytes.slice(2, 6)
  return isWithin(bytes, embeddedAtEnd) ? bytes.slice(12) : undefined
}

function rangeOf(text: string): Range {
  const [address = '', bits = ''] = text.split('/')
  return { first: isIPv4(address) ? bytesOfIPv4(address) : bytesOfIPv6(address), bits: Number(bits) }
}

function isWithin(bytes: readonly number[], ranges: readonly Range[]): boolean {
  return ranges.some(({ first, bits }) =>
    bytes.every((byte, index) => {
      const counted = Math.min(Math.max(bits - index * 8, 0), 8)
      const mask = (0xff << (8 - counted)) & 0xff
      return (byte & mask) === ((first[index] ?? 0) & mask)
    }),
  )
}

function bytesOfIPv4(address: string): number[] {
  return address.split('.').map(Number)
}

/** @param address one that `net.isIP` takes for IPv6 */
function bytesOfIPv6(address: string): number[] {
  const [withoutZone = ''] = address.split('%')
  const [head = '', tail] = withoutZone.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  return [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfIPv4(group)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

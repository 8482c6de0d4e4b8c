"""RL1 as bytes, written from docs/wire/rl1.md alone."""
import struct


def u16(v):
    return struct.pack('<H', v & 0xffff)


def u32(v):
    return struct.pack('<I', v & 0xffffffff)


def ack_block(received, floor, delay):
    """(N, block bytes, numbers named) for the numbers received above the floor, newest last by distance."""
    def dist(a, b):
        d = (a - b) & 0xffff
        return d - 0x10000 if d >= 0x8000 else d
    largest = received[0]
    for n in received:
        if dist(n, largest) > 0:
            largest = n
    have = {n for n in received if dist(n, floor) > 0}
    named = [largest]
    run = 0
    while run < 255 and ((largest - run - 1) & 0xffff) in have:
        run += 1
        named.append((largest - run) & 0xffff)
    first = largest - run - (1 if run == 255 else 2)
    bitmap = bytearray(15)
    for i in range(120):
        n = (first - i) & 0xffff
        if n in have:
            bitmap[i // 8] |= 1 << (i % 8)
            named.append(n)
    while bitmap and bitmap[-1] == 0:
        bitmap.pop()
    block = u16(largest) + bytes([delay, run]) + bytes(bitmap)
    return len(bitmap), block, named


def header(seq, ts=None, ack=None):
    first = 0x40
    body = u16(seq)
    if ts is not None:
        first |= 0x20
        body += u16(ts)
    if ack is not None:
        n, block, _ = ack_block(*ack)
        first |= 0x10 | n
        body += block
    return bytes([first]) + body


def leb(n):
    return bytes([n]) if n < 128 else bytes([n & 0x7f | 0x80, n >> 7])


def message(mode, channel, data, last, ident=None, fragment=None):
    first = 0x80 | (0x40 if fragment else 0) | (0x20 if last else 0) | mode << 3 | min(channel, 7)
    out = bytes([first])
    if channel >= 7:
        out += bytes([channel])
    if ident is not None:
        out += u16(ident)
    if fragment:
        out += bytes([fragment[0], fragment[1] - 1])
    if not last:
        out += leb(len(data))
    return out + data


def params(flags, version=1, channels=32, partials=8, window=512, delay=25, unreliable=16384,
           largest=262144, budget=524288, digest=0xdeadbeef, tail=b''):
    return (b'GGRL1' + bytes([version, flags, channels, partials, 0]) + u16(window) + u16(delay) +
            u16(unreliable) + u32(largest) + u32(budget) + u32(digest) + tail)

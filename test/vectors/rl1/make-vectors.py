"""Writes the golden vectors of RL1 from docs/wire/rl1.md alone: it shares no code with src/protocol.

    python3 test/vectors/rl1/make-vectors.py

The vectors are committed; run it only when the document changes.
"""
import json
import os

from rl1_floors import floor_vectors
from rl1_sequences import sequence_vectors
from rl1_wire import ack_block, header, message, params, u16, u32

HERE = os.path.dirname(os.path.abspath(__file__))


def fields(mode, channel, data, ident=0, fragment=(0, 0)):
    return {'type': 'message', 'mode': mode, 'channel': channel, 'id': ident, 'index': fragment[0],
            'count': fragment[1], 'data': data.hex()}


def write(name, value):
    with open(os.path.join(HERE, name), 'w') as f:
        json.dump(value, f, indent=1)
        f.write('\n')


def ack_vectors():
    cases = [
        ('one packet', [10], 9, 0),
        ('the worked example', [145, 147, 148, 150, 151, 152, 153], 144, 0),
        ('one gap, bit 0 is the number below it', [100, 102], 99, 1),
        ('bit 7 of byte 0', [92 - 1, 101], 90, 2),
        ('bit 0 of byte 1', [91, 101], 90, 2),
        ('the floor cuts the run', [50, 51, 52, 53], 51, 3),
        ('the floor cuts the bitmap', [40, 44, 50], 43, 3),
        ('across the wrap', [65533, 65534, 0, 1, 3], 65532, 4),
        ('a run of 254 and a gap', [745] + list(range(747, 1002)), 744, 5),
        ('a full run: no gap is implied, bit 0 is largest - 256', list(range(744, 1001)), 743, 6),
        ('a full run, then a gap at largest - 256', [743] + list(range(745, 1001)), 742, 7),
        ('the last number that the block reaches', [1000 - 2 - 119, 1000], 500, 8),
        ('out of reach', [1000 - 2 - 120, 1000], 500, 255),
        ('every other number', list(range(700, 1001, 2)), 699, 254),
    ]
    out = []
    for name, received, floor, delay in cases:
        n, block, named = ack_block(received, floor, delay)
        out.append({'name': name, 'received': received, 'floor': floor, 'ackDelay': delay,
                    'bitmapBytes': n, 'block': block.hex(), 'named': named})
    return out


def packet_vectors():
    long = bytes(range(200))
    part = bytes(i & 0xff for i in range(1024))
    out = []

    def add(name, seq, frames, described, ts=None, ack=None):
        bits = header(seq, ts, ack)
        described_ack = None
        if ack is not None:
            n, block, named = ack_block(*ack)
            described_ack = {'delay': block[2], 'run': block[3], 'bitmapBytes': n, 'named': named}
        out.append({'name': name, 'hex': (bits + b''.join(frames)).hex(), 'sequence': seq,
                    'timestamp': ts, 'ack': described_ack, 'frames': described})

    add('the worked example', 3,
        [message(3, 0, b'\1\2\3', False, 7), message(0, 2, b'\x09', True)],
        [fields(3, 0, b'\1\2\3', 7), fields(0, 2, b'\x09')],
        ack=([145, 147, 148, 150, 151, 152, 153], 144, 0))
    add('nothing but a number', 0xabcd, [], [])
    add('timestamp and clean ack: the typical nine bytes', 500, [message(1, 1, b'x', True, 65535)],
        [fields(1, 1, b'x', 65535)], ts=0x1234, ack=([9], 8, 255))
    add('unreliable, whole', 1, [message(0, 0, b'ab', True)], [fields(0, 0, b'ab')])
    add('an empty message', 1, [message(0, 6, b'', True)], [fields(0, 6, b'')])
    add('unreliable sequenced', 1, [message(1, 3, b'ab', True, 258)], [fields(1, 3, b'ab', 258)])
    add('reliable unordered', 1, [message(2, 4, b'ab', True, 3)], [fields(2, 4, b'ab', 3)])
    add('reliable ordered, channel byte 7', 1, [message(3, 7, b'q', True, 3)], [fields(3, 7, b'q', 3)])
    add('reliable ordered, channel byte 31', 1, [message(3, 31, b'q', True, 3)],
        [fields(3, 31, b'q', 3)])
    add('a length of two bytes', 1, [message(2, 0, long, False, 1), b'\1'],
        [fields(2, 0, long, 1), {'type': 'ping'}])
    add('a fragment in the middle', 1, [message(3, 0, part, True, 9, (1, 3))],
        [fields(3, 0, part, 9, (1, 3))])
    add('the last fragment, unreliable', 1, [message(0, 0, b'end', True, 9, (15, 16))],
        [fields(0, 0, b'end', 9, (15, 16))])
    add('a fragment and another frame', 1,
        [message(2, 5, part, False, 9, (255 - 1, 256)), message(1, 0, b'z', True, 1)],
        [fields(2, 5, part, 9, (254, 256)), fields(1, 0, b'z', 1)])
    add('padding', 1, [b'\0\0'], [{'type': 'padding'}, {'type': 'padding'}])
    add('ping', 1, [b'\1'], [{'type': 'ping'}])
    add('time request', 1, [b'\2' + u32(0x80000001)], [{'type': 'time-request', 't0': 0x80000001}])
    add('time response', 1, [b'\3' + u32(1) + u32(2) + u32(3)],
        [{'type': 'time-response', 't0': 1, 't1': 2, 't2': 3}])
    add('close without a reason', 1, [b'\4' + u16(0) + b'\0'],
        [{'type': 'close', 'code': 0, 'reason': ''}])
    text = 'b\u00fcy \U0001f3ae'.encode()
    add('close with a reason', 1, [b'\4' + u16(1001) + bytes([len(text)]) + text],
        [{'type': 'close', 'code': 1001, 'reason': text.hex()}])
    add('receive report', 1, [b'\x08' + u32(1000) + u32(3)],
        [{'type': 'rx-report', 'received': 1000, 'missing': 3}])
    add('grease', 1, [b'\x20\0', b'\x3f\3abc'], [{'type': 'ignorable'}, {'type': 'ignorable'}])
    add('sixty-four frames', 1, [b'\1'] * 64, [{'type': 'ping'}] * 64)
    return out


def refused_vectors():
    h = header(1)
    part = bytes(1024)
    cases = [
        ('header-truncated', 'one byte', b'\x40'),
        ('header-truncated', 'no timestamp', b'\x60\1\0\1'),
        ('header-truncated', 'ack block cut', b'\x51\1\0\0\0\0\0'),
        ('header-truncated', 'two bytes with mark 11', b'\xc0\1'),
        ('header-truncated', 'two bytes of PARAMS', b'GG'),
        ('header-malformed', 'three bytes of PARAMS', b'GGR'),
        ('header-malformed', 'mark 11, and too short for its ack block', b'\xdf\1\0'),
        ('header-malformed', 'mark 00', b'\0\1\0'),
        ('header-malformed', 'mark 11', b'\xc0\1\0'),
        ('header-malformed', 'bitmap without an ack', b'\x41\1\0\0'),
        ('ack-non-canonical', 'last bitmap byte zero', b'\x52\1\0\0\0\0\0\1\0'),
        ('frame-count', 'sixty-five pings', h + b'\1' * 65),
        ('frame-unknown', 'type 05', h + b'\5'),
        ('frame-unknown', 'type 07', h + b'\7'),
        ('frame-unknown', 'type 1f', h + b'\x1f\0'),
        ('frame-unknown', 'type 40', h + b'\x40\0'),
        ('frame-unknown', 'type 7f', h + b'\x7f\0'),
        ('frame-truncated', 'message without an id', h + b'\xb8\1'),
        ('frame-truncated', 'message without a channel', h + b'\xa7'),
        ('frame-truncated', 'length without its second byte', h + b'\x80\x80'),
        ('frame-truncated', 'length past the end', h + b'\x80\5abcd'),
        ('frame-truncated', 'time request cut', h + b'\2\0\0\0'),
        ('frame-truncated', 'time response cut', h + b'\3' + bytes(11)),
        ('frame-truncated', 'close cut', h + b'\4\0\0'),
        ('frame-truncated', 'close reason cut', h + b'\4\0\0\2a'),
        ('frame-truncated', 'receive report cut', h + b'\x08' + bytes(7)),
        ('frame-truncated', 'grease without a length', h + b'\x20'),
        ('frame-truncated', 'grease past the end', h + b'\x20\2a'),
        ('frame-non-canonical', 'channel byte below 7', h + b'\xa7\6a'),
        ('frame-non-canonical', 'length in two bytes that fits one', h + b'\x80\x81\0a\1'),
        ('frame-non-canonical', 'length of three bytes', h + b'\x80\x81\x80\1' + bytes(200)),
        ('frame-non-canonical', 'last frame with a length', h + b'\x80\1a'),
        ('frame-truncated', 'channel byte below 7, without the id behind it', h + b'\xbf\6\0'),
        ('frame-truncated', 'length past the end, in two bytes', h + b'\x80\x81\1' + bytes(128)),
        ('frame-non-canonical', 'channel byte below 7, and a length past the end', h + b'\x87\6\x7f'),
        ('channel-range', 'channel 32', h + b'\xa7\x20a'),
        ('channel-range', 'channel 32, and a length past the end', h + b'\x87\x20\x7f'),
        ('fragment-malformed', 'index above count, and too large', h + message(0, 0, b'a', True, 0, (32, 17))),
        ('fragment-malformed', 'index = count', h + message(3, 0, b'a', True, 0, (2, 2))),
        ('fragment-malformed', 'a single fragment', h + message(3, 0, b'a', True, 0, (0, 1))),
        ('fragment-malformed', 'short fragment that is not the last',
         h + message(3, 0, part[:1023], True, 0, (0, 2))),
        ('fragment-malformed', 'empty last fragment', h + message(3, 0, b'', True, 0, (1, 2))),
        ('fragment-malformed', 'last fragment of 1025', h + message(3, 0, part + b'a', True, 0, (1, 2))),
        ('message-too-large', 'unreliable in 17 fragments', h + message(0, 0, b'a', True, 0, (16, 17))),
        ('close-malformed', 'reason of 65 bytes', h + b'\4\0\0\x41' + b'a' * 65),
        ('frame-truncated', 'close reason of 65 bytes, cut', h + b'\4\0\0\x41' + b'a' * 64),
        ('frame-unknown', 'the first wrong frame names the reason', h + b'\5\x80\5abcd'),
        ('frame-count', 'the 65th is unknown', h + b'\1' * 64 + b'\x7f'),
        ('close-malformed', 'overlong UTF-8', h + b'\4\0\0\2\xc0\xaf'),
        ('close-malformed', 'surrogate', h + b'\4\0\0\3\xed\xa0\x80'),
        ('close-malformed', 'above U+10FFFF', h + b'\4\0\0\4\xf4\x90\x80\x80'),
        ('close-malformed', 'cut sequence', h + b'\4\0\0\2\xe2\x82'),
        ('sender-rule', 'reliable id 512 while 0 is missing', h + message(3, 0, b'a', True, 512)),
        ('ack-never-sent', 'a number from the future', header(1, None, ([30000], 29999, 0))),
    ]
    return [{'reason': r, 'name': n, 'hex': b.hex()} for r, n, b in cases]


def params_vectors():
    def good(name, data, server, coarse=False, **kw):
        base = {'version': 1, 'channels': 32, 'partials': 8, 'windowIds': 512, 'maxAckDelayMs': 25,
                'unreliableMessageBytes': 16384, 'messageBytes': 262144,
                'receiveBudgetBytes': 524288, 'registryHash': 0xdeadbeef}
        base.update(kw)
        return {'name': name, 'hex': data.hex(), 'fromServer': server, 'coarseAckDelay': coarse,
                'fields': base}
    taken = [
        good('a client with the defaults', params(0), False),
        good('a server with the defaults', params(1), True),
        good('tick driver: ack delay in ms', params(3, delay=255), True, True, maxAckDelayMs=255),
        good('unknown flags and more bytes are ignored', params(0xfd, tail=b'later'), True),
        good('a later client version', params(0, version=9), False, version=9),
    ]
    refused = [
        ('params-malformed', False, 'cut', params(0)[:27]),
        ('params-malformed', False, 'version 0', params(0, version=0)),
        ('params-malformed', True, 'a server answers with a version that was not offered',
         params(1, version=2)),
        ('params-malformed', False, 'no channels', params(0, channels=0)),
        ('params-malformed', False, 'no partials', params(0, partials=0)),
        ('params-malformed', False, 'window 0', params(0, window=0)),
        ('params-malformed', False, 'window 16385', params(0, window=16385)),
        ('params-malformed', False, 'max_ack_delay 0', params(0, delay=0)),
        ('params-malformed', False, 'max_ack_delay 1001', params(0, delay=1001)),
        ('params-malformed', False, 'unreliable 1023', params(0, unreliable=1023)),
        ('params-malformed', False, 'message 1023', params(0, largest=1023)),
        ('params-malformed', False, 'message 262145', params(0, largest=262145)),
        ('params-malformed', False, 'budget below the largest message', params(0, budget=262143)),
        ('params-malformed', False, 'budget 2^31', params(0, budget=1 << 31)),
        ('params-unexpected', True, "the client's own PARAMS come back", params(0)),
        ('params-unexpected', False, "a server's PARAMS at a server", params(1)),
    ]
    return {'taken': taken, 'refused': [
        {'reason': r, 'fromServer': s, 'name': n, 'hex': b.hex()} for r, s, n, b in refused]}


write('ack-blocks.json', ack_vectors())
write('packets.json', packet_vectors())
write('refused.json', refused_vectors())
write('params.json', params_vectors())
write('floors.json', floor_vectors())
write('sequences.json', sequence_vectors())

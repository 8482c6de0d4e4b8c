"""Packets one after another, and what a receiver must make of them: rl1.md §1 to §9, put by hand.

A sequence has a side (whose receiver it is), the limits of that side's PARAMS, and steps: the time in
µs, the payload, the answer. The answer is `accept` or the reason, and the events:

    ready · raw BYTES · message CHANNEL MODE ID BYTES · closed CODE BYTES · violation REASON

BYTES is the length and the FNV-1a hash (32 bits). The receiver has sent nothing but its PARAMS.
"""
from rl1_wire import header, message, params, u16

UNRELIABLE, SEQUENCED, UNORDERED, ORDERED = range(4)
PING = b'\1'
DEFAULTS = {'channels': 32, 'partials': 8, 'windowIds': 512, 'unreliableMessageBytes': 16384,
            'messageBytes': 262144, 'receiveBudgetBytes': 524288}


def digest(data):
    value = 0x811c9dc5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xffffffff
    return f'{len(data)}:{value:08x}'


def got(channel, mode, data, ident=0):
    return f'message {channel} {mode} {ident} {digest(data)}'


def closed(code, reason=b''):
    return f'closed {code} {digest(reason)}'


def close(code, reason=b''):
    return b'\4' + u16(code) + bytes([len(reason)]) + reason


def whole(mode, ident, data, channel=0):
    """A message frame, as a function of whether it is the last of its packet."""
    return lambda last: message(mode, channel, data, last, None if mode == UNRELIABLE else ident)


def piece(mode, ident, index, data, channel=0):
    """Fragment `index` of `data`, likewise."""
    count = (len(data) + 1023) // 1024
    part = data[1024 * index:1024 * index + 1024]
    return lambda last: message(mode, channel, part, last, ident, (index, count))


def packet(number, frames):
    """A packet of frames in bytes and functions."""
    ends = [frame if isinstance(frame, bytes) else frame(frame is frames[-1]) for frame in frames]
    return header(number) + b''.join(ends)


def text(length, first=0):
    return bytes((first + i * 7) & 0xff for i in range(length))


class Sequence:
    """Steps of one flow; with `opened` the first is the other side's PARAMS."""

    def __init__(self, name, side='server', opened=True, **limits):
        self.name, self.side, self.steps, self.now = name, side, [], 0
        self.limits = {**DEFAULTS, **limits}
        if opened:
            self.payload(params(1 if side == 'client' else 0), 'accept', 'ready')

    def payload(self, data, *answer):
        self.steps.append({'atUs': self.now, 'hex': data.hex(), 'answer': ' | '.join(answer)})

    def packet(self, number, frames, *events):
        self.payload(packet(number, frames), 'accept', *events)

    def refused(self, reason, number, frames, *events):
        self.payload(packet(number, frames), reason, *events)

    def vector(self):
        return {'name': self.name, 'side': self.side, 'limits': self.limits, 'steps': self.steps}


def flows():
    raw = Sequence('a first payload that is not PARAMS makes the flow raw for ever', opened=False)
    raw.payload(b'GGRL', 'accept', f'raw {digest(b"GGRL")}')
    raw.payload(params(0), 'accept', f'raw {digest(params(0))}')
    raw.payload(b'\x40\1\0', 'accept', f'raw {digest(bytes([0x40, 1, 0]))}')

    still = Sequence('PARAMS that are refused decide nothing', opened=False)
    still.payload(params(0)[:27], 'params-malformed')
    still.payload(params(1), 'params-unexpected')
    still.payload(b'a', 'accept', f'raw {digest(b"a")}')
    late = Sequence('PARAMS that are refused decide nothing, so good ones may follow', opened=False)
    late.payload(params(0, window=0), 'params-malformed')
    late.payload(params(0), 'accept', 'ready')
    late.payload(params(0, window=0), 'params-malformed')
    late.packet(1, [whole(ORDERED, 0, b'a')], got(0, ORDERED, b'a'))

    again = Sequence('later PARAMS change nothing, even smaller ones')
    again.payload(params(0, channels=1, partials=1, window=1), 'accept')
    again.packet(1, [whole(ORDERED, 0, b'a', 31)], got(31, ORDERED, b'a'))

    client = Sequence('a client takes nothing before the PARAMS of the server', 'client', False)
    client.refused('before-params', 1, [PING])
    client.payload(params(0), 'params-unexpected')
    client.refused('before-params', 1, [PING])
    client.payload(params(1), 'accept', 'ready')
    client.packet(1, [whole(ORDERED, 0, b'a'), PING], got(0, ORDERED, b'a'))
    client.payload(params(0), 'params-unexpected')
    return [raw, still, late, again, client]


def numbers():
    dup = Sequence('packet numbers: any first, each once, 511 below the newest and no more')
    dup.packet(1000, [PING])
    dup.refused('packet-duplicate', 1000, [PING])
    dup.packet(998, [PING])
    dup.packet(1001, [PING])
    dup.refused('packet-duplicate', 998, [PING])
    dup.packet(490, [PING])
    dup.refused('packet-old', 489, [PING])
    dup.refused('packet-duplicate', 490, [PING])
    dup.packet(1002, [PING])
    dup.refused('packet-old', 490, [PING])

    wrap = Sequence('packet numbers across the wrap')
    for number in (65533, 65535, 1, 0, 65534):
        wrap.packet(number, [PING])
    for number in (65533, 65535, 1, 0, 65534):
        wrap.refused('packet-duplicate', number, [PING])
    wrap.refused('packet-old', (1 - 512) & 0xffff, [PING])

    jump = Sequence('a jump of packet numbers: 32767 ahead is newer, 32768 is old')
    jump.packet(0, [PING])
    jump.refused('packet-old', 32768, [PING])
    jump.packet(32767, [PING])
    jump.refused('packet-old', 0, [PING])
    jump.packet(32767 - 511, [PING])

    free = Sequence('a refused packet is not received: its number can still be')
    free.refused('frame-truncated', 7, [whole(ORDERED, 0, b'a'), b'\2\0'])
    free.packet(7, [whole(ORDERED, 0, b'b'), PING], got(0, ORDERED, b'b'))
    free.refused('packet-duplicate', 7, [whole(ORDERED, 0, b'b'), PING])
    return [dup, wrap, jump, free]


def modes():
    loose = Sequence('unreliable: each frame once, in order of arrival')
    loose.packet(2, [whole(UNRELIABLE, 0, b'b'), whole(UNRELIABLE, 0, b'')],
                 got(0, UNRELIABLE, b'b'), got(0, UNRELIABLE, b''))
    loose.packet(1, [whole(UNRELIABLE, 0, b'a')], got(0, UNRELIABLE, b'a'))
    loose.refused('packet-duplicate', 2, [whole(UNRELIABLE, 0, b'b')])

    seq = Sequence('sequenced: newer than all before on the channel, 0 < d < 32768')
    def one(number, ident, delivered, channel=0):
        data = u16(ident)
        events = [got(channel, SEQUENCED, data, ident)] if delivered else []
        seq.packet(number, [whole(SEQUENCED, ident, data, channel)], *events)
    story = [(65535, False), (32768, False), (0, True), (0, False), (2, True), (1, False),
             (32769, True), (2, False), (1, False), (65535, True), (32768, False), (0, True),
             (32767, True), (32768, True), (0, False)]
    for number, (ident, delivered) in enumerate(story):
        one(number, ident, delivered)
    one(100, 5, True, channel=9)
    one(101, 32767, False, channel=3)
    one(102, 32766, True, channel=3)

    repeat = Sequence('sequenced: a repetition before a newer message of the same packet is delivered')
    repeat.packet(1, [whole(SEQUENCED, 0, b'0'), whole(SEQUENCED, 1, b'1')],
                  got(0, SEQUENCED, b'0', 0), got(0, SEQUENCED, b'1', 1))
    repeat.packet(3, [whole(SEQUENCED, 2, b'2'), whole(SEQUENCED, 3, b'3')],
                  got(0, SEQUENCED, b'2', 2), got(0, SEQUENCED, b'3', 3))
    repeat.packet(2, [whole(SEQUENCED, 1, b'1'), whole(SEQUENCED, 2, b'2')])

    loosely = Sequence('reliable unordered: each id once, as it comes')
    for number, ident in enumerate((2, 0, 2, 5, 1, 0, 3, 4, 5)):
        new = number in (0, 1, 3, 4, 6, 7)
        loosely.packet(number, [whole(UNORDERED, ident, u16(ident), 4)],
                       *([got(4, UNORDERED, u16(ident), ident)] if new else []))

    strict = Sequence('reliable ordered: each id once, in order, per channel and mode')
    def put(number, ident, *idents):
        strict.packet(number, [whole(ORDERED, ident, u16(ident), 1)],
                      *[got(1, ORDERED, u16(i), i) for i in idents])
    for args in ((0, 2), (1, 1), (2, 4), (3, 0, 0, 1, 2), (4, 1), (5, 4), (6, 3, 3, 4), (7, 4)):
        put(*args)
    strict.packet(8, [whole(UNORDERED, 0, b'u', 1), whole(ORDERED, 0, b'o', 2)],
                  got(1, UNORDERED, b'u'), got(2, ORDERED, b'o'))
    old = Sequence('reliable ids up to 32768 behind the next have come already')
    old.packet(0, [whole(ORDERED, i, b'o') for i in (65000, 32768, 65535)])
    old.packet(1, [whole(UNORDERED, 65535, b'u'), whole(UNORDERED, 0, b'v')],
               got(0, UNORDERED, b'v'))
    turn = Sequence('an id 32767 behind stays behind while its packet moves the next id on')
    turn.packet(0, [whole(UNORDERED, i, b'u') for i in (0, 1, 32769)],
                got(0, UNORDERED, b'u'), got(0, UNORDERED, b'u', 1))
    turn.packet(1, [whole(ORDERED, i, b'o') for i in (0, 1, 32769)],
                got(0, ORDERED, b'o'), got(0, ORDERED, b'o', 1))
    turn.packet(2, [whole(ORDERED, 2, b'o'), whole(UNORDERED, 2, b'u')],
                got(0, ORDERED, b'o', 2), got(0, UNORDERED, b'u', 2))
    return [loose, seq, repeat, loosely, strict, old, turn]


def fragments():
    big, other, loose = text(2500), text(1025, 9), text(2048, 77)
    mixed = Sequence('fragments of three messages, interleaved, out of order, some twice')
    mixed.packet(0, [piece(ORDERED, 0, 2, big), piece(UNORDERED, 0, 1, other)])
    mixed.packet(1, [piece(ORDERED, 0, 0, big)])
    mixed.packet(2, [piece(UNRELIABLE, 7, 1, loose)])
    mixed.packet(3, [whole(ORDERED, 1, b'after'), piece(ORDERED, 0, 2, big)])
    mixed.packet(4, [piece(UNORDERED, 0, 0, other)], got(0, UNORDERED, other))
    mixed.packet(5, [piece(UNRELIABLE, 7, 0, loose)], got(0, UNRELIABLE, loose, 7))
    mixed.packet(6, [piece(ORDERED, 0, 0, big)])
    mixed.packet(7, [piece(ORDERED, 0, 1, big)], got(0, ORDERED, big), got(0, ORDERED, b'after', 1))
    mixed.packet(8, [piece(ORDERED, 0, 1, big)])

    counts = Sequence('a fragment with another count refuses its packet')
    counts.packet(0, [piece(ORDERED, 0, 2, big)])
    counts.refused('fragment-malformed', 1, [whole(UNORDERED, 0, b'x'), piece(ORDERED, 0, 1, other)])
    counts.packet(1, [whole(UNORDERED, 0, b'y')], got(0, UNORDERED, b'y'))
    counts.refused('fragment-malformed', 2,
                   [piece(SEQUENCED, 0, 2, big), piece(SEQUENCED, 0, 1, other)])
    counts.packet(2, [piece(ORDERED, 0, 0, big)])
    counts.packet(3, [piece(ORDERED, 0, 1, big)], got(0, ORDERED, big))
    counts.packet(4, [piece(ORDERED, 0, 1, other)])
    counts.refused('fragment-malformed', 5, [piece(ORDERED, 0, 1, other), piece(ORDERED, 0, 2, big)])

    both = Sequence('a reliable message that is partial does not come whole')
    both.packet(0, [piece(ORDERED, 0, 1, other), piece(UNORDERED, 1, 1, other)])
    both.refused('fragment-malformed', 1, [whole(ORDERED, 0, b'0')])
    both.refused('fragment-malformed', 1, [whole(UNORDERED, 0, b'0'), whole(UNORDERED, 1, b'1')])
    both.refused('fragment-malformed', 1, [whole(UNORDERED, 2, b'2'), piece(UNORDERED, 2, 1, other)])
    both.refused('fragment-malformed', 1, [piece(UNORDERED, 2, 1, other), whole(UNORDERED, 2, b'2')])
    both.packet(1, [whole(UNORDERED, 3, b'3'), whole(UNORDERED, 3, b'3')], got(0, UNORDERED, b'3', 3))
    both.packet(5, [piece(ORDERED, 0, 0, other)], got(0, ORDERED, other))
    both.packet(2, [whole(ORDERED, 0, b'0'), whole(UNORDERED, 2, b'2')], got(0, UNORDERED, b'2', 2))
    both.packet(3, [piece(UNORDERED, 2, 1, other)])
    both.refused('fragment-malformed', 4, [piece(UNORDERED, 0, 1, other), whole(UNORDERED, 0, b'0')])
    both.packet(4, [piece(SEQUENCED, 2, 1, other), whole(SEQUENCED, 2, b'2')], got(0, SEQUENCED, b'2', 2))

    evict = Sequence('unreliable fragments: two messages at once, the oldest gives way, 500 ms')
    def part(number, ident, index, *events, mode=UNRELIABLE):
        evict.packet(number, [piece(mode, ident, index, loose)], *events)
    part(0, 1, 0)
    part(1, 2, 0)
    part(2, 3, 0)
    part(3, 1, 1)
    part(4, 2, 1)
    part(5, 1, 0, got(0, UNRELIABLE, loose, 1))
    part(6, 2, 0, got(0, UNRELIABLE, loose, 2))
    evict.now = 100_000
    part(7, 10, 0)
    evict.now = 599_000
    part(8, 10, 1, got(0, UNRELIABLE, loose, 10))
    part(9, 11, 0)
    evict.now = 1_101_000
    part(10, 11, 1)
    evict.now = 1_102_000
    part(11, 11, 0, got(0, UNRELIABLE, loose, 11))

    seq = Sequence('a sequenced message in fragments is overtaken by a newer one')
    seq.packet(0, [piece(SEQUENCED, 0, 0, loose)])
    seq.packet(1, [whole(SEQUENCED, 1, b'new')], got(0, SEQUENCED, b'new', 1))
    seq.packet(2, [piece(SEQUENCED, 0, 1, loose)])
    seq.packet(3, [piece(SEQUENCED, 2, 1, loose)])
    seq.packet(4, [piece(SEQUENCED, 2, 0, loose)], got(0, SEQUENCED, loose, 2))
    return [mixed, counts, both, evict, seq]


def rule():
    three = 'violation sender-rule'
    window = Sequence('the window: ids up to window - 1 ahead of the lowest that is missing', windowIds=4)
    window.packet(0, [whole(ORDERED, 3, b'3'), whole(UNORDERED, 3, b'3')], got(0, UNORDERED, b'3', 3))
    window.refused('sender-rule', 1, [whole(UNORDERED, 0, b'0'), whole(ORDERED, 4, b'4')])
    window.packet(1, [whole(UNORDERED, 0, b'0')], got(0, UNORDERED, b'0'))
    window.packet(2, [whole(UNORDERED, 4, b'4')], got(0, UNORDERED, b'4', 4))
    window.refused('sender-rule', 3, [whole(UNORDERED, 5, b'5')])
    window.packet(3, [whole(ORDERED, 0, b'0')], got(0, ORDERED, b'0'))
    window.packet(4, [whole(ORDERED, 4, b'4'), whole(ORDERED, 1, b'1')], got(0, ORDERED, b'1', 1))
    window.refused('sender-rule', 5, [whole(ORDERED, 2, b'2'), whole(ORDERED, 6, b'6')], three)
    window.refused('flow-closed', 6, [PING])

    partials = Sequence('partial messages: as many as offered', partials=2)
    one, two = text(1500), text(1100, 3)
    partials.packet(0, [piece(ORDERED, 0, 1, one), piece(UNORDERED, 0, 1, two, channel=8)])
    partials.refused('sender-rule', 1, [piece(ORDERED, 1, 1, two)])
    partials.packet(1, [piece(UNRELIABLE, 0, 1, two)])
    partials.packet(2, [piece(ORDERED, 0, 0, one)], got(0, ORDERED, one))
    partials.packet(3, [piece(ORDERED, 1, 1, two)])
    partials.refused('sender-rule', 4, [piece(ORDERED, 1, 0, two), piece(ORDERED, 2, 1, two)])
    partials.packet(4, [piece(ORDERED, 1, 0, two)], got(0, ORDERED, two, 1))
    partials.packet(5, [piece(ORDERED, 2, 1, two)])
    partials.packet(6, [piece(ORDERED, 65535, 1, two, 30)])

    budget = Sequence('the receive budget: what is held, and pieces at their least size',
                      messageBytes=2048, receiveBudgetBytes=2048)
    kilo = text(1023)
    budget.packet(0, [whole(ORDERED, 1, kilo)])
    budget.packet(1, [piece(ORDERED, 2, 1, text(1025))])
    budget.refused('sender-rule', 2, [whole(ORDERED, 3, b'a')])
    budget.packet(2, [whole(UNORDERED, 1, kilo)], got(0, UNORDERED, kilo, 1))
    budget.refused('sender-rule', 3, [whole(ORDERED, 0, b'0'), whole(ORDERED, 3, b'a')])
    budget.packet(3, [whole(ORDERED, 0, kilo)], got(0, ORDERED, kilo), got(0, ORDERED, kilo, 1))
    budget.packet(4, [whole(ORDERED, 3, b'a')])
    return [window, partials, budget]


def endings():
    end = Sequence('CLOSE: what stands before it is delivered, what comes after it is not')
    end.packet(0, [whole(ORDERED, 0, b'last'), close(4000, b'bye'), whole(ORDERED, 1, b'no')],
               got(0, ORDERED, b'last'), closed(4000, b'bye'))
    end.refused('flow-closed', 1, [PING])
    end.payload(params(0), 'flow-closed')

    bad = Sequence('a malformed frame behind CLOSE refuses the packet: nothing is closed')
    bad.refused('frame-unknown', 0, [close(1000), b'\x1f'])
    bad.packet(0, [PING])

    quiet = Sequence('grease, padding, PING, time and reports are no events')
    quiet.packet(0, [b'\x20\0\x3f\2ab', b'\0', PING, b'\2' + bytes(4), b'\x08' + bytes(8)])

    liar = Sequence('an acknowledgement of what was never sent closes at once')
    liar.payload(header(0, None, ([5], 4, 0)) + PING, 'ack-never-sent', 'violation ack-never-sent')
    liar.refused('flow-closed', 1, [PING])
    return [end, bad, quiet, liar]


def sequence_vectors():
    groups = (flows, numbers, modes, fragments, rule, endings)
    return [sequence.vector() for group in groups for sequence in group()]

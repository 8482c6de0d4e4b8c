"""The floor of ack blocks (rl1.md §5), put by hand.

Steps: `receive` a packet that asks for an ack, with a block that names only the `acks`-th packet sent
(from 0) if that is not null; `send` a packet, whose block must name exactly `named`, newest first.
"""


def receive(*numbers, acks=None):
    return [{'receive': number, 'acks': acks} for number in numbers]


def send(*named):
    return [{'send': True, 'named': list(named)}]


def floor_vectors():
    cases = [
        ('nothing acknowledged: everything is named',
         receive(10, 11, 13) + send(13, 11, 10) + receive(14) + send(14, 13, 11, 10)),
        ('an acknowledged block is not repeated',
         receive(10, 11) + send(11, 10) + receive(12, acks=0) + send(12) + receive(13) + send(13, 12)),
        ('the floor is the largest of the packet that was acknowledged, not of the newest',
         receive(1) + send(1) + receive(2) + send(2, 1) + receive(3, acks=0) + send(3, 2)),
        ('nothing new: largest is named all the same',
         receive(5) + send(5) + receive(6, acks=0) + send(6) + receive(7, acks=1) + send(7)
         + receive(8, acks=2) + send(8)),
        ('an older acknowledgement does not lower the floor',
         receive(1) + send(1) + receive(2) + send(2, 1) + receive(3, acks=1) + receive(4, acks=0)
         + send(4, 3)),
        ('a latecomer below the floor lowers it to just below itself',
         receive(10, 12, 13) + send(13, 12, 10) + receive(14, acks=0) + send(14) + receive(11)
         + send(14, 13, 12, 11)),
        ('a latecomer whose own block raises the floor above it is reported',
         receive(20, 22) + send(22, 20) + receive(21, acks=0) + send(22, 21)),
        ('what was reported half the numbers ago raises nothing',
         receive(0) + send(0) + receive(30000, 40000, 40001, acks=None) + receive(40002, acks=0)
         + send(40002, 40001, 40000)),
        ('across the wrap',
         receive(65534, 65535) + send(65535, 65534) + receive(0, acks=0) + send(0) + receive(1)
         + send(1, 0)),
    ]
    return [{'name': name, 'steps': steps} for name, steps in cases]

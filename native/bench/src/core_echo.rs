//! The lowest rung above the kernel: open and seal, without endpoint, rings or flow events.

use ggscale_transport_core::{Clock, Path, Received, Server, HEADROOM, TAG_BYTES};

/// Room around the largest payload.
const WINDOW_BYTES: usize = HEADROOM + 1_200 + TAG_BYTES;

/// Opens each datagram in place and seals what was in it for its flow. How many payloads were sealed.
pub fn echo(server: &mut Server, clock: Clock, datagrams: &mut [(Path, Vec<u8>)]) -> usize {
    let mut window = [0u8; WINDOW_BYTES];
    let mut sealed = 0;
    for (path, datagram) in datagrams {
        let received = server.handle_datagram(clock, *path, datagram);
        let Received::Payload {
            flow,
            start,
            length,
            ..
        } = received
        else {
            continue;
        };
        let payload = datagram.get(start..start + length);
        let room = window.get_mut(HEADROOM..HEADROOM + length);
        let (Some(payload), Some(room)) = (payload, room) else {
            continue;
        };
        room.copy_from_slice(payload);
        let answer = server.seal_payload(clock, flow, &mut window, HEADROOM, length);
        sealed += usize::from(answer.is_ok());
        std::hint::black_box(&window);
    }
    sealed
}

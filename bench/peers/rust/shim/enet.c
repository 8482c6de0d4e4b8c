/* ENet for the Rust side: an echo, and a load with many peers on one host. Reliable packets on one
 * channel; what a turn has to send is flushed at its end, so nothing waits for a timer. */
#include <enet/enet.h>
#include <string.h>

#define CHANNELS 1
#define BUFFER_BYTES (4 << 20)

enum { HEARD = 1, OPENED = 2, CLOSED = 3 };

static ENetHost *open_host(const ENetAddress *address, size_t peers) {
  if (enet_initialize() != 0) return NULL;
  ENetHost *host = enet_host_create(address, peers, CHANNELS, 0, 0);
  if (host == NULL) return NULL;
  enet_socket_set_option(host->socket, ENET_SOCKOPT_RCVBUF, BUFFER_BYTES);
  enet_socket_set_option(host->socket, ENET_SOCKOPT_SNDBUF, BUFFER_BYTES);
  return host;
}

ENetHost *peers_enet_listen(const char *ip, size_t peers) {
  ENetAddress address = {0, 0};
  if (enet_address_set_host_ip(&address, ip) != 0) return NULL;
  return open_host(&address, peers);
}

ENetHost *peers_enet_load(size_t peers) { return open_host(NULL, peers); }

int peers_enet_fd(const ENetHost *host) { return host->socket; }

uint16_t peers_enet_port(const ENetHost *host) {
  ENetAddress address = {0, 0};
  return enet_socket_get_address(host->socket, &address) == 0 ? address.port : 0;
}

/* Everything that has come, sent back; how many messages that were. */
uint64_t peers_enet_echo(ENetHost *host) {
  uint64_t echoed = 0;
  ENetEvent event;
  int has = enet_host_service(host, &event, 0);
  while (has > 0) {
    if (event.type == ENET_EVENT_TYPE_RECEIVE) {
      /* The packet that came is the one that goes: no copy. */
      if (enet_peer_send(event.peer, event.channelID, event.packet) == 0) echoed += 1;
      else enet_packet_destroy(event.packet);
    }
    has = enet_host_check_events(host, &event);
  }
  enet_host_flush(host);
  return echoed;
}

/* The first free peer is taken: called for flow 0, 1, … it is the peer of that number. */
int peers_enet_connect(ENetHost *host, const char *ip, uint16_t port, uint32_t flow) {
  ENetAddress address = {0, port};
  if (enet_address_set_host_ip(&address, ip) != 0) return -1;
  ENetPeer *peer = enet_host_connect(host, &address, CHANNELS, flow);
  return peer == &host->peers[flow] ? 0 : -1;
}

void peers_enet_disconnect(ENetHost *host, uint32_t flow) {
  if (flow < host->peerCount) enet_peer_disconnect(&host->peers[flow], 0);
}

int peers_enet_send(ENetHost *host, uint32_t flow, const uint8_t *bytes, size_t length) {
  if (flow >= host->peerCount) return -1;
  ENetPacket *packet = enet_packet_create(bytes, length, ENET_PACKET_FLAG_RELIABLE);
  if (packet == NULL) return -1;
  int result = enet_peer_send(&host->peers[flow], 0, packet);
  if (result != 0) enet_packet_destroy(packet);
  return result;
}

/* The next event, 0 when there is none. `first` looks at the socket and the timers too. */
int peers_enet_next(ENetHost *host, int first, uint32_t *flow, uint8_t *out, size_t *length) {
  ENetEvent event;
  int has = first ? enet_host_service(host, &event, 0) : enet_host_check_events(host, &event);
  if (has <= 0) return 0;
  *flow = (uint32_t)(event.peer - host->peers);
  if (event.type == ENET_EVENT_TYPE_CONNECT) return OPENED;
  if (event.type == ENET_EVENT_TYPE_DISCONNECT) return CLOSED;
  if (event.packet->dataLength < *length) *length = event.packet->dataLength;
  memcpy(out, event.packet->data, *length);
  enet_packet_destroy(event.packet);
  return HEARD;
}

void peers_enet_flush(ENetHost *host) { enet_host_flush(host); }

/* Packets out, bytes out, packets in, bytes in, since the last call; without headers of UDP. */
void peers_enet_traffic(ENetHost *host, uint64_t out[4]) {
  out[0] = host->totalSentPackets;
  out[1] = host->totalSentData;
  out[2] = host->totalReceivedPackets;
  out[3] = host->totalReceivedData;
  host->totalSentPackets = host->totalSentData = 0;
  host->totalReceivedPackets = host->totalReceivedData = 0;
}

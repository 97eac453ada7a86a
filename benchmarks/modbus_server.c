/* A fast Modbus server with faults on demand: the load and fault bench for every client, ours and the peers'.
 *
 *   cc -O2 -o modbus_server modbus_server.c
 *   modbus_server PORT [-r] [-l PERMILLE] [-m MS] [-d PERMILLE] [-t PERMILLE] [-c PERMILLE] [-u PERMILLE] [-k PERMILLE]
 *                 [-w MS] [-a] [-n ADDRESSES]
 *
 *   -r  RTU framing over TCP          -l/-m  share of answers that come MS late (they may be overtaken)
 *   -d  share of answers dropped      -t  share with a wrong transaction id (RTU: wrong CRC)
 *   -c  share two registers short     -u  share from another unit under the right id
 *   -k  share where the connection closes instead    -w  every answer MS late    -a  accept and close at once
 *   -n  listen on so many addresses from 127.0.0.1 on, as if each were a meter of its own
 *
 * Binds loopback only. A register of unit u holds (u * 1000 + address) mod 65536, so an answer to another question is
 * seen by its values. On SIGTERM prints "requests connections" and ends. One thread, epoll.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4096, RECEIVE = 4096, LISTENERS = 2048, WAITING = 8192, FRAME = 272 };

struct client { int fd; unsigned generation; int filled; uint8_t bytes[RECEIVE]; };
struct pending { double due; int slot; unsigned generation; int length; uint8_t frame[FRAME]; };

static struct client clients[CLIENTS];
static struct pending waiting[WAITING];
static int waiting_count, poller, rtu, refuse, late_ms = 150, every_ms;
static int late, drop, forge, cut, stranger, hang_up;
static unsigned long requests, connections;
static volatile sig_atomic_t ending;
static uint16_t crc_of[256];
static uint64_t seed = 0x9E3779B97F4A7C15ull;

static void on_term(int number) { (void)number; ending = 1; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int chance(int permille) {
  if (!permille) return 0;
  seed ^= seed << 7;
  seed ^= seed >> 9;
  return (int)(seed % 1000) < permille;
}

static uint16_t crc16(const uint8_t *bytes, int length) {
  uint16_t crc = 0xFFFF;
  for (int i = 0; i < length; i++) crc = (uint16_t)((crc >> 8) ^ crc_of[(crc ^ bytes[i]) & 0xFF]);
  return crc;
}

static int pdu_answer(int unit, const uint8_t *pdu, uint8_t *out) {
  int function = pdu[0], address = pdu[1] << 8 | pdu[2], count = pdu[3] << 8 | pdu[4];
  int code = function != 3 && function != 4 ? 1 : count < 1 || count > 125 ? 3 : address + count > 65536 ? 2 : 0;
  if (code) { out[0] = (uint8_t)(function | 0x80); out[1] = (uint8_t)code; return 2; }
  if (count > 2 && chance(cut)) count -= 2;
  out[0] = (uint8_t)function;
  out[1] = (uint8_t)(2 * count);
  for (int i = 0; i < count; i++) {
    unsigned value = (unsigned)(unit * 1000 + address + i) & 0xFFFF;
    out[2 + 2 * i] = (uint8_t)(value >> 8);
    out[3 + 2 * i] = (uint8_t)value;
  }
  return 2 + 2 * count;
}

static void deliver(int slot, const uint8_t *frame, int length) {
  if (chance(drop)) return;
  int ms = chance(late) ? late_ms : every_ms;
  if (!ms) { if (send(clients[slot].fd, frame, (size_t)length, MSG_NOSIGNAL) < 0) return; return; }
  if (waiting_count == WAITING) return;
  struct pending *p = &waiting[waiting_count++];
  p->due = now() + ms / 1e3;
  p->slot = slot;
  p->generation = clients[slot].generation;
  p->length = length;
  memcpy(p->frame, frame, (size_t)length);
}

/* Bytes used of what the client has sent; -1 to hang up. */
static int serve(int slot) {
  struct client *c = &clients[slot];
  int used = 0;
  for (;;) {
    uint8_t *q = c->bytes + used, out[FRAME];
    int have = c->filled - used, size = rtu ? 8 : 12, length;
    if (have < size) return used;
    used += size;
    requests++;
    if (chance(hang_up)) return -1;
    if (rtu) {
      if (crc16(q, 8)) continue;
      int unit = chance(stranger) ? q[0] ^ 8 : q[0];
      length = 1 + pdu_answer(unit, q + 1, out + 1);
      out[0] = (uint8_t)unit;
      uint16_t crc = crc16(out, length);
      out[length] = (uint8_t)crc;
      out[length + 1] = (uint8_t)((crc >> 8) ^ (chance(forge) ? 1 : 0));
      length += 2;
    } else {
      int unit = chance(stranger) ? q[6] ^ 8 : q[6];
      length = 7 + pdu_answer(unit, q + 7, out + 7);
      memcpy(out, q, 2);
      if (chance(forge)) out[0] ^= 0x40;
      out[2] = out[3] = 0;
      out[4] = (uint8_t)((length - 6) >> 8);
      out[5] = (uint8_t)(length - 6);
      out[6] = (uint8_t)unit;
    }
    deliver(slot, out, length);
  }
}

static void forget(int slot) {
  close(clients[slot].fd);
  clients[slot].fd = -1;
  clients[slot].generation++;
}

static void welcome(int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    connections++;
    int slot = 0, one = 1;
    while (slot < CLIENTS && clients[slot].fd >= 0) slot++;
    if (refuse || slot == CLIENTS) { close(fd); continue; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    clients[slot].fd = fd;
    clients[slot].filled = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)slot};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static void receive(int slot) {
  struct client *c = &clients[slot];
  if (c->fd < 0) return;
  ssize_t count = recv(c->fd, c->bytes + c->filled, (size_t)(RECEIVE - c->filled), 0);
  if (count <= 0) { forget(slot); return; }
  c->filled += (int)count;
  int used = serve(slot);
  if (used < 0) { forget(slot); return; }
  memmove(c->bytes, c->bytes + used, (size_t)(c->filled - used));
  c->filled -= used;
}

static void send_due(void) {
  double instant = now();
  for (int i = 0; i < waiting_count;) {
    struct pending *p = &waiting[i];
    if (p->due > instant) { i++; continue; }
    struct client *c = &clients[p->slot];
    if (c->fd >= 0 && c->generation == p->generation && send(c->fd, p->frame, (size_t)p->length, MSG_NOSIGNAL) < 0) {}
    memmove(p, p + 1, sizeof *p * (size_t)(waiting_count - i - 1));
    waiting_count--;
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int port = atoi(argv[1]), option, one = 1, addresses = 1, listeners[LISTENERS];
  optind = 2;
  while ((option = getopt(argc, argv, "rl:m:d:t:c:u:k:w:an:")) != -1) switch (option) {
    case 'r': rtu = 1; break;
    case 'l': late = atoi(optarg); break;
    case 'm': late_ms = atoi(optarg); break;
    case 'd': drop = atoi(optarg); break;
    case 't': forge = atoi(optarg); break;
    case 'c': cut = atoi(optarg); break;
    case 'u': stranger = atoi(optarg); break;
    case 'k': hang_up = atoi(optarg); break;
    case 'w': every_ms = atoi(optarg); break;
    case 'a': refuse = 1; break;
    case 'n': addresses = atoi(optarg); break;
    default: return 2;
  }
  for (int i = 0; i < 256; i++) {
    uint16_t crc = (uint16_t)i;
    for (int k = 0; k < 8; k++) crc = (uint16_t)(crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1);
    crc_of[i] = crc;
  }
  for (int i = 0; i < CLIENTS; i++) clients[i].fd = -1;
  signal(SIGTERM, on_term);
  signal(SIGPIPE, SIG_IGN);
  if (addresses < 1 || addresses > LISTENERS) return 2;
  poller = epoll_create1(0);
  struct epoll_event ready[256];
  for (int i = 0; i < addresses; i++) {
    int listener = listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1024)) { perror("bind"); return 1; }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(CLIENTS + i)};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  }
  puts("ready");
  fflush(stdout);
  while (!ending) {
    int count = epoll_wait(poller, ready, 256, waiting_count ? 1 : 200);
    for (int i = 0; i < count; i++) {
      if (ready[i].data.u32 >= CLIENTS) welcome(listeners[ready[i].data.u32 - CLIENTS]);
      else receive((int)ready[i].data.u32);
    }
    if (waiting_count) send_due();
  }
  printf("%lu %lu\n", requests, connections);
  return 0;
}

/* A Modbus server on libmodbus that shows a register image: the independent peer the driver is read against.
 *
 *   cc -O2 -o register_server register_server.c $(pkg-config --cflags --libs libmodbus)
 *   register_server tcp PORT < image          serves every unit of the image on 127.0.0.1
 *   register_server rtu DEVICE UNIT < image   serves one unit on a serial port, 9600 baud, no parity (a pseudo-terminal has none), two stop bits
 *
 * Image: one line an item, "unit space address value"; space is c (coil), d (discrete), h (holding), i (input).
 * Everything else is 0. Prints "ready" once it serves. Ends on SIGTERM.
 */
#include <errno.h>
#include <modbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define ITEMS 65536
static modbus_mapping_t *units[256];

static void load(void) {
  unsigned unit, address, value;
  char space;
  while (scanf("%u %c %u %u", &unit, &space, &address, &value) == 4) {
    if (unit > 255 || address >= ITEMS) exit(2);
    if (!units[unit] && !(units[unit] = modbus_mapping_new(ITEMS, ITEMS, ITEMS, ITEMS))) exit(3);
    modbus_mapping_t *map = units[unit];
    switch (space) {
    case 'c': map->tab_bits[address] = value != 0; break;
    case 'd': map->tab_input_bits[address] = value != 0; break;
    case 'h': map->tab_registers[address] = (uint16_t)value; break;
    case 'i': map->tab_input_registers[address] = (uint16_t)value; break;
    default: exit(2);
    }
  }
}

static void serve_tcp(int port) {
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", port);
  int listener = modbus_tcp_listen(ctx, 16);
  if (listener < 0) { perror("listen"); exit(1); }
  puts("ready");
  fflush(stdout);
  fd_set open_fds;
  FD_ZERO(&open_fds);
  FD_SET(listener, &open_fds);
  int highest = listener;
  for (;;) {
    fd_set ready = open_fds;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return;
    for (int fd = 0; fd <= highest; fd++) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd == listener) {
        modbus_set_socket(ctx, listener);
        int accepted_from = listener;
        int client = modbus_tcp_accept(ctx, &accepted_from);
        if (client < 0) continue;
        FD_SET(client, &open_fds);
        if (client > highest) highest = client;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(ctx, fd);
      int length = modbus_receive(ctx, query);
      if (length > 0) {
        modbus_mapping_t *map = units[query[6]];
        if (map) modbus_reply(ctx, query, length, map);
        else modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_GATEWAY_TARGET);
      } else if (length < 0) {
        close(fd);
        FD_CLR(fd, &open_fds);
      }
    }
  }
}

static void serve_rtu(const char *device, int unit) {
  modbus_t *ctx = modbus_new_rtu(device, 9600, 'N', 8, 2);
  modbus_set_slave(ctx, unit);
  if (modbus_connect(ctx) < 0) { perror("connect"); exit(1); }
  puts("ready");
  fflush(stdout);
  for (;;) {
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    int length = modbus_receive(ctx, query);
    if (length > 0) modbus_reply(ctx, query, length, units[unit]);
    else if (length < 0 && errno != EMBBADCRC && errno != ETIMEDOUT) return;
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  load();
  if (argc == 3 && !strcmp(argv[1], "tcp")) serve_tcp(atoi(argv[2]));
  else if (argc == 4 && !strcmp(argv[1], "rtu")) {
    int unit = atoi(argv[3]);
    if (unit < 0 || unit > 255 || !units[unit]) return 2;
    serve_rtu(argv[2], unit);
  } else return 2;
  return 0;
}

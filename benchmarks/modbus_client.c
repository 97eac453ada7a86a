/* libmodbus as a client in a closed loop on one connection: the C peer of the Modbus benchmark.
 *
 *   cc -O2 -o modbus_client modbus_client.c -I/usr/include/modbus -lmodbus
 *   modbus_client PORT REGISTERS SECONDS     prints "transactions cpu_us seconds"
 */
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int registers = atoi(argv[2]);
  uint16_t values[125];
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
  modbus_set_slave(ctx, 1);
  if (modbus_connect(ctx)) return 1;
  double begun = now(), end = begun + atof(argv[3]), cpu = cpu_us();
  long count = 0;
  while (now() < end)
    for (int i = 0; i < 16; i++, count++) {
      if (modbus_read_registers(ctx, 0, registers, values) != registers) return 1;
      if (values[1] != 1001) return 1;
    }
  printf("%ld %.0f %.3f\n", count, cpu_us() - cpu, now() - begun);
  return 0;
}

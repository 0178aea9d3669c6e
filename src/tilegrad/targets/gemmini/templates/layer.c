/* Written by tilegrad: layer $name of $workload.
 *
 * found by the search  $found
 * run by this program  $mapping
 *
 * $note */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#ifndef BAREMETAL
#include <sys/mman.h>
#endif
#include "include/gemmini_testutils.h"

/* How often to run; the first execution begins with cold buffers. */
#ifndef REPEAT
#define REPEAT 1
#endif

$arrays

static void run_layer(void) {
$call
  gemmini_fence();
}

int main(void) {
#ifndef BAREMETAL
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    perror("mlockall");
    return 1;
  }
#endif
  if (DIM != $dim || BANK_NUM * BANK_ROWS < $scratchpad_rows || ACC_ROWS < $accumulator_rows) {
    printf("this Gemmini is smaller than the design: $dim PEs a side, $scratchpad_rows and "
           "$accumulator_rows rows\n");
    return 1;
  }
  gemmini_flush(0);
  printf("$begin\n");
  for (int repeat = 0; repeat < REPEAT; repeat++) {
    const uint64_t start = read_cycles();
    run_layer();
    const uint64_t cycles = read_cycles() - start;
    printf("$end\n", (unsigned long long)cycles);
  }
  return 0;
}

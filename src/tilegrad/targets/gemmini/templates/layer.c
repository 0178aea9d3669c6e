/* Written by tilegrad: layer $name of $workload.
 *
 * found by the search  $found
 * run by this program  $mapping
 *
 * $note */
$helpers
static int $function(void) {
$arrays
  if (DIM != $dim || BANK_NUM * BANK_ROWS < $scratchpad_rows || ACC_ROWS < $accumulator_rows) {
    printf("this Gemmini is smaller than the design: $dim PEs a side, $scratchpad_rows and "
           "$accumulator_rows rows\n");
    return 1;
  }
  gemmini_flush(0);
  printf("$begin\n");
  for (int run = 0; run < REPEAT + CHECK; run++) {
    if (run == REPEAT) {
$fills
    }
    const uint64_t start = read_cycles();
$call
    gemmini_fence();
    const uint64_t cycles = read_cycles() - start;
    if (run < REPEAT) printf("$end\n", (unsigned long long)cycles);
  }
#if CHECK
  printf("$result\n", (unsigned long long)tilegrad_checksum($outputs, sizeof $outputs));
#endif
  return 0;
}

#ifndef TILEGRAD_BOOT
int main(void) { return tilegrad_started() ? $function() : 1; }
#endif

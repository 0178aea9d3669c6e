#ifndef TILEGRAD_PROGRAM
#define TILEGRAD_PROGRAM
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef BAREMETAL
#include <sys/mman.h>
#endif
#include "include/gemmini_testutils.h"

/* Timed executions: the first begins with cold buffers and caches, the last with warm ones. */
#ifndef REPEAT
#define REPEAT 2
#endif
/* 1: runs once more, untimed, on data whose result the host knows, and prints its checksum. */
#ifndef CHECK
#define CHECK $check
#endif

typedef uint64_t __attribute__((may_alias)) tilegrad_word;
/* Of a line of the caches: where tensors begin is else the linker's choice, and cycles depend on it. */
#define TILEGRAD_ALIGNED __attribute__((aligned(64)))

static inline uint64_t tilegrad_folded(uint64_t word) { return word ^ (word >> 32); }

static inline void tilegrad_fill(void *tensor, size_t bytes, uint64_t state) {
  tilegrad_word *words = (tilegrad_word *)tensor;
  for (size_t i = 0; i < bytes / 8; i++) {
    state = state * ${multiplier}u + ${increment}u;
    words[i] = tilegrad_folded(state);
  }
  state = state * ${multiplier}u + ${increment}u;
  const uint64_t last = tilegrad_folded(state);
  memcpy((uint8_t *)tensor + bytes / 8 * 8, &last, bytes % 8);
}

static inline uint64_t tilegrad_checksum(const void *tensor, size_t bytes) {
  const tilegrad_word *words = (const tilegrad_word *)tensor;
  uint64_t sum = 0, last = 0;
  for (size_t i = 0; i < bytes / 8; i++) sum = sum * ${multiplier}u + tilegrad_folded(words[i]);
  memcpy(&last, (const uint8_t *)tensor + bytes / 8 * 8, bytes % 8);
  return bytes % 8 ? sum * ${multiplier}u + tilegrad_folded(last) : sum;
}

static inline int tilegrad_started(void) {
#ifndef BAREMETAL
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    perror("mlockall");
    return 0;
  }
#endif
  return 1;
}
#endif

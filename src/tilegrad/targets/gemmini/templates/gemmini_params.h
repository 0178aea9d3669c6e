/* Written by tilegrad: the constants of this design, as Gemmini's generator would give them to its
 * C library (int8 operands, int32 sums, float scales). Replaces include/gemmini_params.h. */
#ifndef GEMMINI_PARAMS_H
#define GEMMINI_PARAMS_H

#include <limits.h>
#include <stdint.h>

#define XCUSTOM_ACC 3
#define DIM $dim
#define ADDR_LEN 32
#define BANK_NUM $scratchpad_banks
#define BANK_ROWS $bank_rows
#define ACC_ROWS $accumulator_rows
#define MAX_BYTES 64
#define MAX_BLOCK_LEN $block
#define MAX_BLOCK_LEN_ACC $accumulator_block

typedef int8_t elem_t;
static const elem_t elem_t_max = 127;
static const elem_t elem_t_min = -128;
typedef int32_t acc_t;
typedef int64_t full_t;

#define HAS_MVIN_SCALE
typedef float scale_t;
typedef uint32_t scale_t_bits;
typedef int32_t scale_acc_t;
typedef uint32_t scale_acc_t_bits;
typedef float acc_scale_t;
typedef uint32_t acc_scale_t_bits;

#define row_align(blocks) __attribute__((aligned((blocks) * DIM * sizeof(elem_t))))
#define row_align_acc(blocks) __attribute__((aligned((blocks) * DIM * sizeof(acc_t))))

#define MVIN_SCALE_IDENTITY 1.0
#define ACC_SCALE_IDENTITY 1.0

/* Rounding is to the nearest integer, ties to the even one, in all of these. */
static inline int64_t tilegrad_shift(int64_t x, int shift) {
  if (shift <= 0) return x * ((int64_t)1 << -shift);
  const int64_t floor_ = x >> shift;
  const int64_t rest = x - floor_ * ((int64_t)1 << shift);
  const int64_t half = (int64_t)1 << (shift - 1);
  return floor_ + (rest > half || (rest == half && (floor_ & 1)));
}

static inline double tilegrad_nearest(double x) {
  long long below = (long long)x;
  if ((double)below > x) below -= 1;
  const double rest = x - (double)below;
  return (double)(below + (rest > 0.5 || (rest == 0.5 && (below & 1))));
}

static inline elem_t tilegrad_scaled(double x, double scale) {
  const double rounded = tilegrad_nearest(x * scale);
  return rounded > INT8_MAX ? INT8_MAX : rounded < INT8_MIN ? INT8_MIN : (elem_t)rounded;
}

#define ROUNDING_RIGHT_SHIFT(x, shift) tilegrad_shift((x), (shift))
#define ROUNDING_RIGHT_SHIFT_BITS(x, shift) tilegrad_shift((x), (shift))
#define ROUND_NEAR_EVEN(x) tilegrad_nearest(x)
#define ACC_SCALE(x, scale) tilegrad_scaled((x), (scale))
#define MVIN_SCALE(x, scale) tilegrad_scaled((x), (scale))
#define MVIN_SCALE_ACC(x, scale) (x)

#define ACC_SCALE_T_IS_FLOAT
#define ACC_SCALE_EXP_BITS 8
#define ACC_SCALE_SIG_BITS 24

#define ACC_READ_SMALL_WIDTH
#define ACC_READ_FULL_WIDTH
#define HAS_FIRST_LAYER_OPTIMIZATIONS

#endif /* GEMMINI_PARAMS_H */

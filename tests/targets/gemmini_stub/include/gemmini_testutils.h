/* The entry points of Gemmini's C library as its documentation states them, for a host compiler:
 * a functional model of them. Each call prints its arguments and computes; time passes by 1000
 * cycles from one look to the next, and 500 more in a boot's first execution. Tensors of one group
 * have to begin with a line of the caches. BROKEN_SUMS: the last column of a product is 16384 too
 * large. */
#ifndef GEMMINI_TESTUTILS_STUB
#define GEMMINI_TESTUTILS_STUB
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/gemmini_params.h"

#define NO_ACTIVATION 0
enum tiled_matmul_type_t { OS, WS, CPU };

static inline void gemmini_fence(void) {}
static inline void gemmini_flush(int skip) { (void)skip; }

static inline uint64_t read_cycles(void) {
  static uint64_t now = 0, looks = 0;
  return now += ++looks == 2 ? 1500 : 1000;
}

static inline void on_lines(const void *inputs, const void *weights, const void *outputs) {
  if (((uintptr_t)inputs | (uintptr_t)weights | (uintptr_t)outputs) % 64) {
    printf("a tensor does not begin with a line of the caches\n");
    exit(1);
  }
}

static inline void tiled_matmul(
    size_t dim_I, size_t dim_J, size_t dim_K, const elem_t *A, const elem_t *B, const void *D,
    void *C, size_t stride_A, size_t stride_B, size_t stride_D, size_t stride_C,
    scale_t A_scale_factor, scale_t B_scale_factor, scale_acc_t D_scale_factor, int act,
    acc_scale_t scale, acc_scale_t bert_scale, bool repeating_bias, size_t tile_I, size_t tile_J,
    size_t tile_K, bool transpose_A, bool transpose_B, bool full_C, bool low_D, uint8_t weightA,
    enum tiled_matmul_type_t tiled_matmul_type) {
  (void)act;
  on_lines(A, B, C);
  (void)bert_scale, (void)transpose_A, (void)transpose_B, (void)full_C, (void)low_D, (void)weightA;
  printf("matmul bounds %zu %zu %zu strides %zu %zu %zu scales %g %g %d %g tile %zu %zu %zu %d\n",
         dim_I, dim_J, dim_K, stride_A, stride_B, stride_C, A_scale_factor, B_scale_factor,
         D_scale_factor, scale, tile_I, tile_J, tile_K, tiled_matmul_type == WS);
  for (size_t i = 0; i < dim_I; i++)
    for (size_t j = 0; j < dim_J; j++) {
      acc_t sum = D ? ((const acc_t *)D)[(repeating_bias ? 0 : i) * stride_D + j] : 0;
#ifdef BROKEN_SUMS
      sum = j == dim_J - 1 ? 1 << 14 : 0;
#endif
      for (size_t k = 0; k < dim_K; k++) sum += A[i * stride_A + k] * B[k * stride_B + j];
      ((elem_t *)C)[i * stride_C + j] = ACC_SCALE(sum, scale);
    }
}

static inline void tiled_conv(
    int batch_size, int in_row_dim, int in_col_dim, int in_channels, int out_channels,
    int out_row_dim, int out_col_dim, int stride, int input_dilation, int kernel_dilation,
    int padding, int kernel_dim, int in_stride, int weight_stride, int out_stride, bool wrot180,
    bool trans_output_1203, bool trans_input_3120, bool trans_weight_1203, bool trans_weight_0132,
    int batches, int porows, int pocols, int pochs, int krows, int kcols, int kchs,
    const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output, int act,
    acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type) {
  (void)wrot180, (void)trans_output_1203, (void)trans_input_3120, (void)trans_weight_1203;
  (void)trans_weight_0132, (void)act;
  (void)pool_size, (void)pool_stride, (void)pool_padding;
  if (in_channels == in_stride) on_lines(input, weights, output);
  printf("conv input %d %d %d %d output %d %d %d window %d %d %d %d %d strides %d %d %d %g "
         "tile %d %d %d %d %d %d %d %d\n",
         batch_size, in_row_dim, in_col_dim, in_channels, out_channels, out_row_dim, out_col_dim,
         stride, input_dilation, kernel_dilation, padding, kernel_dim, in_stride, weight_stride,
         out_stride, scale, batches, porows, pocols, pochs, krows, kcols, kchs,
         tiled_conv_type == WS);
  static acc_t sums[1 << 16];
  for (int pixel = 0; pixel < batch_size * out_row_dim * out_col_dim; pixel++) {
    const int image = pixel / (out_row_dim * out_col_dim);
    const int row = pixel / out_col_dim % out_row_dim * stride, column = pixel % out_col_dim * stride;
    for (int k = 0; k < out_channels; k++) sums[k] = bias ? bias[k] : 0;
    for (int tap = 0; tap < kernel_dim * kernel_dim; tap++) {
      const int high = row + tap / kernel_dim * kernel_dilation;
      const int wide = column + tap % kernel_dim * kernel_dilation;
      const elem_t *pixels = input + ((image * in_row_dim + high) * in_col_dim + wide) * in_stride;
      for (int c = 0; c < in_channels; c++)
        for (int k = 0; k < out_channels; k++)
          sums[k] += pixels[c] * weights[(tap * in_channels + c) * weight_stride + k];
    }
    for (int k = 0; k < out_channels; k++)
      output[pixel * out_stride + k] = ACC_SCALE(sums[k], scale);
  }
}

static inline void tiled_conv_dw(
    int batch_size, int in_row_dim, int in_col_dim, int channels, int out_row_dim, int out_col_dim,
    int stride, int padding, int kernel_dim, int batches, int porows, int pocols, int krows,
    int kcols, const elem_t *input, const elem_t *weights, const acc_t *bias, elem_t *output,
    int act, acc_scale_t scale, int pool_size, int pool_stride, int pool_padding,
    enum tiled_matmul_type_t tiled_conv_type) {
  (void)act, (void)pool_size, (void)pool_stride, (void)pool_padding;
  on_lines(input, weights, output);
  printf("conv_dw input %d %d %d %d output %d %d window %d %d %d %g tile %d %d %d %d %d %d\n",
         batch_size, in_row_dim, in_col_dim, channels, out_row_dim, out_col_dim, stride, padding,
         kernel_dim, scale, batches, porows, pocols, krows, kcols, tiled_conv_type == WS);
  const int taps = kernel_dim * kernel_dim;
  for (int pixel = 0; pixel < batch_size * out_row_dim * out_col_dim; pixel++) {
    const int image = pixel / (out_row_dim * out_col_dim);
    const int row = pixel / out_col_dim % out_row_dim * stride, column = pixel % out_col_dim * stride;
    for (int c = 0; c < channels; c++) {
      acc_t sum = bias ? bias[c] : 0;
      for (int tap = 0; tap < taps; tap++) {
        const int high = row + tap / kernel_dim, wide = column + tap % kernel_dim;
        sum += input[((image * in_row_dim + high) * in_col_dim + wide) * channels + c] *
               weights[c * taps + tap];
      }
      output[pixel * channels + c] = ACC_SCALE(sum, scale);
    }
  }
}
#endif

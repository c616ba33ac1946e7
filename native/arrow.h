// The array of Apache Arrow's C data interface (https://arrow.apache.org/docs/format/CDataInterface.html): its binary
// layout is a published standard, and pyarrow imports and exports it without a copy.
#ifndef AIOPS_NB_ARROW_H
#define AIOPS_NB_ARROW_H

#include <stdint.h>

struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

static inline void set_bit(uint8_t *bits, int64_t row) { bits[row >> 3] |= (uint8_t)(1u << (row & 7)); }
static inline void clear_bit(uint8_t *bits, int64_t row) { bits[row >> 3] &= (uint8_t)~(1u << (row & 7)); }

#endif

// Names with codes 0, 1, 2, ... in the order in which they came, stored as the dictionary of an Arrow column.
//
// Names are only added, and memory that a batch refers to is never written again: a table that needs more room is
// copied, and the batches keep the former one. So one table serves many batches, in any thread.
#ifndef AIOPS_NB_NAME_TABLE_H
#define AIOPS_NB_NAME_TABLE_H

#include <stdint.h>

typedef struct NameTable {
  int holders;  // atomic: batches let go of it in any thread
  int32_t count, capacity;
  int32_t bytes, room_bytes;
  int32_t *offsets;  // (capacity + 1)
  char *text;        // (room_bytes)
  int32_t *cells;    // (2 * capacity) code + 1 by hash, 0: free
  uint64_t *hashes;  // (capacity)
} NameTable;

NameTable *name_table_new(int32_t capacity);  // capacity: a power of two; NULL: no memory
void name_table_hold(NameTable *table);
void name_table_release(NameTable *table);

// The code of a name, which is added if it is new, to a larger copy of the table if need be. -1: no memory, over 1 GB
// of names, or so many collisions that somebody seems to have made them.
int32_t name_table_code(NameTable **table, const char *name, int32_t length);

#endif

#include "name_table.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PROBES = 256, FIRST_ROOM_BYTES = 1024, MOST_BYTES = 1 << 30 };

static uint64_t hash_of(const char *name, int32_t length) {
  uint64_t hash = 0x9E3779B97F4A7C15ull * (uint64_t)(length + 1), word;
  for (; length >= 8; name += 8, length -= 8) {
    memcpy(&word, name, 8);
    hash = (hash ^ word) * 0xBF58476D1CE4E5B9ull;
    hash ^= hash >> 29;
  }
  if (length) {
    word = 0;
    memcpy(&word, name, (size_t)length);
    hash = (hash ^ word) * 0x94D049BB133111EBull;
    hash ^= hash >> 31;
  }
  hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93ull;  // the last letters differ most: they must reach the low bits
  return hash ^ (hash >> 32);
}

static NameTable *table_of(int32_t capacity, int32_t room_bytes) {
  NameTable *table = malloc(sizeof *table);
  if (!table) return NULL;
  const size_t names = (size_t)capacity;
  *table = (NameTable){.holders = 1, .capacity = capacity, .room_bytes = room_bytes};
  table->offsets = malloc((names + 1) * sizeof *table->offsets);
  table->text = malloc((size_t)room_bytes);
  table->cells = calloc(2 * names, sizeof *table->cells);
  table->hashes = malloc(names * sizeof *table->hashes);
  if (table->offsets && table->text && table->cells && table->hashes) {
    table->offsets[0] = 0;
    return table;
  }
  name_table_release(table);
  return NULL;
}

NameTable *name_table_new(int32_t capacity) { return table_of(capacity, FIRST_ROOM_BYTES); }

void name_table_hold(NameTable *table) { __atomic_add_fetch(&table->holders, 1, __ATOMIC_RELAXED); }

void name_table_release(NameTable *table) {
  if (!table || __atomic_sub_fetch(&table->holders, 1, __ATOMIC_ACQ_REL)) return;
  free(table->offsets);
  free(table->text);
  free(table->cells);
  free(table->hashes);
  free(table);
}

static void put_cell(NameTable *table, int32_t code) {
  const uint32_t mask = 2 * (uint32_t)table->capacity - 1;
  uint32_t cell = (uint32_t)table->hashes[code] & mask;
  while (table->cells[cell]) cell = (cell + 1) & mask;
  table->cells[cell] = code + 1;
}

static NameTable *larger(const NameTable *table, int32_t more_bytes) {
  int64_t room_bytes = table->room_bytes, capacity = table->capacity;
  while (room_bytes < (int64_t)table->bytes + more_bytes) room_bytes *= 2;
  if (table->count == capacity) capacity *= 2;
  if (room_bytes > MOST_BYTES || capacity > MOST_BYTES / 2) return NULL;
  NameTable *copy = table_of((int32_t)capacity, (int32_t)room_bytes);
  if (!copy) return NULL;
  copy->count = table->count;
  copy->bytes = table->bytes;
  memcpy(copy->offsets, table->offsets, ((size_t)table->count + 1) * sizeof *copy->offsets);
  memcpy(copy->text, table->text, (size_t)table->bytes);
  memcpy(copy->hashes, table->hashes, (size_t)table->count * sizeof *copy->hashes);
  for (int32_t code = 0; code < copy->count; code++) put_cell(copy, code);
  return copy;
}

static int is_name(const NameTable *table, int32_t code, uint64_t hash, const char *name, int32_t length) {
  const int32_t first = table->offsets[code];
  return table->hashes[code] == hash && table->offsets[code + 1] - first == length &&
         !memcmp(table->text + first, name, (size_t)length);
}

int32_t name_table_code(NameTable **held, const char *name, int32_t length) {
  NameTable *table = *held;
  const uint64_t hash = hash_of(name, length);
  const uint32_t mask = 2 * (uint32_t)table->capacity - 1;
  uint32_t cell = (uint32_t)hash & mask;
  for (int probes = 0; table->cells[cell]; cell = (cell + 1) & mask) {
    if (is_name(table, table->cells[cell] - 1, hash, name, length)) return table->cells[cell] - 1;
    if (++probes > MOST_PROBES) return -1;
  }
  if (table->count == table->capacity || table->room_bytes - table->bytes < length) {
    NameTable *copy = larger(table, length);
    if (!copy) return -1;
    name_table_release(table);
    *held = table = copy;
  }
  const int32_t code = table->count;
  memcpy(table->text + table->bytes, name, (size_t)length);
  table->bytes += length;
  table->hashes[code] = hash;
  table->offsets[code + 1] = table->bytes;
  table->count++;
  put_cell(table, code);
  return code;
}

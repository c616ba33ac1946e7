// JSON lines of requests to the columns of one Arrow batch, or to nothing where a line is not of the plain kind.
//
// Lines of one sender look alike. The bytes between the values are taken from the line before and compared; only the
// values are read. A line that differs is read field by field, and the next lines are compared with that one. Whatever
// is not plain (escapes, bytes above ASCII, unknown or repeated fields, negative numbers, texts for times) refuses all
// lines of the call: msgspec reads them, reports what is wrong, and gives equal batches for what is right.
#include "arrow.h"
#include "json_scan.h"
#include "kernel.h"
#include "name_table.h"

enum {
  MOST_ROWS = 1 << 17,
  MOST_SOURCE_BYTES = 1000,
  MOST_METHODS = 16,
  MOST_METHOD_BYTES = 32,
  LONG_BYTES = 1 << 18,  // below, another thread would hold the GIL for longer than the lines take
  MOST_SECONDS = 9200000000,  // the year 2261; int64 nanoseconds end in 2262
};

// The fields of a line, and its columns in the order of the published schema.
enum Field { TIME, TARGET, METHOD, STATUS, DURATION, ERROR, CLIENT, BYTES, FIELDS };
enum { SEQ_COLUMN, TIME_COLUMN, SOURCE_COLUMN, ORIGIN_COLUMN, TARGET_COLUMN, METHOD_COLUMN, STATUS_COLUMN,
       DURATION_COLUMN, ERROR_COLUMN, CLIENT_COLUMN, BYTES_COLUMN, PHASE_COLUMNS, DETAIL_COLUMNS = 17, COLUMNS = 19 };
static const struct { const char *name; int length, is_text; } FIELD[FIELDS] = {
    {"time", 4, 0},        {"target", 6, 1},      {"method", 6, 1},    {"status_code", 11, 0}, {"duration_seconds", 16, 0},
    {"error_type", 10, 1}, {"client_ip", 9, 1},   {"response_bytes", 14, 0},
};
static const char *const ERROR_TYPES[] = {"timeout", "dns", "connect", "tls", "reset", "protocol", "assertion"};
enum { ERRORS = sizeof ERROR_TYPES / sizeof *ERROR_TYPES, ERROR_BYTES = 64 };

// What columns without values refer to: seq (the tap writes it), codes of the one source and origin, null bits. Nobody
// writes it; as a constant it would be a megabyte of the file.
static _Alignas(64) uint8_t ZEROS[(MOST_ROWS + 1) * 8];

// The bytes before the value of each field, and those after the last one; they lie in the chunk that is being read.
typedef struct {
  struct { const char *text; ptrdiff_t length; enum Field field; } step[FIELDS];
  int steps;  // 0: no line was read yet
  const char *rest;
  ptrdiff_t rest_length;
  unsigned absent;  // bits of the fields without value
} Layout;

// Few names in the order in which they came: methods and error types.
typedef struct {
  int count;
  int32_t *offsets;
  char *text;
} Words;

typedef struct {
  int64_t rows;
  int64_t nulls[FIELDS];
  int64_t *time, *bytes;
  int16_t *status;
  double *duration;
  int32_t *target, *method, *error, *client_offsets;
  char *client;
  uint8_t *valid[FIELDS];  // bits by row; NULL of the fields that every line has
  Words methods, errors;
  NameTable **targets;
} Rows;

// A batch owns one block of memory with all that it refers to, and holds its table of targets.
typedef struct {
  NameTable *targets;
  struct ArrowArray column[COLUMNS], dictionary[5];
  struct ArrowArray *columns[COLUMNS];
  const void *buffers[3 * (COLUMNS + 5) + 1];
  int32_t source_offsets[2], origin_offsets[2];
  char source[MOST_SOURCE_BYTES], origin[8];
} Batch;

// Takes room from a block; with base NULL it only counts how much all of it will be.
typedef struct { char *base; size_t used; } Block;
static void *take(Block *block, size_t bytes) {
  void *at = block->base ? block->base + block->used : NULL;
  block->used += (bytes + 63) & ~(size_t)63;
  return at;
}

static void place_rows(Rows *rows, Block *block, size_t count, size_t text_bytes) {
  rows->time = take(block, count * sizeof *rows->time);
  rows->bytes = take(block, count * sizeof *rows->bytes);
  rows->status = take(block, count * sizeof *rows->status);
  rows->duration = take(block, count * sizeof *rows->duration);
  rows->target = take(block, count * sizeof *rows->target);
  rows->method = take(block, count * sizeof *rows->method);
  rows->error = take(block, count * sizeof *rows->error);
  rows->client_offsets = take(block, (count + 1) * sizeof *rows->client_offsets);
  rows->client = take(block, text_bytes);  // the clients are a part of the lines
  rows->methods.offsets = take(block, (MOST_METHODS + 1) * sizeof *rows->methods.offsets);
  rows->methods.text = take(block, MOST_METHODS * MOST_METHOD_BYTES);
  rows->errors.offsets = take(block, (ERRORS + 1) * sizeof *rows->errors.offsets);
  rows->errors.text = take(block, ERROR_BYTES);
  for (int field = METHOD; field < FIELDS; field++) rows->valid[field] = take(block, count / 8 + 1);
}

static void begin_rows(Rows *rows, size_t count) {
  for (int field = METHOD; field < FIELDS; field++) memset(rows->valid[field], 0, count / 8 + 1);
  rows->client_offsets[0] = rows->methods.offsets[0] = rows->errors.offsets[0] = 0;
}

static int32_t word_code(Words *words, int most, const char *text, ptrdiff_t length) {
  for (int code = 0; code < words->count; code++) {
    const int32_t first = words->offsets[code];
    if (words->offsets[code + 1] - first == length && !memcmp(words->text + first, text, (size_t)length)) return code;
  }
  if (words->count == most) return -1;
  const int32_t first = words->offsets[words->count];
  memcpy(words->text + first, text, (size_t)length);
  words->offsets[++words->count] = first + (int32_t)length;
  return words->count - 1;
}

static int is_error_type(const char *text, ptrdiff_t length) {
  for (int i = 0; i < ERRORS; i++)
    if ((ptrdiff_t)strlen(ERROR_TYPES[i]) == length && !memcmp(ERROR_TYPES[i], text, (size_t)length)) return 1;
  return 0;
}

static int put_text(Rows *rows, enum Field field, const char *text, ptrdiff_t length) {
  const int64_t row = rows->rows;
  if (field == TARGET) return (rows->target[row] = name_table_code(rows->targets, text, (int32_t)length)) >= 0;
  set_bit(rows->valid[field], row);
  if (field == CLIENT) {
    memcpy(rows->client + rows->client_offsets[row], text, (size_t)length);
    rows->client_offsets[row + 1] = rows->client_offsets[row] + (int32_t)length;
    return 1;
  }
  if (field == METHOD)
    return length <= MOST_METHOD_BYTES &&
           (rows->method[row] = word_code(&rows->methods, MOST_METHODS, text, length)) >= 0;
  return is_error_type(text, length) && (rows->error[row] = word_code(&rows->errors, ERRORS, text, length)) >= 0;
}

static const char *put_number(Rows *rows, enum Field field, const char *at, const char *end) {
  const int64_t row = rows->rows;
  if (field == TIME) {
    double seconds;
    at = scan_number(at, end, &seconds);
    if (!at || !(seconds < (double)MOST_SECONDS)) return NULL;
    rows->time[row] = (int64_t)rint(seconds * 1e6) * 1000;
    return at;
  }
  set_bit(rows->valid[field], row);
  if (field == DURATION) return scan_number(at, end, &rows->duration[row]);
  if (field == BYTES) return scan_integer(at, end, &rows->bytes[row]);
  int64_t status;
  at = scan_integer(at, end, &status);
  if (!at || status < 100 || status > 999) return NULL;
  rows->status[row] = (int16_t)status;
  return at;
}

static void put_null(Rows *rows, enum Field field) {
  const int64_t row = rows->rows;
  rows->nulls[field]++;
  switch (field) {
    case METHOD: rows->method[row] = 0; break;
    case STATUS: rows->status[row] = 0; break;
    case DURATION: rows->duration[row] = 0; break;
    case ERROR: rows->error[row] = 0; break;
    case CLIENT: rows->client_offsets[row + 1] = rows->client_offsets[row]; break;
    case BYTES: rows->bytes[row] = 0; break;
    default: break;
  }
}

// A line like the one before. NULL: it is another; what was put of it is put again.
static inline const char *similar_line(Rows *rows, const Layout *layout, const char *at, const char *end) {
  for (int i = 0; i < layout->steps; i++) {
    const ptrdiff_t length = layout->step[i].length;
    const enum Field field = layout->step[i].field;
    if (end - at < length || memcmp(at, layout->step[i].text, (size_t)length)) return NULL;
    at += length;
    if (FIELD[field].is_text) {
      const char *const stop = string_end(at, end);
      if (!stop || !put_text(rows, field, at, stop - at)) return NULL;
      at = stop;
    } else if (!(at = put_number(rows, field, at, end))) {
      return NULL;
    }
  }
  if (end - at < layout->rest_length || memcmp(at, layout->rest, (size_t)layout->rest_length)) return NULL;
  for (unsigned absent = layout->absent; absent; absent &= absent - 1) put_null(rows, (enum Field)__builtin_ctz(absent));
  return at + layout->rest_length;
}

static int field_of(const char *name, ptrdiff_t length) {
  for (int field = 0; field < FIELDS; field++)
    if (FIELD[field].length == length && !memcmp(FIELD[field].name, name, (size_t)length)) return field;
  return FIELDS;
}

// One value; `*since` is where the bytes begin that belong to the layout before it.
static const char *put_value(Rows *rows, Layout *layout, enum Field field, const char **since, const char *at,
                             const char *end) {
  const char *first = at;
  if (FIELD[field].is_text) {
    if (*at != '"') return NULL;
    first = at + 1;
    at = string_end(first, end);
    if (!at || !put_text(rows, field, first, at - first)) return NULL;
  } else if (!(at = put_number(rows, field, at, end))) {
    return NULL;
  }
  layout->step[layout->steps].text = *since;
  layout->step[layout->steps].length = first - *since;
  layout->step[layout->steps++].field = field;
  layout->absent &= ~(1u << field);
  *since = at;
  return FIELD[field].is_text ? at + 1 : at;
}

// Any line of known fields, each at most once; remembers its layout.
static const char *any_line(Rows *rows, Layout *layout, const char *at, const char *end) {
  const char *since = at;
  unsigned seen = 0;
  layout->steps = 0;
  layout->absent = (1u << FIELDS) - 1;
  for (int field = METHOD; field < FIELDS; field++) clear_bit(rows->valid[field], rows->rows);
  at = skip_blanks(at, end);
  if (at == end || *at++ != '{') return NULL;
  for (;;) {
    at = skip_blanks(at, end);
    if (at == end || *at != '"') return NULL;
    const char *const name = ++at;
    if (!(at = string_end(at, end))) return NULL;
    const int field = field_of(name, at - name);
    if (field == FIELDS || (seen >> field & 1)) return NULL;
    seen |= 1u << field;
    at = skip_blanks(at + 1, end);
    if (at == end || *at++ != ':') return NULL;
    at = skip_blanks(at, end);
    if (at == end) return NULL;
    if (end - at >= 4 && !memcmp(at, "null", 4))
      at += 4;  // the layout holds it: the next lines are compared with it
    else if (!(at = put_value(rows, layout, (enum Field)field, &since, at, end)))
      return NULL;
    at = skip_blanks(at, end);
    if (at == end || (*at != ',' && *at != '}')) return NULL;
    if (*at++ == '}') break;
  }
  if (layout->absent >> TIME & 1 || layout->absent >> TARGET & 1) return NULL;
  at = skip_blanks(at, end);
  layout->rest = since;
  layout->rest_length = at - since;
  for (int field = METHOD; field < FIELDS; field++)
    if (layout->absent >> field & 1) put_null(rows, (enum Field)field);
  return at;
}

static int read_lines(Rows *rows, int64_t most_rows, const char *at, const char *end) {
  Layout layout = {.steps = 0};
  while (at < end) {
    if (rows->rows == most_rows) return 0;
    const char *next = layout.steps ? similar_line(rows, &layout, at, end) : NULL;
    if (!next && !(next = any_line(rows, &layout, at, end))) return 0;
    if (next < end && *next++ != '\n') return 0;
    rows->rows++;
    at = next;
  }
  return 1;
}

static int64_t count_lines(const char *at, const char *end) {
  int64_t lines = 0;
  while (at < end) {
    const char *const stop = memchr(at, '\n', (size_t)(end - at));
    lines++;
    at = stop ? stop + 1 : end;
  }
  return lines;
}

// ---- the batch

static void release_part(struct ArrowArray *part) { part->release = NULL; }

static void release_batch(struct ArrowArray *array) {
  Batch *batch = array->private_data;
  for (int i = 0; i < COLUMNS; i++) {
    struct ArrowArray *column = batch->columns[i];
    if (column->dictionary && column->dictionary->release) column->dictionary->release(column->dictionary);
    if (column->release) column->release(column);
  }
  name_table_release(batch->targets);
  array->release = NULL;
  free(batch);
}

typedef struct { Batch *batch; const Rows *rows; int buffers, dictionaries; } Export;

static const void **put_buffers(Export *export, int count, const void *first, const void *second, const void *third) {
  const void **at = export->batch->buffers + export->buffers;
  const void *const buffers[] = {first, second, third};
  memcpy(at, buffers, (size_t)count * sizeof *buffers);
  export->buffers += count;
  return at;
}

static struct ArrowArray array_of(int64_t length, int64_t nulls, int buffers, const void **at) {
  return (struct ArrowArray){.length = length, .null_count = nulls, .n_buffers = buffers, .buffers = at,
                             .release = release_part};
}

static struct ArrowArray *put_column(Export *export, int column, int64_t nulls, const void *valid, const void *values) {
  struct ArrowArray *array = &export->batch->column[column];
  *array = array_of(export->rows->rows, nulls, 2, put_buffers(export, 2, nulls ? valid : NULL, values, NULL));
  return export->batch->columns[column] = array;
}

static void put_strings(Export *export, int column, int64_t nulls, const void *valid, const void *offsets,
                        const void *text) {
  struct ArrowArray *array = put_column(export, column, nulls, valid, offsets);
  export->buffers -= 2;
  array->buffers = put_buffers(export, 3, nulls ? valid : NULL, offsets, text);
  array->n_buffers = 3;
}

static void put_coded(Export *export, int column, int64_t nulls, const void *valid, const void *codes, int64_t words,
                      const void *offsets, const void *text) {
  struct ArrowArray *array = put_column(export, column, nulls, valid, codes);
  struct ArrowArray *dictionary = &export->batch->dictionary[export->dictionaries++];
  *dictionary = array_of(words, 0, 3, put_buffers(export, 3, NULL, offsets, text));
  array->dictionary = dictionary;
}

static void put_field(Export *export, int column, enum Field field, const void *values) {
  const Rows *rows = export->rows;
  const int64_t nulls = rows->nulls[field];
  const int is_empty = nulls == rows->rows;
  put_column(export, column, nulls, is_empty ? ZEROS : rows->valid[field], is_empty ? ZEROS : values);
}

static void export_batch(Batch *batch, const Rows *rows, const char *source, Py_ssize_t source_length,
                         struct ArrowArray *into) {
  Export export = {.batch = batch, .rows = rows};
  const NameTable *targets = batch->targets = *rows->targets;
  name_table_hold(batch->targets);
  memcpy(batch->source, source, (size_t)source_length);
  memcpy(batch->origin, "traffic", 7);
  memcpy(batch->source_offsets, (int32_t[]){0, (int32_t)source_length}, sizeof batch->source_offsets);
  memcpy(batch->origin_offsets, (int32_t[]){0, 7}, sizeof batch->origin_offsets);
  put_column(&export, SEQ_COLUMN, 0, NULL, ZEROS);
  put_column(&export, TIME_COLUMN, 0, NULL, rows->time);
  put_coded(&export, SOURCE_COLUMN, 0, NULL, ZEROS, 1, batch->source_offsets, batch->source);
  put_coded(&export, ORIGIN_COLUMN, 0, NULL, ZEROS, 1, batch->origin_offsets, batch->origin);
  put_coded(&export, TARGET_COLUMN, 0, NULL, rows->target, targets->count, targets->offsets, targets->text);
  put_coded(&export, METHOD_COLUMN, rows->nulls[METHOD], rows->valid[METHOD], rows->method, rows->methods.count,
            rows->methods.offsets, rows->methods.text);
  put_field(&export, STATUS_COLUMN, STATUS, rows->status);
  put_field(&export, DURATION_COLUMN, DURATION, rows->duration);
  put_coded(&export, ERROR_COLUMN, rows->nulls[ERROR], rows->valid[ERROR], rows->error, rows->errors.count,
            rows->errors.offsets, rows->errors.text);
  put_strings(&export, CLIENT_COLUMN, rows->nulls[CLIENT], rows->valid[CLIENT], rows->client_offsets, rows->client);
  put_field(&export, BYTES_COLUMN, BYTES, rows->bytes);
  for (int i = PHASE_COLUMNS; i < DETAIL_COLUMNS; i++) put_column(&export, i, rows->rows, ZEROS, ZEROS);
  for (int i = DETAIL_COLUMNS; i < COLUMNS; i++) put_strings(&export, i, rows->rows, ZEROS, ZEROS, ZEROS);
  *into = (struct ArrowArray){
      .length = rows->rows, .n_buffers = 1, .n_children = COLUMNS, .children = batch->columns,
      .buffers = put_buffers(&export, 1, NULL, NULL, NULL), .release = release_batch, .private_data = batch};
}

// ---- the decoder

typedef struct {
  PyObject_HEAD
  NameTable *targets;
  struct ArrowArray batch;  // of the last call, until it is imported
  int is_busy;              // another thread is within decode, without the GIL
} Decoder;

// One table serves many batches, unless it has many more names than they have rows: each batch carries all of them.
static int fit_targets(Decoder *decoder, int64_t rows, Py_ssize_t text_bytes) {
  const NameTable *table = decoder->targets;
  if (table && table->count <= 2 * rows + 64 && table->bytes <= 2 * text_bytes + 65536) return 1;
  int32_t capacity = 64;
  while (capacity < rows && capacity < 4096) capacity *= 2;
  name_table_release(decoder->targets);
  return (decoder->targets = name_table_new(capacity)) != NULL;
}

// 1: the batch is there; 0: the lines are refused, or there is no memory for them.
static int decode_lines(Decoder *decoder, const char *lines, Py_ssize_t length, const char *source,
                        Py_ssize_t source_length) {
  const char *const end = lines + length;
  const int64_t count = count_lines(lines, end);
  if (!count || count > MOST_ROWS || length > INT32_MAX || source_length > MOST_SOURCE_BYTES) return 0;
  if (!fit_targets(decoder, count, length)) return 0;
  Rows rows = {.targets = &decoder->targets};
  Block block = {NULL, 63};
  take(&block, sizeof(Batch));
  place_rows(&rows, &block, (size_t)count, (size_t)length);
  char *memory = malloc(block.used);
  if (!memory) return 0;
  block = (Block){memory, 0};
  Batch *batch = take(&block, sizeof(Batch));
  // the columns begin at a multiple of 64, the batch where free() needs it
  block.used += (64 - ((uintptr_t)memory + block.used) % 64) % 64;
  place_rows(&rows, &block, (size_t)count, (size_t)length);
  begin_rows(&rows, (size_t)count);
  if (!read_lines(&rows, count, lines, end)) {
    free(memory);
    name_table_release(decoder->targets);  // it may hold names that no row has
    decoder->targets = NULL;
    return 0;
  }
  memset(batch, 0, sizeof *batch);
  export_batch(batch, &rows, source, source_length, &decoder->batch);
  return 1;
}

static PyObject *decode(PyObject *self, PyObject *args) {
  Decoder *decoder = (Decoder *)self;
  const char *lines, *source;
  Py_ssize_t length, source_length;
  int is_read;
  if (!PyArg_ParseTuple(args, "y#s#", &lines, &length, &source, &source_length)) return NULL;
  if (decoder->is_busy) Py_RETURN_NONE;
  if (decoder->batch.release) decoder->batch.release(&decoder->batch);  // nobody imported it
  if (length < LONG_BYTES) {
    is_read = decode_lines(decoder, lines, length, source, source_length);
  } else {
    decoder->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    is_read = decode_lines(decoder, lines, length, source, source_length);
    Py_END_ALLOW_THREADS
    decoder->is_busy = 0;
  }
  if (!is_read) Py_RETURN_NONE;
  return PyLong_FromVoidPtr(&decoder->batch);
}

static void decoder_free(PyObject *self) {
  Decoder *decoder = (Decoder *)self;
  PyTypeObject *type = Py_TYPE(self);
  if (decoder->batch.release) decoder->batch.release(&decoder->batch);
  name_table_release(decoder->targets);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyMethodDef decoder_methods[] = {
    {"decode", decode, METH_VARARGS,
     "decode(lines: bytes, source: str) -> int | None\n\n"
     "The address of a `struct ArrowArray` with the rows, valid until the next call; None: leave the lines to msgspec."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot decoder_slots[] = {
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, decoder_free},
    {Py_tp_methods, decoder_methods},
    {Py_tp_doc, "Reads plain JSON lines of requests. One decoder for one thread at a time."},
    {0, NULL},
};
static PyType_Spec decoder_spec = {
    .name = "aiops_nb.kernel._kernel.RequestLines",
    .basicsize = sizeof(Decoder),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = decoder_slots,
};

int add_json_requests(PyObject *module) {
  PyObject *type = PyType_FromModuleAndSpec(module, &decoder_spec, NULL);
  if (!type) return -1;
  const int is_added = PyModule_AddObjectRef(module, "RequestLines", type);
  Py_DECREF(type);
  return is_added;
}

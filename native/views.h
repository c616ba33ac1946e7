// Many arrays lent for one call, released at once.
#ifndef AIOPS_NB_VIEWS_H
#define AIOPS_NB_VIEWS_H

#include "kernel.h"

#define MOST_VIEWS 256

typedef struct {
  Py_buffer held[MOST_VIEWS];
  int count;
} Views;

// The data of an array, or NULL with an error set. A capital kind asks for a writable one.
static inline void *lend(Views *views, PyObject *array, char kind, int item_bytes, int dimensions) {
  if (!array) return NULL;
  if (views->count == MOST_VIEWS) {
    PyErr_SetString(PyExc_ValueError, "kernel: too many arrays");
    return NULL;
  }
  Py_buffer *one = &views->held[views->count];
  int writable = kind >= 'A' && kind <= 'Z';
  char of_kind = (char)(writable ? kind + ('a' - 'A') : kind);
  int failed = writable ? view_writable(array, one, of_kind, item_bytes, dimensions)
                        : view_array(array, one, of_kind, item_bytes, dimensions);
  if (failed) return NULL;
  views->count++;
  return one->buf;
}

// Length of one dimension of the array that was lent last.
static inline int64_t last_length(const Views *views, int dimension) {
  return (int64_t)views->held[views->count - 1].shape[dimension];
}

static inline void release(Views *views) {
  while (views->count) PyBuffer_Release(&views->held[--views->count]);
}

// Reads the items of a tuple one after the other; `failed` stays set once one could not be read.
typedef struct {
  PyObject *tuple;
  Py_ssize_t next;
  int failed;
} Reader;

static inline Reader read_tuple(PyObject *tuple) {
  int is_tuple = tuple && PyTuple_Check(tuple);
  if (!is_tuple && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "kernel: expected a tuple");
  Reader reader = {tuple, 0, !is_tuple};
  return reader;
}

static inline PyObject *read_object(Reader *reader) {
  if (reader->failed) return NULL;
  PyObject *item = PyTuple_GetItem(reader->tuple, reader->next++);
  reader->failed = !item;
  return item;
}

static inline int64_t read_whole(Reader *reader) {
  PyObject *item = read_object(reader);
  int64_t value = item ? PyLong_AsLongLong(item) : 0;
  if (item && value == -1 && PyErr_Occurred()) reader->failed = 1;
  return value;
}

static inline double read_number(Reader *reader) {
  PyObject *item = read_object(reader);
  double value = item ? PyFloat_AsDouble(item) : 0.0;
  if (item && value == -1.0 && PyErr_Occurred()) reader->failed = 1;
  return value;
}

static inline void *read_array(Reader *reader, Views *views, char kind, int item_bytes, int dimensions) {
  PyObject *item = read_object(reader);
  void *data = item ? lend(views, item, kind, item_bytes, dimensions) : NULL;
  if (!data) reader->failed = 1;
  return data;
}

// Whether the array that was lent last has at least so many items in its last dimension; sets an error if not.
static inline int is_wide(Reader *reader, const Views *views, int64_t least) {
  if (reader->failed) return 0;
  const Py_buffer *last = &views->held[views->count - 1];
  if ((int64_t)last->shape[last->ndim - 1] >= least) return 1;
  PyErr_SetString(PyExc_ValueError, "kernel: an array is too short");
  reader->failed = 1;
  return 0;
}

static inline double not_known(void) {
  uint64_t bits = UINT64_C(0x7ff8000000000000);  // np.nan, whatever sign a compiler gives its own
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#endif

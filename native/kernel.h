// What the files of the kernel share: the limited C API of Python, typed views of numpy arrays, numpy's arithmetic.
#ifndef AIOPS_NB_KERNEL_H
#define AIOPS_NB_KERNEL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Views of the arrays that a caller lends for one call. `kind` is 'f' float, 'i' signed, 'u' unsigned, 'b' bool, '*' any
// bytes. Arrays are C-contiguous; `dimensions` 0 takes any. On failure a TypeError is set and nothing is held.
typedef struct {
  char kind;
  int item_bytes, dimensions, is_written;
} ArrayKind;
int view_array(PyObject *array, Py_buffer *view, char kind, Py_ssize_t item_bytes, int dimensions);
int view_writable(PyObject *array, Py_buffer *view, char kind, Py_ssize_t item_bytes, int dimensions);
int view_arrays(PyObject *const *arrays, const ArrayKind *kinds, int count, Py_buffer *views);
void release_views(Py_buffer *views, int count);

// 0, or -1 and a TypeError.
int check_arguments(const char *function, Py_ssize_t given, Py_ssize_t expected);

// A NaN on either side wins, as in np.maximum and np.minimum.
static inline double numpy_maximum(double a, double b) { return (a > b || a != a) ? a : b; }
static inline double numpy_minimum(double a, double b) { return (a < b || a != a) ? a : b; }

// What each file adds: methods, ended by a NULL name, or a type (0: added; -1: a Python error is set).
extern PyMethodDef rows_methods[];
extern PyMethodDef rules_methods[];
extern PyMethodDef window_features_methods[];
extern PyMethodDef arithmetic_methods[];
int add_json_requests(PyObject *module);

#endif

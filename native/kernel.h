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

// A view of an array that a caller lends for one call. `kind` is 'f' float, 'i' signed, 'u' unsigned, 'b' bool.
// On failure a TypeError is set and nothing is held. Release each view with PyBuffer_Release.
int view_array(PyObject *array, Py_buffer *view, char kind, Py_ssize_t item_bytes, int dimensions);
int view_writable(PyObject *array, Py_buffer *view, char kind, Py_ssize_t item_bytes, int dimensions);

// A NaN on either side wins, as in np.maximum and np.minimum.
static inline double numpy_maximum(double a, double b) { return (a > b || a != a) ? a : b; }
static inline double numpy_minimum(double a, double b) { return (a < b || a != a) ? a : b; }

// What each file adds: methods, ended by a NULL name, or a type (0: added; -1: a Python error is set).
extern PyMethodDef rules_methods[];
extern PyMethodDef window_features_methods[];
int add_json_requests(PyObject *module);

#endif

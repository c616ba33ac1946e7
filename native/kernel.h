// What the files of the kernel share: the limited C API of Python, typed views of numpy arrays, numpy's arithmetic.
#ifndef AIOPS_NB_KERNEL_H
#define AIOPS_NB_KERNEL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
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

// The methods of each file, ended by a NULL name; kernel.c adds them to the module.
extern PyMethodDef json_requests_methods[];
extern PyMethodDef rules_methods[];
extern PyMethodDef window_features_methods[];

#endif

// The module aiops_nb.kernel._kernel: every function gives the bits that the numpy code beside its caller gives.
#include "kernel.h"

static int is_of(const Py_buffer *view, char kind, Py_ssize_t item_bytes, int dimensions) {
  if (dimensions && view->ndim != dimensions) return 0;
  if (kind == '*') return 1;
  const char *const codes = kind == 'f' ? "fd" : kind == 'i' ? "bhilq" : kind == 'u' ? "BHILQ" : "?";
  const char *const format = view->format;
  return view->itemsize == item_bytes && format && format[0] && !format[1] && strchr(codes, format[0]);
}

static int view(PyObject *array, Py_buffer *into, int flags, char kind, Py_ssize_t item_bytes, int dimensions) {
  if (PyObject_GetBuffer(array, into, flags | PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) return -1;
  if (is_of(into, kind, item_bytes, dimensions)) return 0;
  PyErr_Format(PyExc_TypeError, "kernel: expected %d dimensions of kind %c with %zd bytes, got %d of format %s with %zd bytes",
               dimensions, kind, item_bytes, into->ndim, into->format ? into->format : "?", into->itemsize);
  PyBuffer_Release(into);
  return -1;
}

int view_array(PyObject *array, Py_buffer *into, char kind, Py_ssize_t item_bytes, int dimensions) {
  return view(array, into, 0, kind, item_bytes, dimensions);
}

int view_writable(PyObject *array, Py_buffer *into, char kind, Py_ssize_t item_bytes, int dimensions) {
  return view(array, into, PyBUF_WRITABLE, kind, item_bytes, dimensions);
}

int view_arrays(PyObject *const *arrays, const ArrayKind *kinds, int count, Py_buffer *views) {
  for (int i = 0; i < count; i++) {
    const int flags = kinds[i].is_written ? PyBUF_WRITABLE : 0;
    if (view(arrays[i], &views[i], flags, kinds[i].kind, kinds[i].item_bytes, kinds[i].dimensions)) {
      release_views(views, i);
      return -1;
    }
  }
  return 0;
}

void release_views(Py_buffer *views, int count) {
  for (int i = 0; i < count; i++) PyBuffer_Release(&views[i]);
}

int check_arguments(const char *function, Py_ssize_t given, Py_ssize_t expected) {
  if (given == expected) return 0;
  PyErr_Format(PyExc_TypeError, "%s: expected %zd arguments, got %zd", function, expected, given);
  return -1;
}

static int fill_module(PyObject *module) {
  PyMethodDef *const tables[] = {rows_methods, rules_methods, window_features_methods, arithmetic_methods};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (PyModule_AddFunctions(module, tables[i])) return -1;
  if (add_json_requests(module)) return -1;
  return PyModule_AddStringConstant(module, "SOURCES", KERNEL_SOURCES);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "aiops_nb.kernel._kernel",
    .m_doc = "The compiled kernel; aiops_nb.kernel decides whether it is used.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&definition); }

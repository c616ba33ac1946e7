// The module aiops_nb.kernel._kernel: every function gives the bits that the numpy code beside its caller gives.
#include "kernel.h"

static int has_kind(const char *format, char kind) {
  static const char *const codes[] = {"fd", "bhilq", "BHILQ", "?"};
  const char *wanted = kind == 'f' ? codes[0] : kind == 'i' ? codes[1] : kind == 'u' ? codes[2] : codes[3];
  return format && format[0] && !format[1] && strchr(wanted, format[0]);
}

static int view(PyObject *array, Py_buffer *into, int flags, char kind, Py_ssize_t item_bytes, int dimensions) {
  if (PyObject_GetBuffer(array, into, flags | PyBUF_FORMAT)) return -1;
  if (into->ndim == dimensions && into->itemsize == item_bytes && has_kind(into->format, kind)) return 0;
  PyErr_Format(PyExc_TypeError, "kernel: expected %d dimensions of kind %c with %zd bytes, got %d of format %s with %zd bytes",
               dimensions, kind, item_bytes, into->ndim, into->format ? into->format : "?", into->itemsize);
  PyBuffer_Release(into);
  return -1;
}

int view_array(PyObject *array, Py_buffer *into, char kind, Py_ssize_t item_bytes, int dimensions) {
  return view(array, into, PyBUF_C_CONTIGUOUS, kind, item_bytes, dimensions);
}

int view_writable(PyObject *array, Py_buffer *into, char kind, Py_ssize_t item_bytes, int dimensions) {
  return view(array, into, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE, kind, item_bytes, dimensions);
}

static int fill_module(PyObject *module) {
  PyMethodDef *const tables[] = {rules_methods, window_features_methods};
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

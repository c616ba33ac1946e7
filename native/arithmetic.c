// What detectors are written in, for many series: see aiops_nb/detect/arithmetic/operations.py, which has the same bits.
#include "views.h"

// upper_tail(weights, first, size, bin_at, mass, top, (3, n) above, excess and here)
static PyObject *upper_tail(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 7) return PyErr_Format(PyExc_TypeError, "upper_tail: expected 7 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *result = NULL;
  const float *weights = lend(&views, args[0], 'f', 4, 1);
  if (!weights) return NULL;
  int64_t weight_count = last_length(&views, 0), size = PyLong_AsLongLong(args[2]);
  if (PyErr_Occurred()) goto done;
  const int64_t *first = lend(&views, args[1], 'i', 8, 1);
  if (!first) goto done;
  int64_t n = last_length(&views, 0), shortest = n;
  const int64_t *bin_at = lend(&views, args[3], 'i', 8, 1);
  if (!bin_at) goto done;
  if (last_length(&views, 0) < shortest) shortest = last_length(&views, 0);
  const double *mass = lend(&views, args[4], 'f', 8, 1);
  if (!mass) goto done;
  if (last_length(&views, 0) < shortest) shortest = last_length(&views, 0);
  int64_t *top = lend(&views, args[5], 'I', 8, 1);
  if (!top) goto done;
  if (last_length(&views, 0) < shortest) shortest = last_length(&views, 0);
  double *rest = lend(&views, args[6], 'F', 8, 2);
  if (!rest) goto done;
  if (shortest < n || last_length(&views, 0) != 3 || last_length(&views, 1) != n || size < 1) {
    PyErr_SetString(PyExc_ValueError, "upper_tail: expected arrays of one length");
    goto done;
  }
  for (int64_t i = 0; i < n; i++) {
    if (bin_at[i] == 0) {
      top[i] = 0;
      rest[i] = rest[n + i] = rest[2 * n + i] = 0.0;
      continue;
    }
    if (first[i] < 0 || first[i] > weight_count - size || bin_at[i] < 0 || bin_at[i] >= size) {
      PyErr_SetString(PyExc_ValueError, "upper_tail: no such bin");
      goto done;
    }
    const float *bins = weights + first[i];
    double sum = 0.0, above = 0.0, excess = 0.0, here = 0.0;
    int64_t rank = 0;
    for (int64_t bin = size - 1; bin >= 0; bin--) {
      sum = bin == size - 1 ? (double)bins[bin] : sum + (double)bins[bin];
      if (sum < mass[i]) {
        rank++;
        above = sum;
        excess += sum;
      }
      if (bin == bin_at[i]) here = sum;
      if (bin <= bin_at[i] && !(sum < mass[i])) break;  // weights are >= 0: the mass only grows
    }
    top[i] = size - 1 - rank;
    rest[i] = above;
    rest[n + i] = excess;
    rest[2 * n + i] = here;
  }
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

// forest_sums(feature, threshold, children (nodes, 2), value, roots, vectors (n, k) float32, sums (n,)): the sum of the
// leaf values of each vector, tree after tree; a leaf is its own child
static PyObject *forest_sums(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  enum { AT_ONCE = 16, BLOCK = 1024 };
  if (count != 7) return PyErr_Format(PyExc_TypeError, "forest_sums: expected 7 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *result = NULL;
  const int32_t *feature = lend(&views, args[0], 'i', 4, 1);
  if (!feature) return NULL;
  int64_t nodes = last_length(&views, 0);
  const double *threshold = lend(&views, args[1], 'f', 8, 1);
  if (!threshold) goto done;
  int is_right = last_length(&views, 0) == nodes;
  const int32_t *child = lend(&views, args[2], 'i', 4, 2);
  if (!child) goto done;
  is_right = is_right && last_length(&views, 0) == nodes && last_length(&views, 1) == 2;
  const double *value = lend(&views, args[3], 'f', 8, 1);
  if (!value) goto done;
  is_right = is_right && last_length(&views, 0) == nodes;
  const int32_t *root = lend(&views, args[4], 'i', 4, 1);
  if (!root) goto done;
  int64_t trees = last_length(&views, 0);
  const float *vectors = lend(&views, args[5], 'f', 4, 2);
  if (!vectors) goto done;
  int64_t n = last_length(&views, 0), k = last_length(&views, 1);
  double *sums = lend(&views, args[6], 'F', 8, 1);
  if (!sums) goto done;
  is_right = is_right && last_length(&views, 0) == n;
  for (int64_t t = 0; is_right && t < trees; t++) is_right = root[t] >= 0 && root[t] < nodes;
  for (int64_t i = 0; is_right && i < nodes; i++) {
    int is_leaf = child[2 * i] == i && child[2 * i + 1] == i;  // children come after their node, so that walks end
    is_right = feature[i] >= 0 && feature[i] < k && (is_leaf || (child[2 * i] > i && child[2 * i + 1] > i));
    is_right = is_right && child[2 * i] < nodes && child[2 * i + 1] < nodes;
  }
  if (!is_right) {
    PyErr_SetString(PyExc_ValueError, "forest_sums: expected flattened trees");
    goto done;
  }
  for (int64_t i = 0; i < n; i++) sums[i] = 0.0;
  Py_BEGIN_ALLOW_THREADS
  for (int64_t block = 0; block < n; block += BLOCK) {
    int64_t end = block + BLOCK < n ? block + BLOCK : n;
    for (int64_t t = 0; t < trees; t++)
      for (int64_t i = block; i < end; i += AT_ONCE) {  // several walks at once: each waits for memory
        int width = end - i < AT_ONCE ? (int)(end - i) : AT_ONCE, busy = 1;
        int32_t at[AT_ONCE];
        for (int w = 0; w < width; w++) at[w] = root[t];
        while (busy) {
          busy = 0;
          for (int w = 0; w < width; w++) {
            int32_t node = at[w];
            int goes_right = !((double)vectors[(i + w) * k + feature[node]] <= threshold[node]);
            at[w] = child[2 * node + goes_right];
            busy |= at[w] != node;
          }
        }
        for (int w = 0; w < width; w++) sums[i + w] += value[at[w]];
      }
  }
  Py_END_ALLOW_THREADS
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

PyMethodDef arithmetic_methods[] = {
    {"upper_tail", (PyCFunction)(void (*)(void))upper_tail, METH_FASTCALL, NULL},
    {"forest_sums", (PyCFunction)(void (*)(void))forest_sums, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

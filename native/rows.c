// What is done with each row of a batch: totals and histogram bins, addresses of clients, runs of hits.
#include "kernel.h"

// ---- totals of requests

// The order of Totals.__slots__; and the rest of count_rows' arguments.
enum { COUNT, ERRORS, FAILED, MICROS, SQUARE_HIGH, SQUARE_LOW, STATUS_4XX, STATUS_5XX, STATUS_429, TIMED, TOTALS,
       SERIES = TOTALS, STATUS, IS_FAILED, SECONDS, BINS_OUT, SERIES_OUT, COUNT_ARGUMENTS };
enum { LAST_BIN = 303, FIRST_BIN_BITS = (1023 - 13) << 4, BIN_SHIFT = 48 };
static const double LONGEST_SECONDS = 2000.0;

static int16_t bin_of(double seconds) {
  int64_t bits;
  memcpy(&bits, &seconds, sizeof bits);
  const int64_t bin = (bits >> BIN_SHIFT) - FIRST_BIN_BITS;
  return (int16_t)(bin < 0 ? 0 : bin > LAST_BIN ? LAST_BIN : bin);
}

static PyObject *count_rows(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[COUNT_ARGUMENTS] = {
      [COUNT] = {'i', 4, 1, 1},       [ERRORS] = {'i', 4, 1, 1},      [FAILED] = {'i', 4, 1, 1},
      [MICROS] = {'i', 8, 1, 1},      [SQUARE_HIGH] = {'i', 8, 1, 1}, [SQUARE_LOW] = {'i', 8, 1, 1},
      [STATUS_4XX] = {'i', 4, 1, 1},  [STATUS_5XX] = {'i', 4, 1, 1},  [STATUS_429] = {'i', 4, 1, 1},
      [TIMED] = {'i', 4, 1, 1},       [SERIES] = {'i', 8, 1, 0},      [STATUS] = {'i', 2, 1, 0},
      [IS_FAILED] = {'b', 1, 1, 0},   [SECONDS] = {'f', 8, 1, 0},     [BINS_OUT] = {'i', 2, 1, 1},
      [SERIES_OUT] = {'i', 4, 1, 1},
  };
  (void)module;
  Py_buffer view[COUNT_ARGUMENTS];
  if (check_arguments("count_rows", given, COUNT_ARGUMENTS)) return NULL;
  if (view_arrays(arguments, kinds, COUNT_ARGUMENTS, view)) return NULL;
  int32_t *small[TOTALS];
  int64_t *large[TOTALS];
  Py_ssize_t capacity = PY_SSIZE_T_MAX, rows = view[SERIES].shape[0], counted = 0;
  for (int i = 0; i < TOTALS; i++) {
    small[i] = view[i].buf;
    large[i] = view[i].buf;
    if (view[i].shape[0] < capacity) capacity = view[i].shape[0];
  }
  for (int i = STATUS; i < COUNT_ARGUMENTS; i++)
    if (view[i].shape[0] < rows) rows = -1;
  const int64_t *series = view[SERIES].buf;
  const int16_t *status = view[STATUS].buf;
  const uint8_t *is_failed = view[IS_FAILED].buf;
  const double *seconds = view[SECONDS].buf;
  int16_t *bins = view[BINS_OUT].buf;
  int32_t *binned = view[SERIES_OUT].buf;
  for (Py_ssize_t i = 0; i < rows; i++) {
    const int64_t one = series[i];
    if (one < 0 || one >= capacity) {
      rows = -1;
      break;
    }
    small[COUNT][one]++;
    if (status[i] >= 500)
      small[STATUS_5XX][one]++;
    else if (status[i] >= 400)
      small[status[i] == 429 ? STATUS_429 : STATUS_4XX][one]++;
    small[ERRORS][one] += is_failed[i] || status[i] >= 500;
    small[FAILED][one] += is_failed[i];
    if (is_failed[i] || !(seconds[i] >= 0)) continue;
    const int64_t micros = (int64_t)rint(numpy_minimum(seconds[i], LONGEST_SECONDS) * 1e6);
    const int64_t square = micros * micros;
    small[TIMED][one]++;
    large[MICROS][one] += micros;
    large[SQUARE_LOW][one] += square & 0xFFFFFFFF;
    large[SQUARE_HIGH][one] += square >> 32;
    bins[counted] = bin_of(seconds[i]);
    binned[counted++] = (int32_t)one;
  }
  release_views(view, COUNT_ARGUMENTS);
  if (rows >= 0) return PyLong_FromSsize_t(counted);
  PyErr_SetString(PyExc_ValueError, "count_rows: expected series within the totals and columns of one length");
  return NULL;
}

// ---- clients

// The number of an address in its standard form; -1: it is none.
static int64_t ipv4_of(const uint8_t *at, const uint8_t *end) {
  int64_t address = 0;
  for (int octet = 0; octet < 4; octet++) {
    unsigned value = 0;
    int digits = 0;
    for (; at < end && *at >= '0' && *at <= '9' && digits < 4; at++, digits++) value = value * 10 + (*at - '0');
    if (digits < 1 || digits > 3 || value > 255) return -1;
    if (digits > 1 && value < (digits == 2 ? 10u : 100u)) return -1;  // a leading zero
    address = address << 8 | value;
    if (octet < 3 && (at == end || *at++ != '.')) return -1;
  }
  return at == end ? address : -1;
}

enum { OFFSETS, TEXT, ADDRESSES_OUT, KNOWN_OUT, IPV4_ARRAYS };

static PyObject *ipv4(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[IPV4_ARRAYS] = {
      [OFFSETS] = {'*', 0, 0, 0}, [TEXT] = {'*', 0, 0, 0}, [ADDRESSES_OUT] = {'u', 8, 1, 1}, [KNOWN_OUT] = {'b', 1, 1, 1}};
  (void)module;
  Py_buffer view[IPV4_ARRAYS];
  if (check_arguments("ipv4", given, IPV4_ARRAYS + 1)) return NULL;
  const Py_ssize_t first = PyLong_AsSsize_t(arguments[IPV4_ARRAYS]);
  if (first < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "ipv4: expected an offset >= 0");
    return NULL;
  }
  if (view_arrays(arguments, kinds, IPV4_ARRAYS, view)) return NULL;
  const int32_t *offsets = (const int32_t *)view[OFFSETS].buf + first;
  const uint8_t *text = view[TEXT].buf;
  uint64_t *addresses = view[ADDRESSES_OUT].buf;
  uint8_t *known = view[KNOWN_OUT].buf;
  const Py_ssize_t rows = view[ADDRESSES_OUT].shape[0];
  const Py_ssize_t offsets_count = view[OFFSETS].len / (Py_ssize_t)sizeof *offsets - first;
  int is_sound = view[KNOWN_OUT].shape[0] == rows && offsets_count > rows, all_known = 1;
  for (Py_ssize_t i = 0; i < rows && is_sound; i++) {
    is_sound = offsets[i] >= 0 && offsets[i + 1] >= offsets[i] && offsets[i + 1] <= view[TEXT].len;
    const int64_t address = is_sound ? ipv4_of(text + offsets[i], text + offsets[i + 1]) : -1;
    known[i] = address >= 0;
    addresses[i] = address >= 0 ? (uint64_t)address : 0;
    all_known &= address >= 0;
  }
  release_views(view, IPV4_ARRAYS);
  if (is_sound) return PyBool_FromLong(all_known);
  PyErr_SetString(PyExc_ValueError, "ipv4: expected offsets that rise within the text, one more than rows");
  return NULL;
}

enum { KEYS, CELL_KEYS, CELL_SLOTS, CELL_NEW, SLOTS_OUT, NEW_OUT, FIND_ARRAYS };
enum { CELLS_LOG2 = 16, UNRESOLVED = -2 };

static PyObject *find_clients(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[FIND_ARRAYS] = {
      [KEYS] = {'u', 8, 1, 0},     [CELL_KEYS] = {'u', 8, 1, 0}, [CELL_SLOTS] = {'i', 8, 1, 0},
      [CELL_NEW] = {'b', 1, 1, 0}, [SLOTS_OUT] = {'i', 8, 1, 1}, [NEW_OUT] = {'b', 1, 1, 1}};
  (void)module;
  Py_buffer view[FIND_ARRAYS];
  if (check_arguments("find_clients", given, FIND_ARRAYS)) return NULL;
  if (view_arrays(arguments, kinds, FIND_ARRAYS, view)) return NULL;
  const uint64_t *keys = view[KEYS].buf, *cell_keys = view[CELL_KEYS].buf;
  const int64_t *cell_slots = view[CELL_SLOTS].buf;
  const uint8_t *cell_new = view[CELL_NEW].buf;
  int64_t *slots = view[SLOTS_OUT].buf;
  uint8_t *is_new = view[NEW_OUT].buf;
  const Py_ssize_t rows = view[KEYS].shape[0];
  int is_sound = view[SLOTS_OUT].shape[0] == rows && view[NEW_OUT].shape[0] == rows;
  for (int i = CELL_KEYS; i <= CELL_NEW; i++) is_sound &= view[i].shape[0] == 1 << CELLS_LOG2;
  for (Py_ssize_t i = 0; i < rows && is_sound; i++) {
    const uint64_t cell = keys[i] * 0x9E3779B97F4A7C15ull >> (64 - CELLS_LOG2);
    slots[i] = cell_keys[cell] == keys[i] ? cell_slots[cell] : UNRESOLVED;
    is_new[i] = cell_new[cell];
  }
  release_views(view, FIND_ARRAYS);
  if (is_sound) Py_RETURN_NONE;
  PyErr_SetString(PyExc_ValueError, "find_clients: expected columns of one length and a cache of 65536 cells");
  return NULL;
}

enum { BURST_SLOTS, BURST_TIMES, LAST_ROW, LAST_BURST, ROWS_OUT, UNITS_OUT, BURST_ARRAYS };
static const int64_t SECOND_NS = 1000000000, LONGEST_INTERVAL_NS = 60 * 1000000000LL;

// The difference as numpy gives it: it wraps around where a slot was never heard.
static int64_t apart(int64_t later, int64_t earlier) { return (int64_t)((uint64_t)later - (uint64_t)earlier); }

static PyObject *burst_intervals(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[BURST_ARRAYS] = {
      [BURST_SLOTS] = {'i', 8, 1, 0}, [BURST_TIMES] = {'i', 8, 1, 0}, [LAST_ROW] = {'i', 8, 1, 1},
      [LAST_BURST] = {'i', 8, 1, 1},  [ROWS_OUT] = {'i', 8, 1, 1},    [UNITS_OUT] = {'i', 8, 1, 1}};
  (void)module;
  Py_buffer view[BURST_ARRAYS];
  if (check_arguments("burst_intervals", given, BURST_ARRAYS)) return NULL;
  if (view_arrays(arguments, kinds, BURST_ARRAYS, view)) return NULL;
  const int64_t *slots = view[BURST_SLOTS].buf, *times = view[BURST_TIMES].buf;
  int64_t *last_row = view[LAST_ROW].buf, *last_burst = view[LAST_BURST].buf;
  int64_t *rows_out = view[ROWS_OUT].buf, *units_out = view[UNITS_OUT].buf;
  const Py_ssize_t rows = view[BURST_SLOTS].shape[0], capacity = view[LAST_ROW].shape[0];
  Py_ssize_t found = 0;
  int is_sound = view[BURST_TIMES].shape[0] == rows && view[LAST_BURST].shape[0] == capacity &&
                 view[ROWS_OUT].shape[0] == rows && view[UNITS_OUT].shape[0] == rows;
  for (Py_ssize_t i = 0; i < rows && is_sound; i++) {
    const int64_t slot = slots[i], now = times[i];
    is_sound = slot >= 0 && slot < capacity;
    if (!is_sound) break;
    const int64_t gap = apart(now, last_row[slot]);
    last_row[slot] = now;
    if (gap <= (now % SECOND_NS == 0 ? SECOND_NS : SECOND_NS / 5)) continue;
    const int64_t interval = apart(now, last_burst[slot]);
    last_burst[slot] = now;
    if (interval <= 0 || interval > LONGEST_INTERVAL_NS) continue;
    rows_out[found] = i;
    units_out[found++] = interval / (SECOND_NS / 100);
  }
  release_views(view, BURST_ARRAYS);
  if (is_sound) return PyLong_FromSsize_t(found);
  PyErr_SetString(PyExc_ValueError, "burst_intervals: expected slots within the capacity and rows of one length");
  return NULL;
}

// ---- how often series are hit

enum { PACE_ROWS, PACE_SECONDS, PACE_COUNTS, PACE_ARRAYS };

static PyObject *fade_pace(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[PACE_ARRAYS] = {
      [PACE_ROWS] = {'f', 8, 1, 1}, [PACE_SECONDS] = {'f', 8, 1, 1}, [PACE_COUNTS] = {'i', 4, 1, 0}};
  (void)module;
  Py_buffer view[PACE_ARRAYS];
  if (check_arguments("fade_pace", given, PACE_ARRAYS + 2)) return NULL;
  const double kept = PyFloat_AsDouble(arguments[PACE_ARRAYS]), passed = PyFloat_AsDouble(arguments[PACE_ARRAYS + 1]);
  if (PyErr_Occurred() || view_arrays(arguments, kinds, PACE_ARRAYS, view)) return NULL;
  double *rows = view[PACE_ROWS].buf, *seconds = view[PACE_SECONDS].buf;
  const int32_t *counts = view[PACE_COUNTS].buf;
  const Py_ssize_t capacity = view[PACE_ROWS].shape[0], count = view[PACE_COUNTS].shape[0];
  const int is_sound = view[PACE_SECONDS].shape[0] == capacity && count <= capacity;
  for (Py_ssize_t i = 0; i < capacity && is_sound; i++) {
    rows[i] *= kept;
    if (i < count) rows[i] += counts[i];
    seconds[i] *= kept;
    if (rows[i] > 0) seconds[i] += passed;
  }
  release_views(view, PACE_ARRAYS);
  if (is_sound) Py_RETURN_NONE;
  PyErr_SetString(PyExc_ValueError, "fade_pace: expected rows and seconds of one capacity");
  return NULL;
}

enum { HITS, WAITING, NEW_HITS, LEARNED, FORGOTTEN, HIT_ARRAYS };
static const double FORGOTTEN_HITS = 1e-3;

// Whether a hit is remembered afterwards.
static PyObject *take_hits(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[HIT_ARRAYS] = {[HITS] = {'f', 8, 1, 1},
                                              [WAITING] = {'f', 8, 1, 1},
                                              [NEW_HITS] = {'i', 4, 1, 0},
                                              [LEARNED] = {'b', 1, 1, 0},
                                              [FORGOTTEN] = {'b', 1, 1, 0}};
  (void)module;
  Py_buffer view[HIT_ARRAYS];
  if (check_arguments("take_hits", given, HIT_ARRAYS + 1)) return NULL;
  const double kept = PyFloat_AsDouble(arguments[HIT_ARRAYS]);
  if (PyErr_Occurred() || view_arrays(arguments, kinds, HIT_ARRAYS, view)) return NULL;
  double *hits = view[HITS].buf, *waiting = view[WAITING].buf;
  const int32_t *now = view[NEW_HITS].buf;
  const uint8_t *learned = view[LEARNED].buf, *forgotten = view[FORGOTTEN].buf;
  const Py_ssize_t capacity = view[HITS].shape[0], count = view[NEW_HITS].shape[0], judged = view[LEARNED].shape[0];
  const int is_sound = view[WAITING].shape[0] == capacity && count <= capacity && view[FORGOTTEN].shape[0] == judged;
  int any = 0;
  for (Py_ssize_t i = 0; i < capacity && is_sound; i++) {
    hits[i] *= kept;
    if (i < count) waiting[i] += now[i];
    if (i < judged) {
      hits[i] += learned[i] ? waiting[i] : 0.0;
      if (learned[i] || forgotten[i]) waiting[i] = 0.0;
    }
    if (hits[i] < FORGOTTEN_HITS) hits[i] = 0.0;
    any |= hits[i] != 0 || waiting[i] != 0;
  }
  release_views(view, HIT_ARRAYS);
  if (is_sound) return PyBool_FromLong(any);
  PyErr_SetString(PyExc_ValueError, "take_hits: expected hits of one capacity");
  return NULL;
}

// ---- runs of hits

enum { RUN_SERIES, HIT, CAUSE, STREAK, CAUSES, NEEDED, WATCHED, STATE, RUN_ARRAYS };
typedef struct { Py_ssize_t row; int64_t streak; uint8_t watched; } Undo;

// Takes the rows in if no state can change within them: 1 or 0 says whether a run is open; -1: nothing was changed.
static int take_runs(const Py_buffer *view, Undo *undo) {
  const int64_t *series = view[RUN_SERIES].buf, *needed = view[NEEDED].buf;
  const uint8_t *hit = view[HIT].buf;
  const int8_t *state = view[STATE].buf;
  int64_t *streak = view[STREAK].buf, *causes = view[CAUSES].buf;
  uint8_t *watched = view[WATCHED].buf;
  const Py_ssize_t rows = view[RUN_SERIES].shape[0], capacity = view[STREAK].shape[0], kept = view[CAUSES].shape[0];
  Py_ssize_t changed = 0;
  int is_quiet = 1;
  for (Py_ssize_t i = 0; i < rows && is_quiet; i++) {
    const int64_t one = series[i];
    if (one < 0 || one >= capacity) {
      is_quiet = 0;
    } else if (hit[i] || watched[one]) {
      undo[changed++] = (Undo){i, streak[one], watched[one]};
      streak[one] = hit[i] ? streak[one] + 1 : 0;
      watched[one] = hit[i];
      is_quiet = state[one] == 0 && streak[one] < (needed[one] + 1) / 2;
    }
  }
  if (!is_quiet) {
    while (changed--) {
      streak[series[undo[changed].row]] = undo[changed].streak;
      watched[series[undo[changed].row]] = undo[changed].watched;
    }
    return -1;
  }
  for (Py_ssize_t i = 0; i < changed; i++) {
    const Py_ssize_t row = undo[i].row;
    int64_t *latest = causes + series[row];
    for (Py_ssize_t back = kept - 1; back > 0; back--) latest[back * capacity] = latest[(back - 1) * capacity];
    latest[0] = view[CAUSE].itemsize == 2 ? ((const int16_t *)view[CAUSE].buf)[row] : ((const int64_t *)view[CAUSE].buf)[row];
  }
  return memchr(watched, 1, (size_t)capacity) != NULL;
}

static PyObject *row_runs(PyObject *module, PyObject *const *arguments, Py_ssize_t given) {
  static const ArrayKind kinds[RUN_ARRAYS] = {
      [RUN_SERIES] = {'i', 8, 1, 0}, [HIT] = {'b', 1, 1, 0},    [CAUSE] = {'*', 0, 1, 0},   [STREAK] = {'i', 8, 1, 1},
      [CAUSES] = {'i', 8, 2, 1},     [NEEDED] = {'i', 8, 1, 0}, [WATCHED] = {'b', 1, 1, 1}, [STATE] = {'i', 1, 1, 0}};
  (void)module;
  Py_buffer view[RUN_ARRAYS];
  if (check_arguments("row_runs", given, RUN_ARRAYS)) return NULL;
  if (view_arrays(arguments, kinds, RUN_ARRAYS, view)) return NULL;
  const Py_ssize_t rows = view[RUN_SERIES].shape[0], capacity = view[STREAK].shape[0];
  const int is_sound = view[HIT].shape[0] == rows && view[CAUSE].shape[0] == rows && view[CAUSES].shape[1] == capacity &&
                       view[NEEDED].shape[0] == capacity && view[WATCHED].shape[0] == capacity &&
                       view[STATE].shape[0] >= capacity && (view[CAUSE].itemsize == 2 || view[CAUSE].itemsize == 8);
  Undo few[256], *undo = rows <= 256 ? few : malloc((size_t)rows * sizeof *undo);
  const int is_open = is_sound && undo ? take_runs(view, undo) : -1;
  if (undo != few) free(undo);
  release_views(view, RUN_ARRAYS);
  if (is_sound) return PyLong_FromLong(is_open);
  PyErr_SetString(PyExc_ValueError, "row_runs: expected rows of one length and series of one capacity");
  return NULL;
}

#define FUNCTION(name, text) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, text}
PyMethodDef rows_methods[] = {
    FUNCTION(count_rows, "count_rows(*totals, series, status, failed, seconds, bins, binned_series) -> int\n\n"
                         "Counts rows into the totals; gives how many have a duration, whose bins and series it wrote."),
    FUNCTION(ipv4, "ipv4(offsets, text, addresses, known, first) -> bool\n\n"
                   "Writes the addresses of a string column and which rows have one; whether all have."),
    FUNCTION(find_clients, "find_clients(keys, cell_keys, cell_slots, cell_new, slots, is_new) -> None\n\n"
                           "Looks keys up in a direct-mapped cache."),
    FUNCTION(burst_intervals, "burst_intervals(slots, times, last_row, last_burst, rows, units) -> int\n\n"
                              "Finds the rows that end an interval between bursts; writes them, in their order."),
    FUNCTION(row_runs, "row_runs(series, hit, cause, streak, causes, needed, watched, state) -> int\n\n"
                       "Takes rows in where no state can change: whether a run is open, or -1 and nothing was done."),
    FUNCTION(fade_pace, "fade_pace(rows, seconds, counts, kept, passed) -> None\n\n"
                        "Lets rows and the seconds in which they came fade, and adds those of a window."),
    FUNCTION(take_hits, "take_hits(hits, waiting, now, learned, forgotten, kept) -> bool\n\n"
                        "Lets hits fade and adds those of a window, where they may be learned; whether any is left."),
    {NULL, NULL, 0, NULL},
};

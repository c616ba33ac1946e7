// Closes a window of requests: totals and histograms move on, and every feature of every series is written.
//
// The formulas are those of aiops_nb/features, operation by operation; totals are whole numbers, so that their order
// does not matter. The totals of a closed window are kept as bytes, each column in as few bytes as its numbers need.
#include "views.h"

enum { TOTALS = 10 };
// The order of Totals.__slots__, which is that of the alphabet.
enum { COUNT, ERRORS, FAILED, MICROS, SQUARE_HIGH, SQUARE_LOW, STATUS_4XX, STATUS_5XX, STATUS_429, TIMED };
static const int TOTAL_BYTES[TOTALS] = {4, 4, 4, 8, 8, 8, 4, 4, 4, 4};

typedef struct {
  void *column[TOTALS];
  int64_t length;
} Totals;

static Totals read_totals(PyObject *tuple, Views *views, int *failed) {
  Totals totals = {{NULL}, INT64_MAX};
  Reader reader = read_tuple(tuple);
  for (int k = 0; k < TOTALS && !reader.failed; k++) {
    totals.column[k] = read_array(&reader, views, 'I', TOTAL_BYTES[k], 1);
    if (!reader.failed && last_length(views, 0) < totals.length) totals.length = last_length(views, 0);
  }
  *failed |= reader.failed;
  return totals;
}

static inline int64_t whole_at(const void *column, int bytes, int64_t i) {
  return bytes == 4 ? ((const int32_t *)column)[i] : ((const int64_t *)column)[i];
}

static inline void add_whole(void *column, int bytes, int64_t i, int64_t amount) {
  if (bytes == 4) ((int32_t *)column)[i] += (int32_t)amount;
  else ((int64_t *)column)[i] += amount;
}

// ---- columns of whole numbers >= 0 as bytes: for each its width, then its numbers

static int width_of(int64_t largest) {
  return largest < INT64_C(1) << 8 ? 1 : largest < INT64_C(1) << 16 ? 2 : largest < INT64_C(1) << 32 ? 4 : 8;
}

static inline int64_t packed_at(const uint8_t *numbers, int width, int64_t i) {
  uint16_t two;
  uint32_t four;
  int64_t eight;
  switch (width) {
    case 1: return numbers[i];
    case 2: memcpy(&two, numbers + 2 * i, 2); return two;
    case 4: memcpy(&four, numbers + 4 * i, 4); return four;
    default: memcpy(&eight, numbers + 8 * i, 8); return eight;
  }
}

static PyObject *pack(void *const *columns, const int *bytes, int count, int64_t length) {
  int widths[16];
  int64_t size = count;
  for (int k = 0; k < count; k++) {
    int64_t all_bits = 0;  // as wide as the largest
    if (bytes[k] == 4)
      for (int64_t i = 0; i < length; i++) all_bits |= ((const int32_t *)columns[k])[i];
    else
      for (int64_t i = 0; i < length; i++) all_bits |= ((const int64_t *)columns[k])[i];
    widths[k] = width_of(all_bits);
    size += widths[k] * length;
  }
  PyObject *packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
  if (!packed) return NULL;
  uint8_t *at = (uint8_t *)PyBytes_AsString(packed);
  for (int k = 0; k < count; k++) *at++ = (uint8_t)widths[k];
  for (int k = 0; k < count; k++) {
#define WRITE(FROM, TO)                                   \
  for (int64_t i = 0; i < length; i++) {                  \
    TO one = (TO)((const FROM *)columns[k])[i];           \
    memcpy(at + i * (int64_t)sizeof one, &one, sizeof one); \
  }                                                       \
  break
    switch (widths[k] + (bytes[k] == 8 ? 16 : 0)) {
      case 1: WRITE(int32_t, uint8_t);
      case 2: WRITE(int32_t, uint16_t);
      case 4: WRITE(int32_t, uint32_t);
      case 16 + 1: WRITE(int64_t, uint8_t);
      case 16 + 2: WRITE(int64_t, uint16_t);
      case 16 + 4: WRITE(int64_t, uint32_t);
      default: memcpy(at, columns[k], (size_t)(8 * length));
    }
#undef WRITE
    at += widths[k] * length;
  }
  return packed;
}

typedef struct {
  const uint8_t *numbers[16];
  int width[16];
  int64_t length;
} Packed;

// Adds packed numbers to a column, or takes them away.
static void move_column(void *column, int bytes, const uint8_t *numbers, int width, int64_t length, int sign) {
#define MOVE(TO, FROM)                                         \
  for (int64_t i = 0; i < length; i++) {                       \
    FROM one;                                                  \
    memcpy(&one, numbers + i * (int64_t)sizeof one, sizeof one); \
    ((TO *)column)[i] += (TO)(sign * (int64_t)one);            \
  }                                                            \
  break
  switch (width + (bytes == 8 ? 16 : 0)) {
    case 1: MOVE(int32_t, uint8_t);
    case 2: MOVE(int32_t, uint16_t);
    case 4: MOVE(int32_t, uint32_t);
    case 16 + 1: MOVE(int64_t, uint8_t);
    case 16 + 2: MOVE(int64_t, uint16_t);
    case 16 + 4: MOVE(int64_t, uint32_t);
    case 16 + 8: MOVE(int64_t, int64_t);
  }
#undef MOVE
}

// Of bytes that `pack` made; None has no numbers.
static int unpack(PyObject *object, int count, Packed *packed) {
  packed->length = 0;
  if (object == Py_None) return 0;
  char *data;
  Py_ssize_t size;
  if (PyBytes_AsStringAndSize(object, &data, &size)) return -1;
  int64_t a_series = 0;
  int is_right = size >= count;
  for (int k = 0; k < count && is_right; k++) {
    int width = packed->width[k] = (uint8_t)data[k];
    is_right = width == 1 || width == 2 || width == 4 || width == 8;
    a_series += width;
  }
  if (!is_right || a_series < count || (size - count) % a_series) {
    PyErr_SetString(PyExc_ValueError, "kernel: expected totals as bytes");
    return -1;
  }
  packed->length = (size - count) / a_series;
  const uint8_t *at = (const uint8_t *)data + count;
  for (int k = 0; k < count; k++) {
    packed->numbers[k] = at;
    at += packed->width[k] * packed->length;
  }
  return 0;
}

// ---- histograms and their quantiles

enum { BINS = 304, OCTAVES = 19, BINS_PER_OCTAVE = 16 };

typedef struct {
  void *fine;  // (capacity, BINS) of int32 or, where no count can be larger, uint16
  int is_narrow;
  int32_t *coarse;  // (OCTAVES, capacity)
  int64_t capacity;
  const int16_t *bins[2];  // of the rows that enter, and of those that leave
  const int32_t *series[2];
  int64_t rows[2];
  const double *middles, *ratios;
  int ratio_count;
} Histogram;

static Histogram read_histogram(PyObject *tuple, Views *views, int64_t series, int *failed) {
  Histogram histogram = {0};
  Reader reader = read_tuple(tuple);
  histogram.is_narrow = read_whole(&reader) == 2;
  histogram.fine = read_array(&reader, views, histogram.is_narrow ? 'U' : 'I', histogram.is_narrow ? 2 : 4, 2);
  is_wide(&reader, views, BINS);
  int64_t capacity = reader.failed ? 0 : last_length(views, 0);
  histogram.coarse = read_array(&reader, views, 'I', 4, 2);
  if (is_wide(&reader, views, capacity) && last_length(views, 0) < OCTAVES) {
    PyErr_SetString(PyExc_ValueError, "kernel: a histogram is too short");
    reader.failed = 1;
  }
  for (int way = 0; way < 2; way++) {
    histogram.bins[way] = read_array(&reader, views, 'i', 2, 1);
    histogram.rows[way] = reader.failed ? 0 : last_length(views, 0);
    histogram.series[way] = read_array(&reader, views, 'i', 4, 1);
    is_wide(&reader, views, histogram.rows[way]);
  }
  histogram.middles = read_array(&reader, views, 'f', 8, 1);
  is_wide(&reader, views, BINS);
  histogram.ratios = read_array(&reader, views, 'f', 8, 1);
  histogram.ratio_count = reader.failed ? 0 : (int)last_length(views, 0);
  histogram.capacity = capacity;
  if (!reader.failed && capacity < series) {
    PyErr_SetString(PyExc_ValueError, "kernel: a histogram is too short");
    reader.failed = 1;
  }
  *failed |= reader.failed;
  return histogram;
}

// Counts the rows of one way; `of` gives the place of a series (NULL: itself).
static int tally(const Histogram *histogram, int way, const int64_t *of, int64_t of_length) {
  int32_t sign = way == 0 ? 1 : -1;
  for (int64_t row = 0; row < histogram->rows[way]; row++) {
    int64_t place = histogram->series[way][row], bin = histogram->bins[way][row];
    if (of) place = place >= 0 && place < of_length ? of[place] : -1;
    if (place < 0 || place >= histogram->capacity || bin < 0 || bin >= BINS) {
      PyErr_SetString(PyExc_ValueError, "kernel: no such series or bin");
      return -1;
    }
    if (histogram->is_narrow) ((uint16_t *)histogram->fine)[place * BINS + bin] += (uint16_t)sign;
    else ((int32_t *)histogram->fine)[place * BINS + bin] += sign;
    histogram->coarse[bin / BINS_PER_OCTAVE * histogram->capacity + place] += sign;
  }
  return 0;
}

static double value_at_rank(const Histogram *histogram, int64_t series, const int32_t *before, int32_t rank) {
  int octave = 0;
  for (int k = 1; k < OCTAVES; k++) octave += before[k] < rank;
  int64_t first = series * BINS + octave * BINS_PER_OCTAVE;
  int32_t left = rank - before[octave];
  int steps = 0;
  for (int k = 0; k < BINS_PER_OCTAVE - 1; k++) {
    left -= histogram->is_narrow ? ((const uint16_t *)histogram->fine)[first + k]
                                 : ((const int32_t *)histogram->fine)[first + k];
    steps += left > 0;
  }
  return histogram->middles[octave * BINS_PER_OCTAVE + steps];
}

// Writes the quantiles into rows of `into`, `stride` apart, and into `backed` (unless NULL) what slow enough ones reach.
static void write_quantiles(const Histogram *histogram, int64_t count, double *into, int64_t stride, double *backed) {
  for (int64_t series = 0; series < count; series++) {
    int32_t before[OCTAVES + 1] = {0};
    for (int k = 0; k < OCTAVES; k++) before[k + 1] = before[k] + histogram->coarse[k * histogram->capacity + series];
    int32_t total = before[OCTAVES], others = total > 1 ? total - 1 : 0;
    for (int k = 0; k < histogram->ratio_count; k++) {
      int32_t rank = (int32_t)(1 + floor(histogram->ratios[k] * (double)others));
      into[k * stride + series] = total > 0 ? value_at_rank(histogram, series, before, rank) : not_known();
    }
    if (!backed) continue;
    int32_t enough = total > 0 ? 3 + (total - 1) / 8 : 2;  // floor division: of none it is 3 - 1
    int32_t rank = total - (enough < 8 ? enough : 8) + 1;
    backed[series] = total > 0 && rank > 0 ? value_at_rank(histogram, series, before, rank) : not_known();
  }
}

// ---- the features of answers, and silence

enum { ANSWERS = 12, QUANTILES_AT = 12 };

static void write_answers(double *values, int64_t n, const Totals *now, const Totals *span, double seconds) {
  const int32_t *count = span->column[COUNT], *errors = span->column[ERRORS], *failed = span->column[FAILED];
  const int32_t *of_4xx = span->column[STATUS_4XX], *of_5xx = span->column[STATUS_5XX];
  const int32_t *of_429 = span->column[STATUS_429], *timed = span->column[TIMED];
  const int64_t *micros = span->column[MICROS], *high = span->column[SQUARE_HIGH], *low = span->column[SQUARE_LOW];
  const int32_t *count_now = now ? now->column[COUNT] : NULL, *errors_now = now ? now->column[ERRORS] : NULL;
  for (int64_t i = 0; i < n; i++) {
    double all = count[i], of_all = timed[i];
    values[i] = count_now ? count_now[i] : 0.0;
    values[n + i] = all / seconds;
    values[2 * n + i] = errors_now ? errors_now[i] : 0.0;
    values[3 * n + i] = all;
    values[4 * n + i] = errors[i];
    values[5 * n + i] = errors[i] / all;
    values[6 * n + i] = of_4xx[i] / all;
    values[7 * n + i] = of_429[i] / all;
    values[8 * n + i] = of_5xx[i] / all;
    values[9 * n + i] = failed[i] / all;
    double mean = (double)micros[i] / of_all * 1e-6;
    double squares = ((double)high[i] * 4294967296.0 + (double)low[i]) / of_all * 1e-12;
    values[10 * n + i] = mean;
    values[11 * n + i] = sqrt(numpy_maximum(squares - mean * mean, 0.0));
  }
}

static const int64_t NEVER = -(INT64_C(1) << 62);

static void write_silence(int64_t *last, const double *requests, int64_t n, int64_t window, double tick, double *row) {
  for (int64_t i = 0; i < n; i++) {
    if (requests[i] > 0) last[i] = window;
    row[i] = last[i] == NEVER ? not_known() : (double)(window - last[i]) * tick;
  }
}

// ---- phases

enum { PHASES = 5, PHASE_COLUMNS = 2 * PHASES };
static const int PHASE_BYTES[PHASE_COLUMNS] = {4, 4, 4, 4, 4, 8, 8, 8, 8, 8};

typedef struct {
  void *column[PHASE_COLUMNS];  // known values of each phase, then their microseconds
  int64_t length;
} Sums;

static Sums read_sums(PyObject *tuple, Views *views, int *failed) {
  Sums sums = {{NULL}, 0};
  Reader reader = read_tuple(tuple);
  int32_t *known = read_array(&reader, views, 'I', 4, 2);
  is_wide(&reader, views, 0);
  int64_t capacity = reader.failed ? 0 : last_length(views, 1);
  if (!reader.failed && last_length(views, 0) != PHASES) reader.failed = 1;
  int64_t *micros = read_array(&reader, views, 'I', 8, 2);
  if (!reader.failed && (last_length(views, 0) != PHASES || last_length(views, 1) != capacity)) reader.failed = 1;
  if (reader.failed) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "kernel: expected sums of five phases");
    *failed = 1;
    return sums;
  }
  sums.length = capacity;
  for (int k = 0; k < PHASES; k++) {
    sums.column[k] = known + k * capacity;
    sums.column[PHASES + k] = micros + k * capacity;
  }
  return sums;
}

static void move_sums(const Sums *sums, const Packed *packed, int sign) {
  int64_t n = packed->length < sums->length ? packed->length : sums->length;
  for (int k = 0; k < PHASE_COLUMNS && n; k++)
    move_column(sums->column[k], PHASE_BYTES[k], packed->numbers[k], packed->width[k], n, sign);
}

static void write_means(const Sums *sums, double *values, int64_t n) {
  for (int k = 0; k < PHASES; k++) {
    const int32_t *known = sums->column[k];
    const int64_t *micros = sums->column[PHASES + k];
    for (int64_t i = 0; i < n; i++)
      values[k * n + i] = known[i] > 0 ? (double)micros[i] / (double)known[i] * 1e-6 : not_known();
  }
}

// phases: (span, recent, entering or None, bytes that leave the recent ones, bytes that leave the span) or None
static PyObject *close_phases(PyObject *tuple, Views *views, double *values, int64_t n) {
  if (tuple == Py_None) {
    for (int64_t i = 0; i < 2 * PHASES * n; i++) values[i] = not_known();
    Py_RETURN_NONE;
  }
  Reader reader = read_tuple(tuple);
  int failed = 0;
  Sums span = read_sums(read_object(&reader), views, &failed);
  Sums recent = failed ? span : read_sums(read_object(&reader), views, &failed);
  PyObject *entering = read_object(&reader), *from_recent = read_object(&reader), *from_span = read_object(&reader);
  if (failed || reader.failed) return NULL;
  if (span.length < n || recent.length < n) return PyErr_Format(PyExc_ValueError, "kernel: sums are too short");
  Packed leaving;
  PyObject *packed = Py_None;
  if (entering != Py_None) {
    Sums now = read_sums(entering, views, &failed);
    if (failed) return NULL;
    packed = pack(now.column, PHASE_BYTES, PHASE_COLUMNS, now.length < n ? now.length : n);
    if (!packed || unpack(packed, PHASE_COLUMNS, &leaving)) return NULL;
    move_sums(&span, &leaving, 1);
    move_sums(&recent, &leaving, 1);
  } else {
    Py_INCREF(packed);
  }
  if (unpack(from_recent, PHASE_COLUMNS, &leaving)) goto failed;
  move_sums(&recent, &leaving, -1);
  if (unpack(from_span, PHASE_COLUMNS, &leaving)) goto failed;
  move_sums(&span, &leaving, -1);
  write_means(&span, values, n);
  write_means(&recent, values + PHASES * n, n);
  return packed;
failed:
  Py_DECREF(packed);
  return NULL;
}

// count_phases(known (5, capacity), micros (5, capacity), series, seconds (5, rows)): adds the values that are known
static PyObject *count_phases(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 4) return PyErr_Format(PyExc_TypeError, "count_phases: expected 4 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *result = NULL;
  int32_t *known = lend(&views, args[0], 'I', 4, 2);
  if (!known) return NULL;
  int64_t capacity = last_length(&views, 1), fewest = last_length(&views, 0);
  int64_t *micros = lend(&views, args[1], 'I', 8, 2);
  if (!micros) goto done;
  int is_right = last_length(&views, 1) == capacity && last_length(&views, 0) == fewest;
  const int64_t *series = lend(&views, args[2], 'i', 8, 1);
  if (!series) goto done;
  int64_t rows = last_length(&views, 0);
  const double *seconds = lend(&views, args[3], 'f', 8, 2);
  if (!seconds) goto done;
  is_right = is_right && last_length(&views, 0) == fewest && last_length(&views, 1) == rows;
  for (int64_t i = 0; is_right && i < rows; i++) is_right = series[i] >= 0 && series[i] < capacity;
  if (!is_right) {
    PyErr_SetString(PyExc_ValueError, "count_phases: expected rows of known series");
    goto done;
  }
  for (int64_t k = 0; k < fewest; k++)
    for (int64_t i = 0; i < rows; i++) {
      double one = seconds[k * rows + i];
      if (!(one >= 0)) continue;
      known[k * capacity + series[i]] += 1;
      micros[k * capacity + series[i]] += (int64_t)rint(numpy_minimum(one, 2000.0) * 1e6);  // LONGEST_DURATION_SECONDS
    }
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

// ---- the window

static int move_totals(const Totals *span, const Packed *packed, int sign) {
  if (packed->length > span->length) {
    PyErr_SetString(PyExc_ValueError, "kernel: totals are too short");
    return -1;
  }
  for (int k = 0; k < TOTALS && packed->length; k++)
    move_column(span->column[k], TOTAL_BYTES[k], packed->numbers[k], packed->width[k], packed->length, sign);
  return 0;
}

// close_requests(values, window, end_ns, tick_seconds, span_seconds, span, entering or None, leaving bytes or None,
// histogram, last, expires or None, phases or None) -> (totals of the window as bytes or None, of its phases or None)
static PyObject *close_requests(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 12) return PyErr_Format(PyExc_TypeError, "close_requests: expected 12 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *packed = NULL, *packed_phases = NULL, *result = NULL;
  int failed = 0;
  double *values = lend(&views, args[0], 'F', 8, 2);
  if (!values) return NULL;
  int64_t rows = last_length(&views, 0), n = last_length(&views, 1);
  int64_t window = PyLong_AsLongLong(args[1]), end_ns = PyLong_AsLongLong(args[2]);
  double tick_seconds = PyFloat_AsDouble(args[3]), span_seconds = PyFloat_AsDouble(args[4]);
  if (PyErr_Occurred()) goto done;
  Totals span = read_totals(args[5], &views, &failed), now = {{NULL}, 0};
  if (!failed && args[6] != Py_None) now = read_totals(args[6], &views, &failed);
  if (failed) goto done;
  Histogram histogram = read_histogram(args[8], &views, n, &failed);
  if (failed) goto done;
  int64_t *last = lend(&views, args[9], 'I', 8, 1);
  if (!last) goto done;
  int64_t last_count = last_length(&views, 0), expires_count = n;
  const int64_t *expires = NULL;
  if (args[10] != Py_None) {
    expires = lend(&views, args[10], 'i', 8, 1);
    if (!expires) goto done;
    expires_count = last_length(&views, 0);
  }
  int has_now = args[6] != Py_None;
  if (rows < 28 || histogram.ratio_count != 3 || span.length < n || last_count < n || expires_count < n ||
      (has_now && now.length < n)) {
    PyErr_SetString(PyExc_ValueError, "close_requests: an array is too short");
    goto done;
  }
  Packed moved;
  packed = Py_None;
  if (has_now) {
    packed = pack(now.column, TOTAL_BYTES, TOTALS, n);
    if (!packed || unpack(packed, TOTALS, &moved) || move_totals(&span, &moved, 1)) goto done;
  } else {
    Py_INCREF(packed);
  }
  if (unpack(args[7], TOTALS, &moved) || move_totals(&span, &moved, -1)) goto done;
  if (tally(&histogram, 0, NULL, 0) || tally(&histogram, 1, NULL, 0)) goto done;
  write_answers(values, n, has_now ? &now : NULL, &span, span_seconds);
  write_quantiles(&histogram, n, values + QUANTILES_AT * n, n, values + 17 * n);
  write_silence(last, values, n, window, tick_seconds, values + 15 * n);
  for (int64_t i = 0; i < n; i++) {
    int known = expires && expires[i] != 0;
    values[16 * n + i] = known ? (double)(expires[i] - end_ns) / 1e9 : not_known();
  }
  packed_phases = close_phases(args[11], &views, values + 18 * n, n);
  if (packed_phases) result = PyTuple_Pack(2, packed, packed_phases);
done:
  Py_XDECREF(packed);
  Py_XDECREF(packed_phases);
  release(&views);
  return result;
}

// close_overall(values, window, tick_seconds, span_seconds, now, span, entering or None, leaving bytes or None,
// origin of each series, histogram, last): the same for all series of each origin; `now` holds zeros and is filled
static PyObject *close_overall(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 11) return PyErr_Format(PyExc_TypeError, "close_overall: expected 11 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *result = NULL;
  int failed = 0;
  double *values = lend(&views, args[0], 'F', 8, 2);
  if (!values) return NULL;
  int64_t rows = last_length(&views, 0), n = last_length(&views, 1);
  int64_t window = PyLong_AsLongLong(args[1]);
  double tick_seconds = PyFloat_AsDouble(args[2]), span_seconds = PyFloat_AsDouble(args[3]);
  if (PyErr_Occurred()) goto done;
  Totals now = read_totals(args[4], &views, &failed), span = {{NULL}, 0}, entering = {{NULL}, 0};
  if (!failed) span = read_totals(args[5], &views, &failed);
  if (!failed && args[6] != Py_None) entering = read_totals(args[6], &views, &failed);
  if (failed) goto done;
  const int64_t *origin = lend(&views, args[8], 'i', 8, 1);
  if (!origin) goto done;
  int64_t series = last_length(&views, 0);
  Histogram histogram = read_histogram(args[9], &views, n, &failed);
  if (failed) goto done;
  int64_t *last = lend(&views, args[10], 'I', 8, 1);
  if (!last) goto done;
  int64_t last_count = last_length(&views, 0);
  if (rows < 16 || histogram.ratio_count != 3 || span.length < n || now.length < n || last_count < n) {
    PyErr_SetString(PyExc_ValueError, "close_overall: an array is too short");
    goto done;
  }
  for (int64_t i = 0; i < series; i++)
    if (origin[i] < 0 || origin[i] >= n) {
      PyErr_SetString(PyExc_ValueError, "close_overall: no such origin");
      goto done;
    }
  int has_now = args[6] != Py_None;
  int64_t known = entering.length < series ? entering.length : series;
  for (int k = 0; k < TOTALS && has_now; k++) {
    for (int64_t i = 0; i < known; i++)
      add_whole(now.column[k], TOTAL_BYTES[k], origin[i], whole_at(entering.column[k], TOTAL_BYTES[k], i));
    for (int64_t i = 0; i < n; i++)
      add_whole(span.column[k], TOTAL_BYTES[k], i, whole_at(now.column[k], TOTAL_BYTES[k], i));
  }
  Packed leaving;
  if (unpack(args[7], TOTALS, &leaving)) goto done;
  known = leaving.length < series ? leaving.length : series;
  for (int k = 0; k < TOTALS && known; k++)
    for (int64_t i = 0; i < known; i++)
      add_whole(span.column[k], TOTAL_BYTES[k], origin[i], -packed_at(leaving.numbers[k], leaving.width[k], i));
  if (tally(&histogram, 0, origin, series) || tally(&histogram, 1, origin, series)) goto done;
  write_answers(values, n, has_now ? &now : NULL, &span, span_seconds);
  write_quantiles(&histogram, n, values + QUANTILES_AT * n, n, NULL);
  write_silence(last, values, n, window, tick_seconds, values + 15 * n);
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

// ---- many windows at once: the same, of windows in a row that know the same series

typedef struct {
  const int16_t *bins;
  const int32_t *series;
  const int64_t *offsets;  // (windows + 1,) where the rows of each window begin
} BinnedWindows;

static BinnedWindows read_binned_windows(PyObject *tuple, Views *views, int64_t windows, int *failed) {
  BinnedWindows binned = {0};
  Reader reader = read_tuple(tuple);
  binned.bins = read_array(&reader, views, 'i', 2, 1);
  int64_t rows = reader.failed ? 0 : last_length(views, 0);
  binned.series = read_array(&reader, views, 'i', 4, 1);
  is_wide(&reader, views, rows);
  binned.offsets = read_array(&reader, views, 'i', 8, 1);
  if (is_wide(&reader, views, windows + 1)) {
    int is_right = binned.offsets[0] >= 0 && binned.offsets[windows] <= rows;
    for (int64_t w = 0; w < windows && is_right; w++) is_right = binned.offsets[w] <= binned.offsets[w + 1];
    if (!is_right) {
      PyErr_SetString(PyExc_ValueError, "kernel: expected offsets that rise within the rows");
      reader.failed = 1;
    }
  }
  *failed |= reader.failed;
  return binned;
}

static void use_rows(Histogram *histogram, int way, const BinnedWindows *binned, int64_t w) {
  histogram->bins[way] = binned->bins + binned->offsets[w];
  histogram->series[way] = binned->series + binned->offsets[w];
  histogram->rows[way] = binned->offsets[w + 1] - binned->offsets[w];
}

// (itemsize, fine, coarse, middles, ratios), whose rows are set window by window
static Histogram read_counts(PyObject *tuple, Views *views, int64_t series, int *failed) {
  Histogram histogram = {0};
  Reader reader = read_tuple(tuple);
  histogram.is_narrow = read_whole(&reader) == 2;
  histogram.fine = read_array(&reader, views, histogram.is_narrow ? 'U' : 'I', histogram.is_narrow ? 2 : 4, 2);
  is_wide(&reader, views, BINS);
  histogram.capacity = reader.failed ? 0 : last_length(views, 0);
  histogram.coarse = read_array(&reader, views, 'I', 4, 2);
  if (is_wide(&reader, views, histogram.capacity) && (last_length(views, 0) < OCTAVES || histogram.capacity < series)) {
    PyErr_SetString(PyExc_ValueError, "kernel: a histogram is too short");
    reader.failed = 1;
  }
  histogram.middles = read_array(&reader, views, 'f', 8, 1);
  is_wide(&reader, views, BINS);
  histogram.ratios = read_array(&reader, views, 'f', 8, 1);
  histogram.ratio_count = reader.failed ? 0 : (int)last_length(views, 0);
  *failed |= reader.failed;
  return histogram;
}

// Totals of all windows, each (windows, width)
static int read_window_totals(PyObject *tuple, Views *views, int64_t windows, int64_t width, void **columns) {
  Reader reader = read_tuple(tuple);
  for (int k = 0; k < TOTALS && !reader.failed; k++) {
    columns[k] = read_array(&reader, views, 'I', TOTAL_BYTES[k], 2);
    if (is_wide(&reader, views, width) && (last_length(views, 0) < windows || last_length(views, 1) != width)) {
      PyErr_SetString(PyExc_ValueError, "kernel: expected totals of every window");
      reader.failed = 1;
    }
  }
  return reader.failed ? -1 : 0;
}

static Totals totals_of_window(void *const *columns, int64_t w, int64_t width) {
  Totals totals = {{NULL}, width};
  for (int k = 0; k < TOTALS; k++) totals.column[k] = (char *)columns[k] + w * width * TOTAL_BYTES[k];
  return totals;
}

// phases: (span, recent, (known, micros) of all windows (5, windows * n), packed bytes that leave the recent ones, those
// that leave the span), the last two a tuple with one or None a window; what has just been packed leaves in its turn
typedef struct {
  Sums span, recent;
  int32_t *known;
  int64_t *micros;
  PyObject *from_recent, *from_span;
  int64_t recent_ticks;
} PhaseWindows;

static int read_phase_windows(PyObject *tuple, Views *views, int64_t windows, int64_t n, PhaseWindows *phases) {
  Reader reader = read_tuple(tuple);
  int failed = 0;
  phases->span = read_sums(read_object(&reader), views, &failed);
  phases->recent = failed ? phases->span : read_sums(read_object(&reader), views, &failed);
  if (failed) return -1;
  phases->known = read_array(&reader, views, 'I', 4, 2);
  is_wide(&reader, views, windows * n);
  int is_right = !reader.failed && last_length(views, 0) == PHASES && last_length(views, 1) == windows * n;
  phases->micros = read_array(&reader, views, 'I', 8, 2);
  is_wide(&reader, views, windows * n);
  is_right = is_right && !reader.failed && last_length(views, 0) == PHASES && last_length(views, 1) == windows * n;
  phases->from_recent = read_object(&reader);
  phases->from_span = read_object(&reader);
  phases->recent_ticks = read_whole(&reader);
  if (reader.failed) return -1;
  is_right = is_right && PyTuple_Check(phases->from_recent) && PyTuple_Size(phases->from_recent) >= windows;
  is_right = is_right && PyTuple_Check(phases->from_span) && PyTuple_Size(phases->from_span) >= windows;
  is_right = is_right && phases->span.length >= n && phases->recent.length >= n && phases->recent_ticks > 0;
  if (is_right) return 0;
  PyErr_SetString(PyExc_ValueError, "kernel: expected phases of every window");
  return -1;
}

// One window of the phases; its packed sums become an item of `packed`.
static int close_phase_window(PhaseWindows *phases, int64_t w, int64_t windows, int64_t n, double *values, PyObject *packed) {
  void *columns[PHASE_COLUMNS];
  for (int k = 0; k < PHASES; k++) {
    columns[k] = phases->known + k * windows * n + w * n;
    columns[PHASES + k] = phases->micros + k * windows * n + w * n;
  }
  PyObject *now = pack(columns, PHASE_BYTES, PHASE_COLUMNS, n);
  Packed moved;
  if (!now || unpack(now, PHASE_COLUMNS, &moved)) {
    Py_XDECREF(now);
    return -1;
  }
  move_sums(&phases->span, &moved, 1);
  move_sums(&phases->recent, &moved, 1);
  if (PyList_SetItem(packed, (Py_ssize_t)w, now)) return -1;
  PyObject *gone = w < phases->recent_ticks ? PyTuple_GetItem(phases->from_recent, (Py_ssize_t)w)
                                            : PyList_GetItem(packed, (Py_ssize_t)(w - phases->recent_ticks));
  if (!gone || unpack(gone, PHASE_COLUMNS, &moved)) return -1;
  move_sums(&phases->recent, &moved, -1);
  gone = PyTuple_GetItem(phases->from_span, (Py_ssize_t)w);
  if (!gone || unpack(gone, PHASE_COLUMNS, &moved)) return -1;
  move_sums(&phases->span, &moved, -1);
  write_means(&phases->span, values, n);
  write_means(&phases->recent, values + PHASES * n, n);
  return 0;
}

// close_request_windows(values (windows, k, n), first window, its end_ns, tick_ns, tick_seconds, span_seconds (windows,),
// span, totals of all windows, bytes that leave a window (a tuple, with None), counts, entering rows, leaving rows, last,
// expires or None, newer expires (windows, n) or None, phases or None) -> (packed totals, packed phases or None), lists
static PyObject *close_request_windows(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 16) return PyErr_Format(PyExc_TypeError, "close_request_windows: expected 16 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *packed = NULL, *packed_phases = NULL, *result = NULL;
  int failed = 0;
  double *values = lend(&views, args[0], 'F', 8, 3);
  if (!values) return NULL;
  int64_t windows = last_length(&views, 0), rows = last_length(&views, 1), n = last_length(&views, 2);
  int64_t first = PyLong_AsLongLong(args[1]), end_ns = PyLong_AsLongLong(args[2]), tick_ns = PyLong_AsLongLong(args[3]);
  double tick_seconds = PyFloat_AsDouble(args[4]);
  if (PyErr_Occurred()) goto done;
  const double *span_seconds = lend(&views, args[5], 'f', 8, 1);
  if (!span_seconds) goto done;
  int is_right = last_length(&views, 0) >= windows && rows >= 28;
  Totals span = read_totals(args[6], &views, &failed);
  void *columns[TOTALS];
  if (failed || read_window_totals(args[7], &views, windows, n, columns)) goto done;
  is_right = is_right && PyTuple_Check(args[8]) && PyTuple_Size(args[8]) >= windows;
  Histogram histogram = read_counts(args[9], &views, n, &failed);
  if (failed) goto done;
  BinnedWindows entering = read_binned_windows(args[10], &views, windows, &failed);
  if (failed) goto done;
  BinnedWindows leaving = read_binned_windows(args[11], &views, windows, &failed);
  if (failed) goto done;
  int64_t *last = lend(&views, args[12], 'I', 8, 1);
  if (!last) goto done;
  is_right = is_right && last_length(&views, 0) >= n;
  int64_t *expires = NULL;
  const int64_t *newer = NULL;
  if (args[13] != Py_None) {
    expires = lend(&views, args[13], 'I', 8, 1);
    if (!expires) goto done;
    is_right = is_right && last_length(&views, 0) >= n;
  }
  if (args[14] != Py_None) {
    newer = lend(&views, args[14], 'i', 8, 2);
    if (!newer) goto done;
    is_right = is_right && expires && last_length(&views, 0) >= windows && last_length(&views, 1) == n;
  }
  PhaseWindows phases;
  if (args[15] != Py_None && read_phase_windows(args[15], &views, windows, n, &phases)) goto done;
  if (!is_right || histogram.ratio_count != 3 || span.length < n) {
    PyErr_SetString(PyExc_ValueError, "close_request_windows: an array is too short");
    goto done;
  }
  packed = PyList_New((Py_ssize_t)windows);
  if (args[15] == Py_None) {
    packed_phases = Py_None;
    Py_INCREF(packed_phases);
  } else {
    packed_phases = PyList_New((Py_ssize_t)windows);
  }
  if (!packed || !packed_phases) goto done;
  for (int64_t w = 0; w < windows; w++) {
    double *into = values + w * rows * n;
    Totals now = totals_of_window(columns, w, n);
    Packed moved;
    PyObject *own = pack(now.column, TOTAL_BYTES, TOTALS, n);
    if (!own) goto done;
    int is_moved = !unpack(own, TOTALS, &moved) && !move_totals(&span, &moved, 1);
    if (PyList_SetItem(packed, (Py_ssize_t)w, own) || !is_moved) goto done;
    PyObject *gone = PyTuple_GetItem(args[8], (Py_ssize_t)w);
    if (!gone || unpack(gone, TOTALS, &moved) || move_totals(&span, &moved, -1)) goto done;
    use_rows(&histogram, 0, &entering, w);
    use_rows(&histogram, 1, &leaving, w);
    if (tally(&histogram, 0, NULL, 0) || tally(&histogram, 1, NULL, 0)) goto done;
    write_answers(into, n, &now, &span, span_seconds[w]);
    write_quantiles(&histogram, n, into + QUANTILES_AT * n, n, into + 17 * n);
    write_silence(last, into, n, first + w, tick_seconds, into + 15 * n);
    for (int64_t i = 0; i < n; i++) {
      if (newer && newer[w * n + i]) expires[i] = newer[w * n + i];
      int known = expires && expires[i] != 0;
      into[16 * n + i] = known ? (double)(expires[i] - (end_ns + w * tick_ns)) / 1e9 : not_known();
    }
    if (args[15] == Py_None)
      for (int64_t i = 0; i < 2 * PHASES * n; i++) into[18 * n + i] = not_known();
    else if (close_phase_window(&phases, w, windows, n, into + 18 * n, packed_phases))
      goto done;
  }
  result = PyTuple_Pack(2, packed, packed_phases);
done:
  Py_XDECREF(packed);
  Py_XDECREF(packed_phases);
  release(&views);
  return result;
}

// close_overall_windows(values (windows, k, n), first window, tick_seconds, span_seconds (windows,), now (windows, width),
// span, totals of all windows, bytes that leave a window (a tuple, with None), origin of each series, counts, entering
// rows, leaving rows, last): the same for all series of each origin; `now` holds zeros and is filled
static PyObject *close_overall_windows(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 13) return PyErr_Format(PyExc_TypeError, "close_overall_windows: expected 13 arguments, got %zd", count);
  Views views = {.count = 0};
  PyObject *result = NULL;
  int failed = 0;
  double *values = lend(&views, args[0], 'F', 8, 3);
  if (!values) return NULL;
  int64_t windows = last_length(&views, 0), rows = last_length(&views, 1), n = last_length(&views, 2);
  int64_t first = PyLong_AsLongLong(args[1]);
  double tick_seconds = PyFloat_AsDouble(args[2]);
  if (PyErr_Occurred()) goto done;
  const double *span_seconds = lend(&views, args[3], 'f', 8, 1);
  if (!span_seconds) goto done;
  int is_right = last_length(&views, 0) >= windows && rows >= 16;
  const int64_t *origin = lend(&views, args[8], 'i', 8, 1);
  if (!origin) goto done;
  int64_t series = last_length(&views, 0);
  void *now_columns[TOTALS], *columns[TOTALS];
  if (read_window_totals(args[4], &views, windows, n, now_columns)) goto done;
  Totals span = read_totals(args[5], &views, &failed);
  if (failed || read_window_totals(args[6], &views, windows, series, columns)) goto done;
  is_right = is_right && PyTuple_Check(args[7]) && PyTuple_Size(args[7]) >= windows;
  Histogram histogram = read_counts(args[9], &views, n, &failed);
  if (failed) goto done;
  BinnedWindows entering = read_binned_windows(args[10], &views, windows, &failed);
  if (failed) goto done;
  BinnedWindows leaving = read_binned_windows(args[11], &views, windows, &failed);
  if (failed) goto done;
  int64_t *last = lend(&views, args[12], 'I', 8, 1);
  if (!last) goto done;
  is_right = is_right && last_length(&views, 0) >= n;
  if (!is_right || histogram.ratio_count != 3 || span.length < n) {
    PyErr_SetString(PyExc_ValueError, "close_overall_windows: an array is too short");
    goto done;
  }
  for (int64_t i = 0; i < series; i++)
    if (origin[i] < 0 || origin[i] >= n) {
      PyErr_SetString(PyExc_ValueError, "close_overall_windows: no such origin");
      goto done;
    }
  for (int64_t w = 0; w < windows; w++) {
    double *into = values + w * rows * n;
    Totals now = totals_of_window(now_columns, w, n), of_series = totals_of_window(columns, w, series);
    for (int k = 0; k < TOTALS; k++) {
      for (int64_t i = 0; i < series; i++)
        add_whole(now.column[k], TOTAL_BYTES[k], origin[i], whole_at(of_series.column[k], TOTAL_BYTES[k], i));
      for (int64_t i = 0; i < n; i++)
        add_whole(span.column[k], TOTAL_BYTES[k], i, whole_at(now.column[k], TOTAL_BYTES[k], i));
    }
    Packed gone;
    PyObject *bytes = PyTuple_GetItem(args[7], (Py_ssize_t)w);
    if (!bytes || unpack(bytes, TOTALS, &gone)) goto done;
    int64_t known = gone.length < series ? gone.length : series;
    for (int k = 0; k < TOTALS && known; k++)
      for (int64_t i = 0; i < known; i++)
        add_whole(span.column[k], TOTAL_BYTES[k], origin[i], -packed_at(gone.numbers[k], gone.width[k], i));
    use_rows(&histogram, 0, &entering, w);
    use_rows(&histogram, 1, &leaving, w);
    if (tally(&histogram, 0, origin, series) || tally(&histogram, 1, origin, series)) goto done;
    write_answers(into, n, &now, &span, span_seconds[w]);
    write_quantiles(&histogram, n, into + QUANTILES_AT * n, n, NULL);
    write_silence(last, into, n, first + w, tick_seconds, into + 15 * n);
  }
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

// ---- horizons

typedef struct {
  double known, mean, time, squares, time_squares, products;
} Moments;

static inline Moments with_block(Moments all, double known, double mean, double time, double squares) {
  double count = all.known + known, share = known / numpy_maximum(count, 1.0), weight = all.known * share;
  double apart = mean - all.mean, time_apart = time - all.time;
  double pull = apart * weight, time_pull = time_apart * weight;  // first, or 0 times an overflow would be NaN
  Moments both = {
      count,
      all.mean + apart * share,
      all.time + time_apart * share,
      all.squares + squares + apart * pull,
      all.time_squares + time_apart * time_pull,
      all.products + time_apart * pull,
  };
  return both;
}

typedef struct {
  char *count, *times;  // (blocks, f, capacity) of whole numbers in `count_bytes` and `times_bytes`
  int count_bytes, times_bytes;
  double *mean, *squares;  // (blocks, f, capacity)
  double *closed;          // (6, f, capacity)
  double *ema, *ema_at;    // (f, capacity)
  int64_t blocks, features, capacity;
  int64_t block_ticks;
} Horizon;

// Whether the array that was lent last has this shape; two dimensions if `blocks` < 0.
static int has_shape(const Reader *reader, const Views *views, int64_t blocks, int64_t features, int64_t capacity) {
  if (reader->failed) return 0;
  const Py_ssize_t *shape = views->held[views->count - 1].shape;
  if (blocks < 0) return shape[0] == features && shape[1] == capacity;
  return shape[0] == blocks && shape[1] == features && shape[2] == capacity;
}

// (count, times, mean, squares, closed, ema, ema_at, block_ticks)
static int read_horizon(PyObject *tuple, Views *views, Horizon *horizon) {
  Reader reader = read_tuple(tuple);
  PyObject *count = read_object(&reader), *times = read_object(&reader);
  horizon->mean = read_array(&reader, views, 'F', 8, 3);
  if (reader.failed) return -1;
  horizon->blocks = last_length(views, 0);
  horizon->features = last_length(views, 1);
  horizon->capacity = last_length(views, 2);
  horizon->squares = read_array(&reader, views, 'F', 8, 3);
  int is_right = has_shape(&reader, views, horizon->blocks, horizon->features, horizon->capacity);
  horizon->closed = read_array(&reader, views, 'F', 8, 3);
  is_right &= has_shape(&reader, views, 6, horizon->features, horizon->capacity);
  horizon->ema = read_array(&reader, views, 'F', 8, 2);
  is_right &= has_shape(&reader, views, -1, horizon->features, horizon->capacity);
  horizon->ema_at = read_array(&reader, views, 'F', 8, 2);
  is_right &= has_shape(&reader, views, -1, horizon->features, horizon->capacity);
  horizon->block_ticks = read_whole(&reader);
  if (reader.failed) return -1;
  if (!is_right || horizon->blocks < 1 || horizon->block_ticks < 1) {
    PyErr_SetString(PyExc_ValueError, "kernel: expected blocks of a horizon");
    return -1;
  }
  horizon->count_bytes = horizon->block_ticks < 256 ? 1 : horizon->block_ticks < 65536 ? 2 : 4;
  horizon->times_bytes = horizon->block_ticks < 16 ? 1 : 2 * horizon->count_bytes;
  horizon->count = lend(views, count, 'U', horizon->count_bytes, 3);
  if (!horizon->count) return -1;
  is_right = has_shape(&reader, views, horizon->blocks, horizon->features, horizon->capacity);
  horizon->times = lend(views, times, 'U', horizon->times_bytes, 3);
  if (!horizon->times) return -1;
  is_right &= has_shape(&reader, views, horizon->blocks, horizon->features, horizon->capacity);
  if (is_right) return 0;
  PyErr_SetString(PyExc_ValueError, "kernel: expected blocks of a horizon");
  return -1;
}

static inline uint64_t unsigned_at(const char *numbers, int bytes, int64_t i) {
  switch (bytes) {
    case 1: return ((const uint8_t *)numbers)[i];
    case 2: return ((const uint16_t *)numbers)[i];
    case 4: return ((const uint32_t *)numbers)[i];
    default: return ((const uint64_t *)numbers)[i];
  }
}

static inline void put_unsigned(char *numbers, int bytes, int64_t i, uint64_t number) {
  switch (bytes) {
    case 1: ((uint8_t *)numbers)[i] = (uint8_t)number; break;
    case 2: ((uint16_t *)numbers)[i] = (uint16_t)number; break;
    case 4: ((uint32_t *)numbers)[i] = (uint32_t)number; break;
    default: ((uint64_t *)numbers)[i] = number;
  }
}

// Sums up the closed blocks before `block`.
static void sum_closed_blocks(Horizon *horizon, int64_t block, int64_t n) {
  const Horizon h = *horizon;
  int64_t plane = h.features * h.capacity;
  for (int64_t f = 0; f < h.features; f++)
    for (int64_t i = 0; i < n; i++) {
      Moments all = {0, 0, 0, 0, 0, 0};
      for (int64_t age = h.blocks - 1; age > 0; age--) {
        int64_t place = (block - age) % h.blocks;
        if (place < 0) place += h.blocks;
        int64_t at = place * plane + f * h.capacity + i;
        double known = (double)unsigned_at(h.count, h.count_bytes, at);
        double time = (double)unsigned_at(h.times, h.times_bytes, at) / numpy_maximum(known, 1.0);
        all = with_block(all, known, h.mean[at], time - (double)(age * h.block_ticks), h.squares[at]);
      }
      double *into = h.closed + f * h.capacity + i;
      into[0] = all.known;
      into[plane] = all.mean;
      into[2 * plane] = all.time;
      into[3 * plane] = all.squares;
      into[4 * plane] = all.time_squares;
      into[5 * plane] = all.products;
    }
}

// turn_horizon(horizon, block, n): sums up the closed blocks before `block`, whose place is emptied already
static PyObject *turn_horizon(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 3) return PyErr_Format(PyExc_TypeError, "turn_horizon: expected 3 arguments, got %zd", count);
  Views views = {.count = 0};
  Horizon h;
  PyObject *result = NULL;
  int64_t block = PyLong_AsLongLong(args[1]), n = PyLong_AsLongLong(args[2]);
  if (PyErr_Occurred() || read_horizon(args[0], &views, &h)) goto done;
  if (n > h.capacity) {
    PyErr_SetString(PyExc_ValueError, "turn_horizon: an array is too short");
    goto done;
  }
  sum_closed_blocks(&h, block, n);
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

typedef struct {
  double half_ticks, least, tick;
} HorizonLimits;

// Learns `n` series from the `first` on, of the features in `rows` of `values`, and writes their statistics there.
static void close_block(Horizon *horizon, int64_t block, int64_t window, const HorizonLimits *limits, double *values,
                        int64_t width, const int64_t *rows, int64_t first, int64_t n, int64_t into) {
  const Horizon h = *horizon;
  const double half_ticks = limits->half_ticks, least = limits->least, tick = limits->tick;
  int64_t place = block % h.blocks, at_tick = window % h.block_ticks, plane = h.features * h.capacity;
  if (place < 0) place += h.blocks;
  if (at_tick < 0) at_tick += h.block_ticks;
  for (int64_t f = 0; f < h.features; f++) {
    const double *row = values + rows[f] * width + first;
    double *out = values + (into + f) * width + first;
    int64_t apart_rows = h.features * width;
    for (int64_t i = 0; i < n; i++) {
      int64_t at = place * plane + f * h.capacity + i, own = f * h.capacity + i;
      double value = row[i];
      int known = isfinite(value) != 0;
      uint64_t times = unsigned_at(h.times, h.times_bytes, at);
      uint64_t counted = unsigned_at(h.count, h.count_bytes, at);
      double mean = h.mean[at], apart = 0.0, again = 0.0;
      if (known) {
        counted++;
        times += (uint64_t)at_tick;
        put_unsigned(h.count, h.count_bytes, at, counted);
        put_unsigned(h.times, h.times_bytes, at, times);
        apart = value - mean;
      }
      mean = mean + apart / (double)(counted > 1 ? counted : 1);
      if (known) again = value - mean;
      double squares = h.squares[at] + apart * again;
      h.mean[at] = mean;
      h.squares[at] = squares;
      if (known) {
        double ema = h.ema[own], passed = (double)window - h.ema_at[own];
        h.ema[own] = ema != ema ? value : ema + passed / (passed + half_ticks) * (value - ema);
        h.ema_at[own] = (double)window;
      }
      double in_block = (double)counted, time = (double)times / numpy_maximum(in_block, 1.0) - 0.0;
      const double *closed = h.closed + own;
      Moments all = {closed[0], closed[plane], closed[2 * plane], closed[3 * plane], closed[4 * plane],
                     closed[5 * plane]};
      all = with_block(all, in_block, mean, time, squares);
      int is_spread = all.known >= 3 && all.time_squares >= all.known * least;
      out[i] = all.known > 0 ? h.ema[own] : not_known();
      out[apart_rows + i] = is_spread ? all.products / all.time_squares / tick : not_known();
      out[2 * apart_rows + i] = all.known > 0 ? all.mean : not_known();
      out[3 * apart_rows + i] = all.known >= 2 ? sqrt(all.squares / all.known) : not_known();
    }
  }
}

// close_horizon(horizon, block, window, half_ticks, least_variance, tick_seconds, values, rows, first, n, into row):
// learns `n` series from the `first` on, of the features in `rows` of `values`, and writes their statistics there
static PyObject *close_horizon(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 11) return PyErr_Format(PyExc_TypeError, "close_horizon: expected 11 arguments, got %zd", count);
  Views views = {.count = 0};
  Horizon h;
  PyObject *result = NULL;
  int64_t block = PyLong_AsLongLong(args[1]), window = PyLong_AsLongLong(args[2]);
  double half_ticks = PyFloat_AsDouble(args[3]), least = PyFloat_AsDouble(args[4]), tick = PyFloat_AsDouble(args[5]);
  int64_t first = PyLong_AsLongLong(args[8]), n = PyLong_AsLongLong(args[9]), into = PyLong_AsLongLong(args[10]);
  if (PyErr_Occurred() || read_horizon(args[0], &views, &h)) goto done;
  double *values = lend(&views, args[6], 'F', 8, 2);
  if (!values) goto done;
  int64_t features = last_length(&views, 0), width = last_length(&views, 1);
  const int64_t *rows = lend(&views, args[7], 'i', 8, 1);
  if (!rows) goto done;
  int is_right = last_length(&views, 0) == h.features && n <= h.capacity && first >= 0 && first + n <= width;
  is_right = is_right && into >= 0 && into + 4 * h.features <= features;
  for (int64_t f = 0; is_right && f < h.features; f++) is_right = rows[f] >= 0 && rows[f] < features;
  if (!is_right) {
    PyErr_SetString(PyExc_ValueError, "close_horizon: an array is too short");
    goto done;
  }
  const HorizonLimits limits = {half_ticks, least, tick};
  close_block(&h, block, window, &limits, values, width, rows, first, n, into);
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

// close_horizon_windows(horizon, window, half_ticks, least_variance, tick_seconds, values (windows, k, width), rows, first,
// n, into row): the same for windows in a row, of which the first lies in the block that the horizon has turned to
static PyObject *close_horizon_windows(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 10) return PyErr_Format(PyExc_TypeError, "close_horizon_windows: expected 10 arguments, got %zd", count);
  Views views = {.count = 0};
  Horizon h;
  PyObject *result = NULL;
  int64_t window = PyLong_AsLongLong(args[1]);
  const HorizonLimits limits = {PyFloat_AsDouble(args[2]), PyFloat_AsDouble(args[3]), PyFloat_AsDouble(args[4])};
  int64_t first = PyLong_AsLongLong(args[7]), n = PyLong_AsLongLong(args[8]), into = PyLong_AsLongLong(args[9]);
  if (PyErr_Occurred() || read_horizon(args[0], &views, &h)) goto done;
  double *values = lend(&views, args[5], 'F', 8, 3);
  if (!values) goto done;
  int64_t windows = last_length(&views, 0), features = last_length(&views, 1), width = last_length(&views, 2);
  const int64_t *rows = lend(&views, args[6], 'i', 8, 1);
  if (!rows) goto done;
  int is_right = last_length(&views, 0) == h.features && n >= 0 && n <= h.capacity && first >= 0 && first + n <= width;
  is_right = is_right && into >= 0 && into + 4 * h.features <= features && h.block_ticks > 0;
  for (int64_t f = 0; is_right && f < h.features; f++) is_right = rows[f] >= 0 && rows[f] < features;
  if (!is_right) {
    PyErr_SetString(PyExc_ValueError, "close_horizon_windows: an array is too short");
    goto done;
  }
  int64_t plane = h.features * h.capacity, before = INT64_MIN;
  for (int64_t w = 0; w < windows; w++) {
    int64_t at_tick = (window + w) % h.block_ticks;
    if (at_tick < 0) at_tick += h.block_ticks;
    int64_t block = (window + w - at_tick) / h.block_ticks;
    if (w && block != before) {
      int64_t place = block % h.blocks;
      if (place < 0) place += h.blocks;
      memset(h.count + place * plane * h.count_bytes, 0, (size_t)(plane * h.count_bytes));
      memset(h.times + place * plane * h.times_bytes, 0, (size_t)(plane * h.times_bytes));
      memset(h.mean + place * plane, 0, (size_t)plane * sizeof *h.mean);
      memset(h.squares + place * plane, 0, (size_t)plane * sizeof *h.squares);
      sum_closed_blocks(&h, block, n);
    }
    before = block;
    close_block(&h, block, window + w, &limits, values + w * features * width, width, rows, first, n, into);
  }
  Py_INCREF(Py_None);
  result = Py_None;
done:
  release(&views);
  return result;
}

#define FAST(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}
PyMethodDef window_features_methods[] = {
    FAST(close_requests),        FAST(close_overall), FAST(close_request_windows), FAST(close_overall_windows),
    FAST(close_horizon_windows), FAST(count_phases),  FAST(turn_horizon),          FAST(close_horizon),
    {NULL, NULL, 0, NULL},
};

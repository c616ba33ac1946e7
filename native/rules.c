// Judges every quiet rule of a table at once, over one window or many in a row: one whose series are all inactive, none of them excluded from learning.
//
// A rule with a score beyond its threshold is left as it was, for Python to judge: that is where alerts are made. The
// formulas are those of aiops_nb/detect/limits and aiops_nb/rules/feature, operation by operation.
#include "views.h"

enum { ROBUST_Z, SILENCE, LEVEL, BURN_RATE };
enum { MOST_ROWS = 16 };
static const double MAD_PER_DEVIATION = 0.6745;
static const int32_t MOST_SEEN = 1 << 30;

typedef struct {
  const double *values;   // (k, n) of the table
  int64_t features, n;    // rows of `values`, series of the table
  const int64_t *places;  // of the m selected series; NULL: all
  int64_t m;
  double threshold;
  const double *row;  // the judged feature
  int least_count;
  const double *least_row[MOST_ROWS];
  double least[MOST_ROWS];
  double *score, *expected, *lower, *upper;
} Rule;

static inline int64_t place_of(const Rule *rule, int64_t i) { return rule->places ? rule->places[i] : i; }

// The judged value: not known where there are too few samples.
static inline double value_of(const Rule *rule, int64_t place) {
  for (int k = 0; k < rule->least_count; k++)
    if (!(rule->least_row[k][place] >= rule->least[k])) return not_known();
  return rule->row[place];
}

static const double *feature_row(Reader *reader, const Rule *rule) {
  int64_t row = read_whole(reader);
  if (reader->failed) return NULL;
  if (row >= 0 && row < rule->features) return rule->values + row * rule->n;
  PyErr_SetString(PyExc_ValueError, "kernel: no such feature");
  reader->failed = 1;
  return NULL;
}

static inline double sign_of(double a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a == 0 ? 0.0 : a; }

// ---- robust_z

typedef struct {
  double *median, *mad;
  int32_t *seen;
  int32_t warmup_ticks;
  double learning_rate, min_deviation, min_deviation_ratio;
  int direction;  // 1 above, -1 below, 0 both
} RobustZ;

static inline double robust_deviation(const RobustZ *z, double median, double mad) {
  double floor_of = numpy_maximum(z->min_deviation, z->min_deviation_ratio * fabs(median));
  return numpy_maximum(mad / MAD_PER_DEVIATION, floor_of);
}

static RobustZ read_robust_z(Reader *reader, Views *views, const Rule *rule) {
  RobustZ z = {0};
  z.median = read_array(reader, views, 'F', 8, 1);
  is_wide(reader, views, rule->m);
  z.mad = read_array(reader, views, 'F', 8, 1);
  is_wide(reader, views, rule->m);
  z.seen = read_array(reader, views, 'I', 4, 1);
  is_wide(reader, views, rule->m);
  z.warmup_ticks = (int32_t)read_whole(reader);
  z.learning_rate = read_number(reader);
  z.min_deviation = read_number(reader);
  z.min_deviation_ratio = read_number(reader);
  z.direction = (int)read_whole(reader);
  return z;
}

// Scores; 0 if Python has to judge. Where the series are still warming up, their values are collected there.
static int robust_score(const RobustZ *z, const Rule *rule) {
  int is_quiet = 1;
  for (int64_t i = 0; i < rule->m; i++) {
    double value = value_of(rule, place_of(rule, i)), median = z->median[i];
    int known = isfinite(value) != 0;
    if (!known) value = not_known();
    if (known && z->seen[i] < z->warmup_ticks) is_quiet = 0;
    double deviation = robust_deviation(z, median, z->mad[i]), distance = value - median;
    double one_sided = z->direction > 0   ? numpy_maximum(distance, 0.0)
                       : z->direction < 0 ? numpy_maximum(-distance, 0.0)
                                          : fabs(distance);
    double score = one_sided / deviation, half_band = rule->threshold * deviation;
    if (score > rule->threshold) is_quiet = 0;
    rule->score[i] = score + 0.0;
    rule->expected[i] = median + 0.0;
    rule->lower[i] = (z->direction > 0 ? not_known() : median - half_band) + 0.0;
    rule->upper[i] = (z->direction < 0 ? not_known() : median + half_band) + 0.0;
  }
  return is_quiet;
}

static void robust_learn(const RobustZ *z, const Rule *rule) {
  for (int64_t i = 0; i < rule->m; i++) {
    double value = value_of(rule, place_of(rule, i));
    if (!isfinite(value)) continue;
    double median = z->median[i], mad = z->mad[i], distance = value - median;
    int32_t seen = z->seen[i];
    double rate = numpy_maximum(z->learning_rate, 1.0 / (double)(seen > 1 ? seen : 1));
    if (seen < MOST_SEEN) z->seen[i] = seen + 1;
    double step = rate * MAD_PER_DEVIATION * robust_deviation(z, median, mad);
    z->median[i] = median + step * sign_of(distance);
    z->mad[i] = numpy_maximum(mad + step * sign_of(fabs(distance) - mad), 0.0);
  }
}

// ---- silence

typedef struct {
  double *longest, *running;
  int32_t *anomalous_ticks, *seen, *heard;
  double times_longest, min_silent_seconds, forget_ratio;
  int32_t warmup_ticks, warmup_heard_ticks, relearn_ticks;
} Silence;

static Silence read_silence(Reader *reader, Views *views, const Rule *rule) {
  Silence silence = {0};
  silence.longest = read_array(reader, views, 'F', 8, 1);
  is_wide(reader, views, rule->m);
  silence.running = read_array(reader, views, 'F', 8, 1);
  is_wide(reader, views, rule->m);
  silence.anomalous_ticks = read_array(reader, views, 'I', 4, 1);
  is_wide(reader, views, rule->m);
  silence.seen = read_array(reader, views, 'I', 4, 1);
  is_wide(reader, views, rule->m);
  silence.heard = read_array(reader, views, 'I', 4, 1);
  is_wide(reader, views, rule->m);
  silence.times_longest = read_number(reader);
  silence.min_silent_seconds = read_number(reader);
  silence.forget_ratio = read_number(reader);
  silence.warmup_ticks = (int32_t)read_whole(reader);
  silence.warmup_heard_ticks = (int32_t)read_whole(reader);
  silence.relearn_ticks = (int32_t)read_whole(reader);
  return silence;
}

static int silence_score(const Silence *silence, const Rule *rule) {
  int is_quiet = 1;
  for (int64_t i = 0; i < rule->m; i++) {
    double value = value_of(rule, place_of(rule, i));
    int is_warm = silence->seen[i] >= silence->warmup_ticks && silence->heard[i] >= silence->warmup_heard_ticks;
    double longest = is_warm ? silence->longest[i] : not_known();
    double limit = numpy_maximum(silence->times_longest * longest, silence->min_silent_seconds);
    double score = isfinite(value) ? numpy_maximum(value, 0.0) / limit : not_known();
    if (score > rule->threshold) is_quiet = 0;
    rule->score[i] = score + 0.0;
    rule->expected[i] = not_known();
    rule->lower[i] = not_known();
    rule->upper[i] = limit * rule->threshold + 0.0;
  }
  return is_quiet;
}

static void silence_learn(const Silence *silence, const Rule *rule) {
  double kept = 1 - silence->forget_ratio;
  for (int64_t i = 0; i < rule->m; i++) {
    double value = value_of(rule, place_of(rule, i)), longest = silence->longest[i];
    int known = isfinite(value) != 0, ended = known && value < silence->running[i];
    if (known) longest *= kept;
    if (ended && silence->anomalous_ticks[i] == 0) longest = numpy_maximum(longest, silence->running[i]);
    if (silence->anomalous_ticks[i] >= silence->relearn_ticks) longest = INFINITY;
    if (ended && isinf(longest)) {
      longest = 0;
      silence->seen[i] = silence->heard[i] = 0;
    }
    silence->longest[i] = longest;
    silence->seen[i] += known;
    silence->heard[i] += known && value == 0;
    if (ended) silence->anomalous_ticks[i] = 0;
    if (known) silence->running[i] = value;
  }
}

// ---- level and burn rate, which learn nothing

static const double FARTHEST = 1e9;

static int level_score(double limit, int is_above, const Rule *rule) {
  int is_quiet = 1;
  double bound = limit * (is_above ? rule->threshold : 1 / rule->threshold);
  for (int64_t i = 0; i < rule->m; i++) {
    double value = value_of(rule, place_of(rule, i)), score;
    if (!isfinite(value)) value = not_known();
    if (is_above) score = numpy_maximum(value / limit, 0.0);
    else if (value > 0) score = numpy_minimum(limit / value, FARTHEST);
    else score = value != value ? not_known() : FARTHEST;
    if (score > rule->threshold) is_quiet = 0;
    rule->score[i] = score + 0.0;
    rule->expected[i] = not_known();
    rule->lower[i] = is_above ? not_known() : bound + 0.0;
    rule->upper[i] = is_above ? bound + 0.0 : not_known();
  }
  return is_quiet;
}

typedef struct {
  const double *short_row, *count_row;
  double budget, min_count, min_errors;
} BurnRate;

static int burn_score(const BurnRate *burn, const Rule *rule) {
  int is_quiet = 1;
  for (int64_t i = 0; i < rule->m; i++) {
    int64_t place = place_of(rule, i);
    double longer = value_of(rule, place), shorter = burn->short_row[place], count = burn->count_row[place];
    for (int k = 0; k < rule->least_count; k++)
      if (!(rule->least_row[k][place] >= rule->least[k])) shorter = count = not_known();
    double rate = longer * count >= burn->min_errors ? numpy_minimum(longer, shorter) / burn->budget : 0.0;
    double score = isfinite(longer) && isfinite(shorter) && count >= burn->min_count ? rate : not_known();
    if (score > rule->threshold) is_quiet = 0;
    rule->score[i] = score + 0.0;
    rule->expected[i] = rule->lower[i] = not_known();
    rule->upper[i] = rule->threshold * burn->budget + 0.0;
  }
  return is_quiet;
}

// ---- what a rule learns apart from its detector

enum { PHASE_WARMUP_TICKS = 30, PHASE_SLOW_TICKS = 300 };

typedef struct {
  const int64_t *rows;  // of the table; NULL: none
  int64_t parts, capacity;
  double *now, *baseline;
  int32_t *learned;
} Phases;

// phases: (rows of the table, now (parts, capacity), baseline, learned) or None
static int read_phases(PyObject *tuple, Views *views, const Rule *rule, Phases *phases) {
  phases->rows = NULL;
  if (tuple == Py_None) return 0;
  Reader reader = read_tuple(tuple);
  const int64_t *rows = read_array(&reader, views, 'i', 8, 1);
  phases->parts = reader.failed ? 0 : last_length(views, 0);
  phases->now = read_array(&reader, views, 'F', 8, 2);
  is_wide(&reader, views, rule->m);
  int is_right = !reader.failed && last_length(views, 0) >= phases->parts;
  phases->capacity = reader.failed ? 0 : last_length(views, 1);
  phases->baseline = read_array(&reader, views, 'F', 8, 2);
  is_wide(&reader, views, phases->capacity);
  is_right = is_right && !reader.failed && last_length(views, 0) >= phases->parts && last_length(views, 1) == phases->capacity;
  phases->learned = read_array(&reader, views, 'I', 4, 2);
  is_wide(&reader, views, phases->capacity);
  if (reader.failed) return -1;
  is_right = is_right && last_length(views, 0) >= phases->parts && last_length(views, 1) == phases->capacity;
  if (!is_right) {
    PyErr_SetString(PyExc_ValueError, "kernel: expected the state of every part");
    return -1;
  }
  phases->rows = rows;
  return 0;
}

static void learn_phases(const Phases *phases, const Rule *rule) {
  if (!phases->rows) return;
  for (int64_t part = 0; part < phases->parts; part++) {
    if (phases->rows[part] < 0 || phases->rows[part] >= rule->features) continue;
    const double *row = rule->values + phases->rows[part] * rule->n;
    for (int64_t i = 0; i < rule->m; i++) {
      double value = row[place_of(rule, i)];
      if (value != value) continue;
      int64_t at = part * phases->capacity + i;
      phases->now[at] = value;
      int32_t count = ++phases->learned[at];
      double start = count == 1 ? value : phases->baseline[at];
      int32_t bounded = count < 1 ? 1 : count > PHASE_SLOW_TICKS ? PHASE_SLOW_TICKS : count;
      double rate = 1.0 / (double)bounded, learnable = value;
      if (count > PHASE_WARMUP_TICKS) learnable = numpy_minimum(value, 2 * start);
      phases->baseline[at] = start + rate * (learnable - start);
    }
  }
}

typedef struct {
  const double *hits, *of;
  double *recent;  // (2, capacity); NULL: no significance test
  int64_t capacity;
} Significance;

// significance: (row of the hits, row of all, recent (2, capacity)) or None
static int read_significance(PyObject *tuple, Views *views, const Rule *rule, Significance *significance) {
  significance->recent = NULL;
  if (tuple == Py_None) return 0;
  Reader reader = read_tuple(tuple);
  significance->hits = feature_row(&reader, rule);
  significance->of = feature_row(&reader, rule);
  double *recent = read_array(&reader, views, 'F', 8, 2);
  if (!is_wide(&reader, views, rule->m)) return -1;
  if (last_length(views, 0) < 2) {
    PyErr_SetString(PyExc_ValueError, "kernel: an array is too short");
    return -1;
  }
  significance->capacity = last_length(views, 1);
  significance->recent = recent;
  return 0;
}

static void learn_significance(const Significance *significance, const Rule *rule) {
  if (!significance->recent) return;
  for (int64_t i = 0; i < rule->m; i++) {
    int64_t place = place_of(rule, i);
    int known = significance->of[place] > 0;
    significance->recent[i] += known ? significance->hits[place] / significance->of[place] : 0.0;
    significance->recent[significance->capacity + i] += known;
  }
}

typedef struct {
  Rule rule;
  int kind, is_above;
  RobustZ z;
  Silence silence;
  double limit;
  BurnRate burn;
  Phases phases;
  Significance significance;
} Judge;

// The rule: (kind, places or None, row of the feature, ((row, least), ...), threshold, detector, phases, significance)
static int read_judge(PyObject *spec, Views *views, Judge *judge) {
  Rule *const rule = &judge->rule;
  Reader reader = read_tuple(spec);
  judge->kind = (int)read_whole(&reader);
  PyObject *places = read_object(&reader);
  rule->places = NULL;
  rule->m = rule->n;
  if (places && places != Py_None) {
    rule->places = lend(views, places, 'i', 8, 1);
    if (!rule->places) return -1;
    rule->m = last_length(views, 0);
    for (int64_t i = 0; i < rule->m; i++)
      if (rule->places[i] < 0 || rule->places[i] >= rule->n) {
        PyErr_SetString(PyExc_ValueError, "kernel: no such series");
        return -1;
      }
    if (rule->m > rule->n) {
      PyErr_SetString(PyExc_ValueError, "kernel: expected each series once");
      return -1;
    }
  }
  rule->row = feature_row(&reader, rule);
  PyObject *least = read_object(&reader);
  rule->threshold = read_number(&reader);
  PyObject *detector = read_object(&reader), *phases = read_object(&reader), *significance = read_object(&reader);
  if (reader.failed) return -1;
  Reader pairs = read_tuple(least);
  rule->least_count = pairs.failed ? 0 : (int)PyTuple_Size(least) / 2;
  if (rule->least_count > MOST_ROWS) {
    PyErr_SetString(PyExc_ValueError, "kernel: too many features");
    return -1;
  }
  for (int k = 0; k < rule->least_count; k++) {
    rule->least_row[k] = feature_row(&pairs, rule);
    rule->least[k] = read_number(&pairs);
  }
  if (pairs.failed) return -1;
  Reader own = read_tuple(detector);
  if (judge->kind == ROBUST_Z) {
    judge->z = read_robust_z(&own, views, rule);
  } else if (judge->kind == SILENCE) {
    judge->silence = read_silence(&own, views, rule);
  } else if (judge->kind == LEVEL) {
    judge->limit = read_number(&own);
    judge->is_above = (int)read_whole(&own);
  } else if (judge->kind == BURN_RATE) {
    judge->burn.short_row = feature_row(&own, rule);
    judge->burn.count_row = feature_row(&own, rule);
    judge->burn.budget = read_number(&own);
    judge->burn.min_count = read_number(&own);
    judge->burn.min_errors = read_number(&own);
  }
  if (own.failed) return -1;
  if (read_phases(phases, views, rule, &judge->phases)) return -1;
  return read_significance(significance, views, rule, &judge->significance);
}

// Judges one window, with `out` (4, n) for the scores; 0: it is left as it was, for Python.
static int judge_window(Judge *judge, double *out) {
  Rule *const rule = &judge->rule;
  rule->score = out;
  rule->expected = out + rule->n;
  rule->lower = out + 2 * rule->n;
  rule->upper = out + 3 * rule->n;
  int is_quiet = 0;
  if (judge->kind == ROBUST_Z) {
    is_quiet = robust_score(&judge->z, rule);
    if (is_quiet) robust_learn(&judge->z, rule);
  } else if (judge->kind == SILENCE) {
    is_quiet = silence_score(&judge->silence, rule);
    if (is_quiet) silence_learn(&judge->silence, rule);
  } else if (judge->kind == LEVEL) {
    is_quiet = level_score(judge->limit, judge->is_above, rule);
  } else if (judge->kind == BURN_RATE) {
    is_quiet = burn_score(&judge->burn, rule);
  }
  if (!is_quiet) return 0;
  learn_phases(&judge->phases, rule);
  learn_significance(&judge->significance, rule);
  return 1;
}

// Moves all that points into the table on to its next window, `step` numbers further.
static void next_window(Judge *judge, int64_t step) {
  Rule *const rule = &judge->rule;
  rule->values += step;
  rule->row += step;
  for (int k = 0; k < rule->least_count; k++) rule->least_row[k] += step;
  if (judge->kind == BURN_RATE) {
    judge->burn.short_row += step;
    judge->burn.count_row += step;
  }
  if (judge->significance.recent) {
    judge->significance.hits += step;
    judge->significance.of += step;
  }
}

// judge_windows(values (windows, k, n), rules: (spec, most windows) or None for each, out (rules, windows, 4, n)) -> how
// many windows of each rule were judged, from the first on: a tuple
static PyObject *judge_windows(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 3 || !PyTuple_Check(args[1])) return PyErr_Format(PyExc_TypeError, "judge_windows: expected 3 arguments");
  Views views = {.count = 0};
  PyObject *result = NULL;
  const double *values = lend(&views, args[0], 'f', 8, 3);
  if (!values) return NULL;
  int64_t windows = last_length(&views, 0), features = last_length(&views, 1), n = last_length(&views, 2);
  double *out = lend(&views, args[2], 'F', 8, 4);
  if (!out) goto done;
  const Py_ssize_t *shape = views.held[views.count - 1].shape;
  Py_ssize_t rules = PyTuple_Size(args[1]);
  if (shape[0] < rules || shape[1] != windows || shape[2] != 4 || shape[3] != n) {
    PyErr_SetString(PyExc_ValueError, "judge_windows: expected scores for each rule and window");
    goto done;
  }
  PyObject *judged = PyTuple_New(rules);
  if (!judged) goto done;
  int kept = views.count;
  for (Py_ssize_t at = 0; at < rules; at++) {
    PyObject *item = PyTuple_GetItem(args[1], at);
    int64_t done = 0;
    if (item != Py_None) {
      Judge judge = {0};
      judge.rule.values = values;
      judge.rule.features = features;
      judge.rule.n = n;
      Reader reader = read_tuple(item);
      PyObject *spec = read_object(&reader);
      int64_t most = read_whole(&reader);
      int is_read = !reader.failed && !read_judge(spec, &views, &judge);
      double *of_rule = out + at * windows * 4 * n;
      if (is_read) {
        for (; done < windows && done < most; done++) {
          if (done) next_window(&judge, features * n);
          if (!judge_window(&judge, of_rule + done * 4 * n)) break;
        }
      }
      while (views.count > kept) PyBuffer_Release(&views.held[--views.count]);
      if (!is_read) {
        Py_DECREF(judged);
        goto done;
      }
    }
    PyObject *number = PyLong_FromLongLong(done);
    if (!number || PyTuple_SetItem(judged, at, number)) {
      Py_DECREF(judged);
      goto done;
    }
  }
  result = judged;
done:
  release(&views);
  return result;
}

PyMethodDef rules_methods[] = {
    {"judge_windows", (PyCFunction)(void (*)(void))judge_windows, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

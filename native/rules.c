// Judges every quiet rule of a table at once: one whose series are all inactive, none of them excluded from learning.
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

// phases: (rows of the table, now (parts, capacity), baseline, learned)
static int learn_phases(PyObject *phases, Views *views, const Rule *rule) {
  if (phases == Py_None) return 0;
  Reader reader = read_tuple(phases);
  const int64_t *rows = read_array(&reader, views, 'i', 8, 1);
  int64_t parts = reader.failed ? 0 : last_length(views, 0);
  double *now = read_array(&reader, views, 'F', 8, 2);
  is_wide(&reader, views, rule->m);
  int64_t capacity = reader.failed ? 0 : last_length(views, 1);
  double *baseline = read_array(&reader, views, 'F', 8, 2);
  is_wide(&reader, views, capacity);
  int32_t *learned = read_array(&reader, views, 'I', 4, 2);
  is_wide(&reader, views, capacity);
  if (reader.failed) return -1;
  for (int64_t part = 0; part < parts; part++) {
    if (rows[part] < 0 || rows[part] >= rule->features) continue;
    const double *row = rule->values + rows[part] * rule->n;
    for (int64_t i = 0; i < rule->m; i++) {
      double value = row[place_of(rule, i)];
      if (value != value) continue;
      int64_t at = part * capacity + i;
      now[at] = value;
      int32_t count = ++learned[at];
      double start = count == 1 ? value : baseline[at];
      int32_t bounded = count < 1 ? 1 : count > PHASE_SLOW_TICKS ? PHASE_SLOW_TICKS : count;
      double rate = 1.0 / (double)bounded, learnable = value;
      if (count > PHASE_WARMUP_TICKS) learnable = numpy_minimum(value, 2 * start);
      baseline[at] = start + rate * (learnable - start);
    }
  }
  return 0;
}

// significance: (row of the hits, row of all, recent (2, capacity))
static int learn_significance(PyObject *significance, Views *views, const Rule *rule) {
  if (significance == Py_None) return 0;
  Reader reader = read_tuple(significance);
  const double *hits = feature_row(&reader, rule), *of = feature_row(&reader, rule);
  double *recent = read_array(&reader, views, 'F', 8, 2);
  is_wide(&reader, views, rule->m);
  if (reader.failed) return -1;
  int64_t capacity = last_length(views, 1);
  for (int64_t i = 0; i < rule->m; i++) {
    int64_t place = place_of(rule, i);
    int known = of[place] > 0;
    recent[i] += known ? hits[place] / of[place] : 0.0;
    recent[capacity + i] += known;
  }
  return 0;
}

// The rule: (kind, places or None, row of the feature, ((row, least), ...), threshold, detector, phases, significance)
static int judge_rule(PyObject *spec, Views *views, Rule *rule, double *out) {
  Reader reader = read_tuple(spec);
  int kind = (int)read_whole(&reader);
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
  rule->score = out;
  rule->expected = out + rule->n;
  rule->lower = out + 2 * rule->n;
  rule->upper = out + 3 * rule->n;
  Reader own = read_tuple(detector);
  int is_quiet = 0;
  if (kind == ROBUST_Z) {
    RobustZ z = read_robust_z(&own, views, rule);
    if (own.failed) return -1;
    is_quiet = robust_score(&z, rule);
    if (is_quiet) robust_learn(&z, rule);
  } else if (kind == SILENCE) {
    Silence silence = read_silence(&own, views, rule);
    if (own.failed) return -1;
    is_quiet = silence_score(&silence, rule);
    if (is_quiet) silence_learn(&silence, rule);
  } else if (kind == LEVEL) {
    double limit = read_number(&own);
    int is_above = (int)read_whole(&own);
    if (own.failed) return -1;
    is_quiet = level_score(limit, is_above, rule);
  } else if (kind == BURN_RATE) {
    BurnRate burn = {0};
    burn.short_row = feature_row(&own, rule);
    burn.count_row = feature_row(&own, rule);
    burn.budget = read_number(&own);
    burn.min_count = read_number(&own);
    burn.min_errors = read_number(&own);
    if (own.failed) return -1;
    is_quiet = burn_score(&burn, rule);
  }
  if (!is_quiet) return 0;
  if (learn_phases(phases, views, rule) || learn_significance(significance, views, rule)) return -1;
  return 1;
}

// judge_rules(values (k, n), rules: a tuple or None for each, out (rules, 4, n)) -> which were judged, a bit each
static PyObject *judge_rules(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  (void)self;
  if (count != 3 || !PyTuple_Check(args[1])) return PyErr_Format(PyExc_TypeError, "judge_rules: expected 3 arguments");
  Views views = {.count = 0};
  Rule rule = {0};
  PyObject *result = NULL;
  rule.values = lend(&views, args[0], 'f', 8, 2);
  if (!rule.values) return NULL;
  rule.features = last_length(&views, 0);
  rule.n = last_length(&views, 1);
  double *out = lend(&views, args[2], 'F', 8, 3);
  Py_ssize_t rules = PyTuple_Size(args[1]);
  if (!out) goto done;
  if (rules > 64 || last_length(&views, 0) < rules || last_length(&views, 1) != 4 || last_length(&views, 2) != rule.n) {
    PyErr_SetString(PyExc_ValueError, "judge_rules: expected scores for each rule, of at most 64");
    goto done;
  }
  unsigned long long judged = 0;
  int kept = views.count;
  for (Py_ssize_t at = 0; at < rules; at++) {
    PyObject *spec = PyTuple_GetItem(args[1], at);
    if (spec == Py_None) continue;
    int done = judge_rule(spec, &views, &rule, out + at * 4 * rule.n);
    while (views.count > kept) PyBuffer_Release(&views.held[--views.count]);
    if (done < 0) goto done;
    judged |= (unsigned long long)done << at;
  }
  result = PyLong_FromUnsignedLongLong(judged);
done:
  release(&views);
  return result;
}

PyMethodDef rules_methods[] = {
    {"judge_rules", (PyCFunction)(void (*)(void))judge_rules, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

// Reads the parts of a JSON line. Every function looks at bytes in [at, end) only and gives where it stopped, or NULL
// where the text is not of the plain kind: the caller then leaves the lines to msgspec.
#ifndef AIOPS_NB_JSON_SCAN_H
#define AIOPS_NB_JSON_SCAN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__) && !defined(KERNEL_SCALAR)
#include <emmintrin.h>
#define HAS_SSE2 1
#endif

static inline int is_digit(char letter) { return (unsigned)(letter - '0') < 10; }

// Blanks within a line: a line end is no blank here.
static inline const char *skip_blanks(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
  return at;
}

// The closing quote of a string that holds no escape, no control character and no byte above ASCII.
static inline const char *string_end(const char *at, const char *end) {
#ifdef HAS_SSE2
  const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
    const __m128i refused = _mm_or_si128(bytes, _mm_or_si128(_mm_cmpeq_epi8(bytes, escape), is_control));
    const unsigned quotes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote));
    const unsigned others = (unsigned)_mm_movemask_epi8(refused);  // the sign bit is set above ASCII
    if (quotes | others) {
      if (!quotes) return NULL;
      const int first = __builtin_ctz(quotes);
      return (others & ((1u << first) - 1)) ? NULL : at + first;
    }
  }
#endif
  for (; at < end; at++) {
    const unsigned char letter = (unsigned char)*at;
    if (letter == '"') return at;
    if (letter == '\\' || letter < 0x20 || letter >= 0x80) return NULL;
  }
  return NULL;
}

static const double POWERS_OF_TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// A JSON number >= 0, correctly rounded. Exact where digits and power of ten are (Clinger 1990); else by strtod, which
// refuses a point where the locale has another one.
static inline const char *scan_number(const char *at, const char *end, double *value) {
  const char *const start = at;
  uint64_t digits = 0;
  int count = 0, power = 0;
  if (at >= end) return NULL;
  if (*at == '0') {
    at++;
    count = 1;
  } else {
    for (; at < end && is_digit(*at); at++, count++) digits = digits * 10 + (uint64_t)(*at - '0');
    if (!count) return NULL;
  }
  if (at < end && *at == '.') {
    const char *const fraction = ++at;
    for (; at < end && is_digit(*at); at++, count++) digits = digits * 10 + (uint64_t)(*at - '0');
    if (at == fraction) return NULL;
    if (at - fraction > 40) return NULL;
    power = -(int)(at - fraction);
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    int exponent = 0, sign = 1;
    at++;
    if (at < end && (*at == '+' || *at == '-')) sign = *at++ == '-' ? -1 : 1;
    const char *const first = at;
    for (; at < end && is_digit(*at); at++)
      if (exponent < 10000) exponent = exponent * 10 + (*at - '0');
    if (at == first) return NULL;
    power += sign * exponent;
  }
  if (count <= 19 && digits <= (1ull << 53) && power >= -22 && power <= 22) {
    *value = power < 0 ? (double)digits / POWERS_OF_TEN[-power] : (double)digits * POWERS_OF_TEN[power];
    return at;
  }
  char copy[64];
  const size_t length = (size_t)(at - start);
  if (length >= sizeof copy) return NULL;
  memcpy(copy, start, length);
  copy[length] = 0;
  char *stop;
  *value = strtod(copy, &stop);
  return stop == copy + length && isfinite(*value) ? at : NULL;
}

// A JSON integer >= 0 of at most 18 digits.
static inline const char *scan_integer(const char *at, const char *end, int64_t *value) {
  int64_t digits = 0;
  int count = 0;
  if (at < end && *at == '0') {
    at++;
    count = 1;
  } else {
    for (; at < end && is_digit(*at) && count < 18; at++, count++) digits = digits * 10 + (*at - '0');
  }
  if (!count || (at < end && (is_digit(*at) || *at == '.' || *at == 'e' || *at == 'E'))) return NULL;
  *value = digits;
  return at;
}

#endif

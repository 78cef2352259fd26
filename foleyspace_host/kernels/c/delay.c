/* A fractional delay line whose delay slides; see render/delay.py. */

#include <math.h>
#include <string.h>

#include "kernels.h"

enum { HALF = N_TAPS / 2, LONGEST_RUN = 128, SHORTEST_RUN = 16 };

static const double MAX_DRIFT = 0.125; /* samples per run: a parabola then follows each tap to -74 dB at 16 kHz */

static void taps_at(double fraction, const float *table, float *restrict taps) {
    const double row = fraction * PHASES + PHASES / 4;
    const int64_t low = (int64_t)row;
    const float part = (float)(row - (double)low);
    const float *restrict early = table + low * N_TAPS, *restrict late = early + N_TAPS;
    for (int k = 0; k < N_TAPS; k++) taps[k] = early[k] + part * (late[k] - early[k]);
}

/* Filter `count` samples from x[0] on by steady taps, `WIDTH` at a time, and return how many were done. A width has
   as many sums in flight as registers hold. */
#define STEADY(NAME, WIDTH)                                                                                            \
    static int64_t NAME(const float *restrict x, const float *restrict taps, float *restrict out, int64_t count) {     \
        int64_t n = 0;                                                                                                 \
        for (; n + WIDTH <= count; n += WIDTH) {                                                                       \
            float sum[WIDTH] = {0};                                                                                    \
            for (int k = 0; k < N_TAPS; k++)                                                                           \
                for (int j = 0; j < WIDTH; j++) sum[j] += taps[k] * x[n + k + j];                                      \
            for (int j = 0; j < WIDTH; j++) out[n + j] += sum[j];                                                      \
        }                                                                                                              \
        return n;                                                                                                      \
    }
STEADY(steady_wide, 64)
STEADY(steady, 16)

/* The same with each tap a parabola flat + rise s + bend s^2; s goes by `step` and is 0 at sample `middle`. */
#define SLIDING(NAME, WIDTH)                                                                                           \
    static int64_t NAME(const float *restrict x, const float *restrict taps, int64_t middle, float step,               \
                        float *restrict out, int64_t count) {                                                          \
        int64_t n = 0;                                                                                                 \
        for (; n + WIDTH <= count; n += WIDTH) {                                                                       \
            float flat[WIDTH] = {0}, rise[WIDTH] = {0}, bend[WIDTH] = {0};                                             \
            for (int k = 0; k < N_TAPS; k++) {                                                                         \
                for (int j = 0; j < WIDTH; j++) {                                                                      \
                    flat[j] += taps[k] * x[n + k + j];                                                                 \
                    rise[j] += taps[N_TAPS + k] * x[n + k + j];                                                        \
                    bend[j] += taps[2 * N_TAPS + k] * x[n + k + j];                                                    \
                }                                                                                                      \
            }                                                                                                          \
            for (int j = 0; j < WIDTH; j++) {                                                                          \
                const float s = (float)((int32_t)(n - middle) + j) * step;                                             \
                out[n + j] += flat[j] + s * (rise[j] + s * bend[j]);                                                   \
            }                                                                                                          \
        }                                                                                                              \
        return n;                                                                                                      \
    }
SLIDING(sliding_wide, 32)
SLIDING(sliding, 16)

/* Add the values at point, point + (1 - slope), ... to `out`: `count` of them, a multiple of 16, for a small slope.
   Returns -1 where the line ends before. */
static int32_t run(const float *line, int64_t n_line, double point, double slope, const float *table, float *out,
                   int64_t count) {
    const int64_t half = count / 2;
    const double middle = point - slope * (double)half;
    if (!(middle >= HALF - 1 && middle < (double)n_line)) return -1;
    const int64_t index = (int64_t)middle; /* not negative */
    const int64_t start = index - (HALF - 1);
    if (start + N_TAPS - 1 + count > n_line) return -1;
    const float *const x = line + start;
    const double fraction = middle - (double)index;
    float taps[3 * N_TAPS], early[N_TAPS], late[N_TAPS];
    taps_at(fraction, table, taps);
    if (slope == 0.0) {
        const int64_t done = steady_wide(x, taps, out, count);
        steady(x + done, taps, out + done, count - done);
        return 0;
    }
    taps_at(fraction + slope * (double)half, table, early); /* s = -1 */
    taps_at(fraction - slope * (double)half, table, late);  /* s = 1 */
    for (int k = 0; k < N_TAPS; k++) {
        taps[N_TAPS + k] = 0.5f * (late[k] - early[k]);
        taps[2 * N_TAPS + k] = 0.5f * (late[k] + early[k]) - taps[k];
    }
    const float step = 1.0f / (float)half;
    const int64_t done = sliding_wide(x, taps, half, step, out, count);
    sliding(x + done, taps, half - done, step, out + done, count - done);
    return 0;
}

/* Add the value at one point. */
static int32_t single(const float *line, int64_t n_line, double point, const float *table, float *out) {
    if (!(point >= HALF - 1 && point < (double)n_line)) return -1;
    const int64_t index = (int64_t)point, start = index - (HALF - 1);
    if (start + N_TAPS > n_line) return -1;
    float taps[N_TAPS], total = 0.0f;
    taps_at(point - (double)index, table, taps);
    for (int k = 0; k < N_TAPS; k++) total += taps[k] * line[start + k];
    *out += total;
    return 0;
}

/* The first `count` of `length` values, `length` at most LONGEST_RUN, weighted by a cosine that falls (side 1) or
   rises (side -1) over the hop, or not at all (side 0). */
static int32_t part_of_run(const float *line, int64_t n_line, double point, double slope, const float *table,
                           float *out, int64_t length, int64_t count, double side, int64_t start, int64_t hop) {
    float whole[LONGEST_RUN];
    memset(whole, 0, sizeof whole);
    if (run(line, n_line, point, slope, table, whole, length)) return -1;
    for (int64_t n = 0; n < count; n++) {
        const double angle = 3.14159265358979323846 * (double)(start + n) / (double)hop;
        out[n] += side == 0.0 ? whole[n] : (float)(0.5 + side * 0.5 * cos(angle)) * whole[n];
    }
    return 0;
}

int32_t fs_read_delayed(const float *line, int64_t n_line, int64_t origin, int64_t first, int64_t hop,
                        const double *delay, int64_t delay_step, const uint8_t *jump, int64_t n_intervals,
                        const float *table, float *out, int64_t n_out) {
    if (hop < SHORTEST_RUN || hop % SHORTEST_RUN) return -2;
    for (int64_t interval = 0; interval < n_intervals; interval++) {
        const double here = delay[interval * delay_step], there = delay[(interval + 1) * delay_step];
        const double slope = (there - here) / (double)hop;
        int64_t length = hop < LONGEST_RUN ? hop : LONGEST_RUN;
        while (hop % length) length -= SHORTEST_RUN;
        while (length % (2 * SHORTEST_RUN) == 0 && fabs(slope) * (double)length > MAX_DRIFT) length /= 2;
        const int is_steady = fabs(slope) * (double)length <= MAX_DRIFT;
        for (int64_t start = 0; start < hop; start += length) {
            const int64_t begin = interval * hop + start;
            if (begin >= n_out) return 0;
            const int64_t count = length < n_out - begin ? length : n_out - begin;
            const double position = (double)(first + begin - origin);
            const double point = position - (here + slope * (double)start);
            float *const target = out + begin;
            int32_t failed = 0;
            if (jump[interval]) {
                failed = part_of_run(line, n_line, position - here, 0.0, table, target, length, count, 1.0, start, hop)
                         || part_of_run(line, n_line, position - there, 0.0, table, target, length, count, -1.0, start, hop);
            } else if (!is_steady) {
                for (int64_t n = 0; n < count && !failed; n++)
                    failed = single(line, n_line, point + (double)n * (1.0 - slope), table, target + n);
            } else if (count == length) {
                failed = run(line, n_line, point, slope, table, target, length);
            } else {
                failed = part_of_run(line, n_line, point, slope, table, target, length, count, 0.0, start, hop);
            }
            if (failed) return -1;
        }
    }
    return 0;
}

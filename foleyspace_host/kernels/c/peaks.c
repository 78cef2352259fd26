/* Largest magnitudes: of the samples, and between them. */

#include <string.h>

#include "kernels.h"

enum { RUN = 256, WIDTH = 32 };

static int32_t magnitude_bits(const float *sample) {
    int32_t bits;
    memcpy(&bits, sample, sizeof bits);
    return bits & 0x7fffffff;
}

/* Largest magnitude. Infinite and NaN count as larger than all numbers: their bits are. */
float fs_largest(const float *samples, int64_t n_samples) {
    int32_t largest = 0;
    for (int64_t n = 0; n < n_samples; n++) {
        const int32_t bits = magnitude_bits(samples + n);
        largest = bits > largest ? bits : largest;
    }
    float result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

static float magnitude(float value) { return value < 0.0f ? -value : value; }

static float peak_of(const float *restrict x, int64_t count, const float *restrict taps) {
    float found[WIDTH] = {0}, peak = 0.0f;
    int64_t n = 0;
    for (; n + WIDTH <= count; n += WIDTH) {
        float sum[WIDTH] = {0};
        for (int k = 0; k < N_TAPS; k++)
            for (int j = 0; j < WIDTH; j++) sum[j] += taps[k] * x[n + k + j];
        for (int j = 0; j < WIDTH; j++) found[j] = magnitude(sum[j]) > found[j] ? magnitude(sum[j]) : found[j];
    }
    for (; n < count; n++) {
        float sum = 0.0f;
        for (int k = 0; k < N_TAPS; k++) sum += taps[k] * x[n + k];
        peak = magnitude(sum) > peak ? magnitude(sum) : peak;
    }
    for (int j = 0; j < WIDTH; j++) peak = found[j] > peak ? found[j] : peak;
    return peak;
}

/* Three phases on as many points as registers hold. */
static float peak_of_three(const float *restrict x, int64_t count, const float *restrict taps) {
    float found[WIDTH] = {0};
    int64_t n = 0;
    for (; n + WIDTH <= count; n += WIDTH) {
        float one[WIDTH] = {0}, two[WIDTH] = {0}, three[WIDTH] = {0};
        for (int k = 0; k < N_TAPS; k++) {
            for (int j = 0; j < WIDTH; j++) {
                one[j] += taps[k] * x[n + k + j];
                two[j] += taps[N_TAPS + k] * x[n + k + j];
                three[j] += taps[2 * N_TAPS + k] * x[n + k + j];
            }
        }
        for (int j = 0; j < WIDTH; j++) {
            float largest = magnitude(one[j]) > magnitude(two[j]) ? magnitude(one[j]) : magnitude(two[j]);
            largest = magnitude(three[j]) > largest ? magnitude(three[j]) : largest;
            found[j] = largest > found[j] ? largest : found[j];
        }
    }
    float peak = 0.0f;
    for (int phase = 0; phase < 3; phase++) {
        const float rest = peak_of(x + n, count - n, taps + phase * N_TAPS);
        peak = rest > peak ? rest : peak;
    }
    for (int j = 0; j < WIDTH; j++) peak = found[j] > peak ? found[j] : peak;
    return peak;
}

/* Largest magnitude that `phases` (n_phases, N_TAPS) find between the samples of any channel; 0, or a smaller one,
   if none is above `known`. `bound` is the most that a phase can make of samples within 1. */
float fs_largest_between(const float *samples, int64_t n_channels, int64_t n_samples, const float *phases,
                         int64_t n_phases, float bound, float known) {
    const int64_t n_points = n_samples - N_TAPS + 1;
    float peak = 0.0f;
    for (int64_t channel = 0; channel < n_channels; channel++) {
        for (int64_t start = 0; start < n_points; start += RUN) {
            const float *const piece = samples + channel * n_samples + start;
            const int64_t count = n_points - start < RUN ? n_points - start : RUN;
            /* where even the worst case stays below what is known, there is nothing to compute */
            const float nearby = bound * fs_largest(piece, count + N_TAPS - 1);
            if (nearby <= known || nearby <= peak) continue;
            for (int64_t phase = 0; phase < n_phases; phase += 3) {
                const float *const taps = phases + phase * N_TAPS;
                const float found = n_phases - phase >= 3 ? peak_of_three(piece, count, taps) : peak_of(piece, count, taps);
                peak = found > peak ? found : peak;
            }
        }
    }
    return peak;
}

/* The head's filter in the frequency domain.

   Between two control points the response moves on a straight line (or on a cosine, where the source jumps):
   with h at the first, g at the second, and f rising from 0 to 1 over the hop, the sound x of the hop gives

       (1 - f) x * h  +  f x * g   =   x * h  +  f x * (g - h).

   So a hop is two real signals, x and f x, that one complex transform takes, and both ears together are one
   complex signal on the way back. A spectrum is two half spectra as `fs_split_real` makes them: n / 2 real
   parts, n / 2 imaginary parts of one signal or ear, then the same of the other. */

#include <string.h>

#include "kernels.h"

static void times(int64_t count, const float *restrict a, const float *restrict b, float *restrict out) {
    for (int64_t k = 0; k < count; k++) out[k] = a[k] * b[k];
}

/* `lead` zeros come before each hop: room for filters that ring before they are struck. */
int32_t fs_analyse(const float *sound, const uint8_t *jump, int64_t n_hops, int64_t hop, const float *fades,
                   int64_t lead, int64_t n, const float *table, float *work, float *spectra) {
    float *const re = work + 2 * n, *const im = re + n;
    for (int64_t index = 0; index < n_hops; index++) {
        memset(re, 0, 2 * (size_t)n * sizeof(float));
        memcpy(re + lead, sound + index * hop, (size_t)hop * sizeof(float));
        times(hop, fades + (jump[index] ? hop : 0), sound + index * hop, im + lead);
        if (fs_fourier(n, table, work, re, im)) return -1;
        fs_split_real(n, 1.0f / (float)n, re, im, spectra + index * 2 * n); /* what the way back multiplies by */
    }
    return 0;
}

/* Transform the responses of a direction when it is first needed: most renderings need few of them. */
int32_t fs_make_ready(int64_t vertex, const float *taps, int64_t n_taps, int64_t n, const float *table, float *work,
                      float *responses) {
    float *const re = work + 2 * n, *const im = re + n;
    memcpy(re, taps + 2 * vertex * n_taps, (size_t)n_taps * sizeof(float));
    memcpy(im, taps + (2 * vertex + 1) * n_taps, (size_t)n_taps * sizeof(float));
    memset(re + n_taps, 0, (size_t)(n - n_taps) * sizeof(float));
    memset(im + n_taps, 0, (size_t)(n - n_taps) * sizeof(float));
    if (fs_fourier(n, table, work, re, im)) return -1;
    fs_split_real(n, 1.0f, re, im, responses + vertex * 2 * n);
    return 0;
}

static void blend(int64_t count, const float *restrict a, const float *restrict b, const float *restrict c,
                  const float *weight, float *restrict out) {
    const float wa = weight[0], wb = weight[1], wc = weight[2];
    INDEPENDENT
    for (int64_t k = 0; k < count; k++) out[k] = wa * a[k] + wb * b[k] + wc * c[k];
}

/* Gains of n / 2 + 1 bins on one ear. */
static void apply_tone(int64_t half, const float *restrict gains, float *restrict ear) {
    const float first = ear[0] * gains[0], last = ear[half] * gains[half];
    INDEPENDENT
    for (int64_t k = 0; k < half; k++) {
        ear[k] *= gains[k];
        ear[half + k] *= gains[k];
    }
    ear[0] = first;
    ear[half] = last;
}

/* Both ears of one hop: re holds the left, im the right once it is transformed back. */
static void multiply(int64_t n, const float *restrict x, const float *restrict here, const float *restrict there,
                     float *restrict re, float *restrict im) {
    const int64_t half = n / 2;
    const float *restrict xr = x, *restrict xi = x + half, *restrict fr = x + n, *restrict fi = x + n + half;
    const float *restrict lr = here, *restrict li = here + half, *restrict rr = here + n, *restrict ri = here + n + half;
    const float *restrict glr = there, *restrict gli = there + half, *restrict grr = there + n,
                          *restrict gri = there + n + half;
    INDEPENDENT
    for (int64_t k = 1; k < half; k++) {
        const float dlr = glr[k] - lr[k], dli = gli[k] - li[k], drr = grr[k] - rr[k], dri = gri[k] - ri[k];
        const float left_re = xr[k] * lr[k] - xi[k] * li[k] + fr[k] * dlr - fi[k] * dli;
        const float left_im = xr[k] * li[k] + xi[k] * lr[k] + fr[k] * dli + fi[k] * dlr;
        const float right_re = xr[k] * rr[k] - xi[k] * ri[k] + fr[k] * drr - fi[k] * dri;
        const float right_im = xr[k] * ri[k] + xi[k] * rr[k] + fr[k] * dri + fi[k] * drr;
        re[k] = left_re - right_im;
        im[k] = left_im + right_re;
        re[n - k] = left_re + right_im;
        im[n - k] = right_re - left_im;
    }
    re[0] = xr[0] * lr[0] + fr[0] * (glr[0] - lr[0]);
    im[0] = xr[0] * rr[0] + fr[0] * (grr[0] - rr[0]);
    re[half] = xi[0] * li[0] + fi[0] * (gli[0] - li[0]);
    im[half] = xi[0] * ri[0] + fi[0] * (gri[0] - ri[0]);
}

static void add(int64_t n, const float *restrict x, float *restrict out) {
    INDEPENDENT
    for (int64_t k = 0; k < n; k++) out[k] += x[k];
}

/* `work` holds 8 n numbers; `out` two rows of n_out, of which (n_hops - 1) hop + n are added to. */
int32_t fs_synthesise(const float *spectra, int64_t n_hops, int64_t hop, int64_t n, const float *taps,
                      int64_t n_vertices, int64_t n_taps, uint8_t *ready, float *responses, const int32_t *vertex,
                      const float *weight, const float *tone, int64_t tone_ears, int64_t tone_points,
                      const float *table, float *work, float *out, int64_t n_out) {
    float *const re = work + 2 * n, *const im = re + n;
    float *here = work + 4 * n, *there = work + 6 * n;
    for (int64_t point = 0; point <= n_hops; point++) {
        const int32_t *const corner = vertex + 3 * point;
        for (int k = 0; k < 3; k++) {
            if (corner[k] < 0 || corner[k] >= n_vertices) return -2;
            if (ready[corner[k]]) continue;
            if (fs_make_ready(corner[k], taps, n_taps, n, table, work, responses)) return -1;
            ready[corner[k]] = 1;
        }
        blend(2 * n, responses + corner[0] * 2 * n, responses + corner[1] * 2 * n, responses + corner[2] * 2 * n,
              weight + 3 * point, there);
        for (int64_t ear = 0; tone && ear < 2; ear++)
            apply_tone(n / 2, tone + ((ear % tone_ears) * tone_points + point % tone_points) * (n / 2 + 1),
                       there + ear * n);
        if (point > 0) {
            multiply(n, spectra + (point - 1) * 2 * n, here, there, re, im);
            if (fs_fourier(n, table, work, im, re)) return -1; /* exchanged: the inverse */
            add(n, re, out + (point - 1) * hop);
            add(n, im, out + n_out + (point - 1) * hop);
        }
        float *const swap = here;
        here = there, there = swap;
    }
    return 0;
}

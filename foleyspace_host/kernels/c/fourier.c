/* Fourier transforms after Stockham: radix 8, 4, 2 and 3, in natural order, without a step of reordering.

   Real and imaginary parts lie apart, so that every loop runs over neighbours. Each pass splits transforms of
   length n into `radix` of length m = n / radix; s of them are interleaved. The table holds, for each pass, the
   rotations exp(-2 pi i j p / n) as rows cos, sin for j = 1 ... radix - 1, of m numbers each. */

#include <math.h>
#include <string.h>

#include "kernels.h"

typedef const float *restrict in_t;
typedef float *restrict out_t;

static int64_t radix_of(int64_t n) {
    if (n % 8 == 0 && n != 16) return 8;
    if (n % 4 == 0) return 4;
    return n % 2 == 0 ? 2 : n;
}

static int is_length(int64_t n) {
    if (n < 16 || n > (int64_t)1 << 24) return 0;
    while (n % 2 == 0) n /= 2;
    return n == 1 || n == 3;
}

int64_t fs_fourier_table_size(int64_t n) {
    if (!is_length(n)) return -1;
    int64_t size = 0;
    while (n > 1) {
        const int64_t radix = radix_of(n);
        n /= radix;
        size += 2 * (radix - 1) * n;
    }
    return size;
}

void fs_fourier_table(int64_t n, float *table) {
    while (n > 1) {
        const int64_t radix = radix_of(n), m = n / radix;
        for (int64_t j = 1; j < radix; j++) {
            for (int64_t p = 0; p < m; p++) {
                const double angle = -6.283185307179586476925 * (double)(j * p % n) / (double)n;
                table[p] = (float)cos(angle);
                table[m + p] = (float)sin(angle);
            }
            table += 2 * m;
        }
        n = m;
    }
}

#define LOAD(j) const float a##j##r = xr[from + j * step], a##j##i = xi[from + j * step];

/* y0 ... y7 from a0 ... a7 */
#define BUTTERFLY_8                                                                                                    \
    LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7)                                                    \
    const float half = 0.70710678118654752440f;                                                                        \
    const float s0r = a0r + a4r, s0i = a0i + a4i, d0r = a0r - a4r, d0i = a0i - a4i;                                    \
    const float s1r = a1r + a5r, s1i = a1i + a5i, d1r = a1r - a5r, d1i = a1i - a5i;                                    \
    const float s2r = a2r + a6r, s2i = a2i + a6i, d2r = a2r - a6r, d2i = a2i - a6i;                                    \
    const float s3r = a3r + a7r, s3i = a3i + a7i, d3r = a3r - a7r, d3i = a3i - a7i;                                    \
    const float e0r = s0r + s2r, e0i = s0i + s2i, e1r = s0r - s2r, e1i = s0i - s2i;                                    \
    const float f0r = s1r + s3r, f0i = s1i + s3i, f1r = s1i - s3i, f1i = s3r - s1r;                                    \
    const float g1r = half * (d1r + d1i), g1i = half * (d1i - d1r);                                                    \
    const float g3r = half * (d3i - d3r), g3i = -half * (d3r + d3i);                                                   \
    const float h0r = d0r + d2i, h0i = d0i - d2r, h1r = d0r - d2i, h1i = d0i + d2r;                                    \
    const float k0r = g1r + g3r, k0i = g1i + g3i, k1r = g1i - g3i, k1i = g3r - g1r;                                    \
    const float y0r = e0r + f0r, y0i = e0i + f0i, y4r = e0r - f0r, y4i = e0i - f0i;                                    \
    const float y2r = e1r + f1r, y2i = e1i + f1i, y6r = e1r - f1r, y6i = e1i - f1i;                                    \
    const float y1r = h0r + k0r, y1i = h0i + k0i, y5r = h0r - k0r, y5i = h0i - k0i;                                    \
    const float y3r = h1r + k1r, y3i = h1i + k1i, y7r = h1r - k1r, y7i = h1i - k1i;

#define BUTTERFLY_4                                                                                                    \
    LOAD(0) LOAD(1) LOAD(2) LOAD(3)                                                                                    \
    const float s0r = a0r + a2r, s0i = a0i + a2i, d0r = a0r - a2r, d0i = a0i - a2i;                                    \
    const float s1r = a1r + a3r, s1i = a1i + a3i, d1r = a1i - a3i, d1i = a3r - a1r;                                    \
    const float y0r = s0r + s1r, y0i = s0i + s1i, y2r = s0r - s1r, y2i = s0i - s1i;                                    \
    const float y1r = d0r + d1r, y1i = d0i + d1i, y3r = d0r - d1r, y3i = d0i - d1i;

#define STORE(j, at, c, t)                                                                                             \
    yr[at] = y##j##r * c - y##j##i * t;                                                                              \
    yi[at] = y##j##r * t + y##j##i * c;

/* The first pass: nothing is interleaved yet, so the loop runs over p. */
static void first_8(int64_t n, in_t xr, in_t xi, out_t yr, out_t yi, in_t w) {
    const int64_t m = n / 8, step = m;
    INDEPENDENT
    for (int64_t p = 0; p < m; p++) {
        const int64_t from = p, to = 8 * p;
        BUTTERFLY_8
        yr[to] = y0r;
        yi[to] = y0i;
#define TURN(j) STORE(j, to + j, w[(2 * j - 2) * m + p], w[(2 * j - 1) * m + p])
        TURN(1) TURN(2) TURN(3) TURN(4) TURN(5) TURN(6) TURN(7)
    }
}

static void first_4(int64_t n, in_t xr, in_t xi, out_t yr, out_t yi, in_t w) {
    const int64_t m = n / 4, step = m;
    INDEPENDENT
    for (int64_t p = 0; p < m; p++) {
        const int64_t from = p, to = 4 * p;
        BUTTERFLY_4
        yr[to] = y0r;
        yi[to] = y0i;
        TURN(1) TURN(2) TURN(3)
#undef TURN
    }
}

#define ROTATION(j) const float c##j = w[(2 * j - 2) * m + p], t##j = w[(2 * j - 1) * m + p];

static inline void pass_8(int64_t n, int64_t s, in_t x_re, in_t x_im, out_t y_re, out_t y_im, in_t w) {
    const int64_t m = n / 8, step = s * m;
    for (int64_t p = 0; p < m; p++) {
        ROTATION(1) ROTATION(2) ROTATION(3) ROTATION(4) ROTATION(5) ROTATION(6) ROTATION(7)
        in_t xr = x_re + s * p, xi = x_im + s * p;
        out_t yr = y_re + 8 * s * p, yi = y_im + 8 * s * p;
        INDEPENDENT
        for (int64_t q = 0; q < s; q++) {
            const int64_t from = q, to = q;
            BUTTERFLY_8
            yr[q] = y0r;
            yi[q] = y0i;
#define TURN(j) STORE(j, to + j * s, c##j, t##j)
            TURN(1) TURN(2) TURN(3) TURN(4) TURN(5) TURN(6) TURN(7)
        }
    }
}

/* The second pass of most lengths: its inner loop is as long as a vector, if the compiler knows. */
static void pass_8_of_8(int64_t n, in_t x_re, in_t x_im, out_t y_re, out_t y_im, in_t w) {
    pass_8(n, 8, x_re, x_im, y_re, y_im, w);
}

static void pass_4(int64_t n, int64_t s, in_t x_re, in_t x_im, out_t y_re, out_t y_im, in_t w) {
    const int64_t m = n / 4, step = s * m;
    for (int64_t p = 0; p < m; p++) {
        ROTATION(1) ROTATION(2) ROTATION(3)
        in_t xr = x_re + s * p, xi = x_im + s * p;
        out_t yr = y_re + 4 * s * p, yi = y_im + 4 * s * p;
        INDEPENDENT
        for (int64_t q = 0; q < s; q++) {
            const int64_t from = q, to = q;
            BUTTERFLY_4
            yr[q] = y0r;
            yi[q] = y0i;
            TURN(1) TURN(2) TURN(3)
#undef TURN
        }
    }
}

/* The radices 2 and 3 come last at the latest before each other: few and short loops. */
static void pass_2(int64_t n, int64_t s, in_t xr, in_t xi, out_t y_re, out_t y_im, in_t w) {
    const int64_t m = n / 2, step = s * m;
    for (int64_t p = 0; p < m; p++) {
        const float c = w[p], t = w[m + p];
        INDEPENDENT
        for (int64_t q = 0; q < s; q++) {
            const int64_t from = s * p + q, to = 2 * s * p + q;
            LOAD(0) LOAD(1)
            const float dr = a0r - a1r, di = a0i - a1i;
            y_re[to] = a0r + a1r;
            y_im[to] = a0i + a1i;
            y_re[to + s] = dr * c - di * t;
            y_im[to + s] = dr * t + di * c;
        }
    }
}

/* Radix 3 is the last pass: nothing is left to rotate. */
static void last_3(int64_t s, in_t xr, in_t xi, out_t y_re, out_t y_im) {
    const float root = 0.86602540378443864676f;
    const int64_t step = s;
    INDEPENDENT
    for (int64_t q = 0; q < s; q++) {
        const int64_t from = q;
        LOAD(0) LOAD(1) LOAD(2)
        const float sr = a1r + a2r, si = a1i + a2i, ur = root * (a1i - a2i), ui = root * (a2r - a1r);
        const float mr = a0r - 0.5f * sr, mi = a0i - 0.5f * si;
        y_re[q] = a0r + sr;
        y_im[q] = a0i + si;
        y_re[q + s] = mr + ur;
        y_im[q + s] = mi + ui;
        y_re[q + 2 * s] = mr - ur;
        y_im[q + 2 * s] = mi - ui;
    }
}

/* In place; `work` holds 2 n numbers. With `re` and `im` exchanged it is the inverse, times n. */
int32_t fs_fourier(int64_t n, const float *table, float *work, float *re, float *im) {
    if (!is_length(n)) return -1;
    float *x_re = re, *x_im = im, *y_re = work, *y_im = work + n;
    for (int64_t s = 1, left = n; left > 1;) {
        const int64_t radix = radix_of(left), m = left / radix;
        if (radix == 8 && s == 1) first_8(left, x_re, x_im, y_re, y_im, table);
        else if (radix == 8 && s == 8) pass_8_of_8(left, x_re, x_im, y_re, y_im, table);
        else if (radix == 8) pass_8(left, s, x_re, x_im, y_re, y_im, table);
        else if (radix == 4 && s == 1) first_4(left, x_re, x_im, y_re, y_im, table);
        else if (radix == 4) pass_4(left, s, x_re, x_im, y_re, y_im, table);
        else if (radix == 2) pass_2(left, s, x_re, x_im, y_re, y_im, table);
        else last_3(s, x_re, x_im, y_re, y_im);
        float *const swap_re = x_re, *const swap_im = x_im;
        x_re = y_re, x_im = y_im, y_re = swap_re, y_im = swap_im;
        table += 2 * (radix - 1) * m;
        s *= radix;
        left = m;
    }
    if (x_re != re) {
        memcpy(re, x_re, (size_t)n * sizeof(float));
        memcpy(im, x_im, (size_t)n * sizeof(float));
    }
    return 0;
}

void fs_split_real(int64_t n, float scale, const float *restrict re, const float *restrict im, float *restrict out) {
    const int64_t half = n / 2;
    float *restrict a_re = out, *restrict a_im = out + half, *restrict b_re = out + n, *restrict b_im = out + n + half;
    const float part = 0.5f * scale;
    INDEPENDENT
    for (int64_t k = 1; k < half; k++) {
        const float zr = re[k], zi = im[k], mr = re[n - k], mi = im[n - k];
        a_re[k] = part * (zr + mr);
        a_im[k] = part * (zi - mi);
        b_re[k] = part * (zi + mi);
        b_im[k] = part * (mr - zr);
    }
    a_re[0] = scale * re[0];
    a_im[0] = scale * re[half];
    b_re[0] = scale * im[0];
    b_im[0] = scale * im[half];
}

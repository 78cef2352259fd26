/* The kernels: the inner loops of FoleySpace, in plain C99 that compilers turn into vector instructions.

   Arrays are contiguous and belong to the caller; nothing is allocated and nothing is kept between calls.
   The bindings in Python check types and shapes. What depends on values (indices, reading points) is checked
   here, and told by a negative result. */

#ifndef FOLEYSPACE_KERNELS_H
#define FOLEYSPACE_KERNELS_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Before a loop whose steps do not wait for each other, which compilers cannot always prove. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

enum { N_TAPS = 32, PHASES = 512 }; /* of the delay line */

/* cpu.c */
EXPORT const char *fs_digest(void);
EXPORT int32_t fs_cpu_has_avx2(void);

/* fourier.c: transforms of n complex numbers, real and imaginary parts apart; n is a power of two, or three
   times one, from 16 on. */
EXPORT int64_t fs_fourier_table_size(int64_t n);
EXPORT void fs_fourier_table(int64_t n, float *table);
EXPORT int32_t fs_fourier(int64_t n, const float *table, float *work, float *re, float *im);
/* From z = a + ib, with a and b real, to the half spectra of both: `scale` times
   a.re[n/2] a.im[n/2] b.re[n/2] b.im[n/2], the (real) last bin in place of the first imaginary part. */
void fs_split_real(int64_t n, float scale, const float *restrict re, const float *restrict im, float *restrict out);

/* spectra.c */
EXPORT int32_t fs_analyse(const float *sound, const uint8_t *jump, int64_t n_hops, int64_t hop, const float *fades,
                          int64_t lead, int64_t n, const float *table, float *work, float *spectra);
EXPORT int32_t fs_synthesise(const float *spectra, int64_t n_hops, int64_t hop, int64_t n, const float *taps,
                             int64_t n_vertices, int64_t n_taps, uint8_t *ready, float *responses,
                             const int32_t *vertex, const float *weight, const float *tone, int64_t tone_ears,
                             int64_t tone_points, const float *table, float *work, float *out, int64_t n_out);
/* Transforms the responses of a direction. */
int32_t fs_make_ready(int64_t vertex, const float *taps, int64_t n_taps, int64_t n, const float *table, float *work,
                      float *responses);

/* delay.c */
EXPORT int32_t fs_read_delayed(const float *line, int64_t n_line, int64_t origin, int64_t first, int64_t hop,
                               const double *delay, int64_t delay_step, const uint8_t *jump, int64_t n_intervals,
                               const float *taps, float *out, int64_t n_out);

/* images.c: mirror images in a room. `IMAGES` is what both ways of hearing them have in common. */
#define IMAGES                                                                                                         \
    const float *line, int64_t length, int64_t start, int64_t hop, int64_t n_frames, int64_t n_images, int64_t lead,   \
        const double *delay, const uint8_t *jump, const float *rises, const float *tone, int64_t n_tones,              \
        const int32_t *row, int64_t n, const float *table, float *work, float *held
EXPORT void fs_polynomials(const float *sound, const float *taps, int64_t n_taps, int64_t n_points, int64_t stride,
                           float *out);
EXPORT int32_t fs_images_at_ears(IMAGES, const float *taps, int64_t n_vertices, int64_t n_taps, uint8_t *ready,
                                 float *responses, const int32_t *vertex, const float *weight, const float *turn,
                                 float *out, int64_t n_out);
EXPORT int32_t fs_images_in_channels(IMAGES, const float *gains, int64_t n_channels, float *out, int64_t n_out);

/* panning.c */
EXPORT void fs_pan(const float *heard, int64_t n_samples, const float *gains, const uint8_t *jump, int64_t n_intervals,
                   int64_t n_channels, int64_t hop, float *out);

/* layout.c */
EXPORT void fs_interleave(const float *samples, int64_t n_channels, int64_t n_samples, float *out);

/* mesh.c */
EXPORT int64_t fs_locate(const double *direction, int64_t n_directions, int64_t start, const int32_t *neighbours,
                         const double *inverse, int64_t n_triangles, int32_t *triangle, float *weights);

/* peaks.c */
EXPORT float fs_largest(const float *samples, int64_t n_samples);
EXPORT float fs_largest_between(const float *samples, int64_t n_channels, int64_t n_samples, const float *phases,
                                int64_t n_phases, float bound, float known);

/* loudness.c */
EXPORT int64_t fs_loudness(const float *samples, int64_t n_channels, int64_t n_samples, const double *filter,
                           double *state, const double *weights, int64_t step, double *sums, int64_t *filled,
                           double *powers);

#endif

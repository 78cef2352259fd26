/* Mirror images of a source: each reads the sound through its own sliding delay, in frames that are triangles two
   hops long; a frame is filtered by the walls, and heard from its direction. Frame k begins at sample k hop of the
   output, less `lead`, the room for what filters without phase put before it.

   The sound comes as a polynomial around each sample (see fs_polynomials), so that a reading between samples costs
   a few operations, however the delay slides. Two images share a complex transform, and so do two channels on the
   way back. Spectra are half spectra as `fs_split_real` makes them. */

#include <math.h>
#include <string.h>

#include "kernels.h"

enum { TERMS = 5, RUN = 256, FINE = 32 };

/* Terms of the polynomial in the fraction of a sample, -1/2 to 1/2, around n_points samples, `stride` apart in `out`;
   the first needs the first n_taps numbers of `sound`, and so on. n_taps is a multiple of 4. */
void fs_polynomials(const float *sound, const float *taps, int64_t n_taps, int64_t n_points, int64_t stride,
                    float *out) {
    for (int64_t begin = 0; begin < n_points; begin += RUN) {
        const int64_t count = n_points - begin < RUN ? n_points - begin : RUN;
        for (int64_t term = 0; term < TERMS; term++) {
            float *restrict target = out + term * stride + begin;
            const float *const weight = taps + term * n_taps;
            memset(target, 0, (size_t)count * sizeof(float));
            for (int64_t k = 0; k < n_taps; k += 4) {
                const float a = weight[k], b = weight[k + 1], c = weight[k + 2], d = weight[k + 3];
                const float *restrict x = sound + begin + k;
                for (int64_t n = 0; n < count; n++) target[n] += a * x[n] + b * x[n + 1] + c * x[n + 2] + d * x[n + 3];
            }
        }
    }
}

/* Values of the line at position, position + 1 - slope, ...; -1 where it does not reach so far. */
static int32_t read_run(const float *line, int64_t length, double position, double slope, float *out, int64_t count) {
    const double last = position + (double)(count - 1) * (1.0 - slope);
    if (!(position > 0.0 && position < (double)(length - 1) && last > 0.0 && last < (double)(length - 1))) return -1;
    for (int64_t done = 0; done < count;) {
        const double here = position + (double)done * (1.0 - slope);
        const int64_t index = (int64_t)(here + 0.5); /* positive */
        const double fraction = here - (double)index;
        int64_t run = count - done;
        if (slope != 0.0) { /* until the fraction has left its range */
            const double left = (slope > 0.0 ? fraction + 0.5 : fraction - 0.5) / slope;
            if (left < (double)run) run = (int64_t)left + 1;
            if (run > count - done) run = count - done;
        }
        if (index + run > length) run = length - index;
        const float *restrict p0 = line + index, *restrict p1 = p0 + length, *restrict p2 = p1 + length;
        const float *restrict p3 = p2 + length, *restrict p4 = p3 + length;
        float *restrict target = out + done;
        const float first = (float)fraction, step = (float)-slope;
        for (int32_t n = 0; n < (int32_t)run; n++) {
            const float t = first + step * (float)n;
            target[n] = p0[n] + t * (p1[n] + t * (p2[n] + t * (p3[n] + t * p4[n])));
        }
        done += run;
    }
    return 0;
}

/* Read one frame of one image. `held` has the second hop of the frame before, and gets that of this one. */
static int32_t read_frame(const float *line, int64_t length, int64_t start, int64_t hop, const double *delay,
                          const uint8_t *jump, int first, const float *rises, float *held, float *frame) {
    const double begin = (double)start, middle = (double)(start + hop);
    int32_t status = 0;
    if (jump[0]) status = read_run(line, length, begin - delay[1], 0.0, held, hop);
    else if (first) status = read_run(line, length, begin - delay[0], (delay[1] - delay[0]) / (double)hop, held, hop);
    if (status) return status;
    const float *restrict up = rises + (jump[0] ? hop : 0), *restrict down = rises + (jump[1] ? hop : 0);
    const float *restrict heard = held;
    for (int64_t n = 0; n < hop; n++) frame[n] = up[n] * heard[n];
    const double slope = jump[1] ? 0.0 : (delay[2] - delay[1]) / (double)hop;
    if (read_run(line, length, middle - delay[1], slope, held, hop)) return -1;
    for (int64_t n = 0; n < hop; n++) frame[hop + n] = heard[n] - down[n] * heard[n];
    return 0;
}

static void multiply_by(int64_t half, const float *restrict gain, float *restrict re, float *restrict im) {
    const float last = im[0] * gain[half];
    for (int64_t k = 0; k < half; k++) {
        re[k] *= gain[k];
        im[k] *= gain[k];
    }
    im[0] = last;
}

/* Spectra of a frame of two images (or of one), walls and air put on them: 2 n numbers. */
static int32_t two_images(const float *line, int64_t length, int64_t start, int64_t hop, int64_t frame, int64_t n_frames,
                          int64_t image, int64_t n_images, int64_t lead, const double *delay, const uint8_t *jump,
                          const float *rises, const float *tone, int64_t n_tones, const int32_t *row, int64_t n,
                          const float *table, float *work, float *held, float *spectra) {
    float *const parts[2] = {work + 2 * n, work + 3 * n};
    const int64_t half = n / 2, count = image + 1 < n_images ? 2 : 1;
    memset(parts[0], 0, (size_t)(2 * n) * sizeof(float));
    for (int64_t k = 0; k < count; k++) {
        const int64_t index = image + k;
        if (read_frame(line, length, start + frame * hop, hop, delay + index * (n_frames + 2) + frame,
                       jump + index * (n_frames + 1) + frame, frame == 0, rises, held + index * hop, parts[k] + lead))
            return -1;
    }
    if (fs_fourier(n, table, work, parts[0], parts[1])) return -2;
    fs_split_real(n, 1.0f / (float)n, parts[0], parts[1], spectra); /* what the way back multiplies by */
    for (int64_t k = 0; k < count; k++) {
        const int32_t which = row[(image + k) * n_frames + frame];
        if (which < 0 || which >= n_tones) return -3;
        multiply_by(half, tone + which * (half + 1), spectra + k * n, spectra + k * n + half);
    }
    return 0;
}

/* Transform two channels back, and add those to the output that are wanted. */
static int32_t two_channels(int64_t n, const float *one, const float *two, const float *table, float *work,
                            float *out_one, float *out_two) {
    const int64_t half = n / 2;
    float *restrict re = work + 2 * n, *restrict im = work + 3 * n;
    const float *restrict ar = one, *restrict ai = one + half, *restrict br = two, *restrict bi = two + half;
    for (int64_t k = 1; k < half; k++) {
        re[k] = ar[k] - bi[k];
        im[k] = ai[k] + br[k];
        re[n - k] = ar[k] + bi[k];
        im[n - k] = br[k] - ai[k];
    }
    re[0] = ar[0], im[0] = br[0], re[half] = ai[0], im[half] = bi[0];
    if (fs_fourier(n, table, work, im, re)) return -2; /* exchanged: the inverse */
    for (int64_t k = 0; out_one && k < n; k++) out_one[k] += re[k];
    for (int64_t k = 0; out_two && k < n; k++) out_two[k] += im[k];
    return 0;
}

/* Whether there is anything but silence: a silent channel stays so, to the bit, whichever shares its transform. */
static int sounds(int64_t n, const float *spectrum) {
    for (int64_t k = 0; k < n; k++)
        if (spectrum[k] != 0.0f) return 1;
    return 0;
}

/* cos and sin of the angles 0, angle, 2 angle, ...: `count` of them, a multiple of 32. */
static void turns(double angle, int64_t count, float *restrict cosine, float *restrict sine) {
    float fine_c[FINE], fine_s[FINE];
    const double step_c = cos(angle), step_s = sin(angle);
    double c = 1.0, s = 0.0;
    for (int k = 0; k < FINE; k++) {
        fine_c[k] = (float)c, fine_s[k] = (float)s;
        const double next = c * step_c - s * step_s;
        s = s * step_c + c * step_s, c = next;
    }
    const double jump_c = c, jump_s = s; /* FINE steps */
    c = 1.0, s = 0.0;
    for (int64_t block = 0; block < count; block += FINE) {
        const float here_c = (float)c, here_s = (float)s;
        for (int k = 0; k < FINE; k++) {
            cosine[block + k] = here_c * fine_c[k] - here_s * fine_s[k];
            sine[block + k] = here_s * fine_c[k] + here_c * fine_s[k];
        }
        const double next = c * jump_c - s * jump_s;
        s = s * jump_c + c * jump_s, c = next;
    }
}

/* Add a spectrum to that of one ear, through the blend of three responses, turned by half the time between the ears:
   sine is that of the left ear, and side -1 for the right one. */
static void hear(int64_t half, const float *restrict xr, const float *restrict xi, const float *restrict ar,
                 const float *restrict br, const float *restrict cr, const float *restrict ai,
                 const float *restrict bi, const float *restrict ci, const float *weight, const float *restrict cosine,
                 const float *restrict sine, float side, float *restrict yr, float *restrict yi) {
    const float wa = weight[0], wb = weight[1], wc = weight[2];
    const float first = yr[0] + xr[0] * (wa * ar[0] + wb * br[0] + wc * cr[0]);
    const float last = yi[0] + xi[0] * cosine[half] * (wa * ai[0] + wb * bi[0] + wc * ci[0]);
    for (int64_t k = 0; k < half; k++) {
        const float re = wa * ar[k] + wb * br[k] + wc * cr[k], im = wa * ai[k] + wb * bi[k] + wc * ci[k];
        const float turn = side * sine[k], zr = xr[k] * cosine[k] - xi[k] * turn, zi = xr[k] * turn + xi[k] * cosine[k];
        yr[k] += zr * re - zi * im;
        yi[k] += zr * im + zi * re;
    }
    yr[0] = first, yi[0] = last;
}

/* Images at two ears. The line is TERMS x length, and `start` where in it the first frame begins; delay is
   (n_images, n_frames + 2), jump (n_images, n_frames + 1), row (n_images, n_frames), tone (n_tones, n / 2 + 1),
   rises (2, hop), vertex and weight (n_images, n_frames, 3), lead_samples (n_images, n_frames): how much the left
   ear is ahead of the mean of both. work holds 10 n + 64, held n_images x hop numbers; out is (2, n_out), added to.
   Returns -1 where the line, -2 where a length, -3 where an index does not fit. */
int32_t fs_images_at_ears(IMAGES, const float *taps, int64_t n_vertices, int64_t n_taps, uint8_t *ready,
                          float *responses, const int32_t *vertex, const float *weight, const float *turn, float *out,
                          int64_t n_out) {
    const int64_t half = n / 2;
    float *const spectra = work + 4 * n, *const total = work + 6 * n, *const cosine = work + 8 * n;
    float *const sine = cosine + half + FINE;
    if ((n_frames - 1) * hop + n > n_out || lead + 2 * hop > n) return -2;
    for (int64_t frame = 0; frame < n_frames; frame++) {
        memset(total, 0, (size_t)(2 * n) * sizeof(float));
        for (int64_t image = 0; image < n_images; image += 2) {
            const int32_t status = two_images(line, length, start, hop, frame, n_frames, image, n_images, lead, delay,
                                              jump, rises, tone, n_tones, row, n, table, work, held, spectra);
            if (status) return status;
            for (int64_t k = 0; k < 2 && image + k < n_images; k++) {
                const int64_t at = (image + k) * n_frames + frame;
                const int32_t *const corner = vertex + 3 * at;
                for (int j = 0; j < 3; j++) {
                    if (corner[j] < 0 || corner[j] >= n_vertices) return -3;
                    if (ready[corner[j]]) continue;
                    if (fs_make_ready(corner[j], taps, n_taps, n, table, work, responses))
                        return -2;
                    ready[corner[j]] = 1;
                }
                turns(6.283185307179586476925 / (double)n * (double)turn[at], half + FINE, cosine, sine);
                for (int ear = 0; ear < 2; ear++) {
                    const float *const a = responses + (2 * corner[0] + ear) * n;
                    const float *const b = responses + (2 * corner[1] + ear) * n;
                    const float *const c = responses + (2 * corner[2] + ear) * n;
                    const float *const x = spectra + k * n;
                    float *const y = total + ear * n;
                    hear(half, x, x + half, a, b, c, a + half, b + half, c + half, weight + 3 * at, cosine, sine,
                         ear ? -1.0f : 1.0f, y, y + half);
                }
            }
        }
        if (two_channels(n, total, total + n, table, work, out + frame * hop, out + n_out + frame * hop)) return -2;
    }
    return 0;
}

/* Images in the channels of a format: gains are (n_images, n_frames, n_channels), work holds (6 + n_channels) n
   numbers, one more where their number is odd, and out is (n_channels, n_out). */
int32_t fs_images_in_channels(IMAGES, const float *gains, int64_t n_channels, float *out, int64_t n_out) {
    float *const spectra = work + 4 * n, *const total = work + 6 * n;
    if ((n_frames - 1) * hop + n > n_out || lead + 2 * hop > n) return -2;
    for (int64_t frame = 0; frame < n_frames; frame++) {
        memset(total, 0, (size_t)((n_channels + n_channels % 2) * n) * sizeof(float));
        for (int64_t image = 0; image < n_images; image += 2) {
            const int32_t status = two_images(line, length, start, hop, frame, n_frames, image, n_images, lead, delay,
                                              jump, rises, tone, n_tones, row, n, table, work, held, spectra);
            if (status) return status;
            for (int64_t k = 0; k < 2 && image + k < n_images; k++) {
                const float *const gain = gains + ((image + k) * n_frames + frame) * n_channels;
                for (int64_t channel = 0; channel < n_channels; channel++) {
                    const float *restrict x = spectra + k * n;
                    float *restrict y = total + channel * n;
                    const float level = gain[channel];
                    for (int64_t bin = 0; level != 0.0f && bin < n; bin++) y[bin] += level * x[bin];
                }
            }
        }
        for (int64_t channel = 0; channel < n_channels; channel += 2) {
            const float *const one = total + channel * n, *const two = one + n;
            float *const here = out + channel * n_out + frame * hop;
            if (two_channels(n, one, two, table, work, sounds(n, one) ? here : NULL,
                             channel + 1 < n_channels && sounds(n, two) ? here + n_out : NULL))
                return -2;
        }
    }
    return 0;
}

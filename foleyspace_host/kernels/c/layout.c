/* From channel by channel to sample by sample, as files have it. */

#include "kernels.h"

void fs_interleave(const float *restrict samples, int64_t n_channels, int64_t n_samples, float *restrict out) {
    if (n_channels == 2) {
        const float *restrict left = samples, *restrict right = samples + n_samples;
        for (int64_t n = 0; n < n_samples; n++) {
            out[2 * n] = left[n];
            out[2 * n + 1] = right[n];
        }
        return;
    }
    for (int64_t n = 0; n < n_samples; n++)
        for (int64_t channel = 0; channel < n_channels; channel++)
            out[n * n_channels + channel] = samples[channel * n_samples + n];
}

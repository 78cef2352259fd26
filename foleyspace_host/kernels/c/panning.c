/* One sound into many channels. */

#include "kernels.h"

/* Gains are (n_intervals + 1, n_channels), linear between control points; intervals that jump are left out. */
void fs_pan(const float *heard, int64_t n_samples, const float *gains, const uint8_t *jump, int64_t n_intervals,
            int64_t n_channels, int64_t hop, float *out) {
    for (int64_t interval = 0; interval < n_intervals; interval++) {
        const int64_t begin = interval * hop;
        const int64_t count = n_samples - begin < hop ? n_samples - begin : hop;
        if (jump[interval] || count <= 0) continue;
        const float *restrict sound = heard + begin;
        for (int64_t channel = 0; channel < n_channels; channel++) {
            const float here = gains[interval * n_channels + channel];
            const float step = (gains[(interval + 1) * n_channels + channel] - here) / (float)hop;
            if (here == 0.0f && step == 0.0f) continue;
            float *restrict target = out + channel * n_samples + begin;
            for (int32_t n = 0; n < (int32_t)count; n++) target[n] += (here + step * (float)n) * sound[n];
        }
    }
}

/* The power of a stream behind the K-weighting of ITU-R BS.1770, in steps. */

#include "kernels.h"

static double settled(double value) {
    /* decaying into silence, numbers would become so small that processors stumble over them */
    return value > 1e-30 || value < -1e-30 ? value : 0.0;
}

/* Two channels at a time: each sample waits for the one before, but the channels do not wait for each other. */
static void filter_pair(const double *filter, const float *restrict one, const float *restrict two, int64_t count,
                        double *state_one, double *state_two, double *sum_one, double *sum_two) {
    const double b0 = filter[0], b1 = filter[1], b2 = filter[2], a1 = filter[3], a2 = filter[4], c1 = filter[5],
                 c2 = filter[6];
    double s[4][2], total[2] = {0.0, 0.0};
    for (int k = 0; k < 4; k++) s[k][0] = state_one[k], s[k][1] = state_two[k];
    for (int64_t n = 0; n < count; n++) {
        const double x[2] = {one[n], two[n]};
        for (int c = 0; c < 2; c++) {
            const double y = b0 * x[c] + s[0][c];
            s[0][c] = (b1 * x[c] + s[1][c]) - a1 * y;
            s[1][c] = b2 * x[c] - a2 * y;
            const double z = y + s[2][c];
            s[2][c] = (s[3][c] - 2.0 * y) - c1 * z;
            s[3][c] = y - c2 * z;
            total[c] += z * z;
        }
    }
    for (int k = 0; k < 4; k++) state_one[k] = settled(s[k][0]), state_two[k] = settled(s[k][1]);
    *sum_one += total[0];
    *sum_two += total[1];
}

/* Filter a block and put the power of each step that it completes into `powers`; returns their number. Channels
   of weight 0 are left out. `filled` is how much of the step that is not complete is there already. */
int64_t fs_loudness(const float *samples, int64_t n_channels, int64_t n_samples, const double *filter, double *state,
                    const double *weights, int64_t step, double *sums, int64_t *filled, double *powers) {
    int64_t n_steps = 0, start = 0;
    while (start < n_samples) {
        int64_t count = step - *filled;
        if (count > n_samples - start) count = n_samples - start;
        int64_t waiting = -1;
        for (int64_t channel = 0; channel < n_channels; channel++) {
            if (weights[channel] == 0.0) continue;
            if (waiting < 0) {
                waiting = channel;
                continue;
            }
            filter_pair(filter, samples + waiting * n_samples + start, samples + channel * n_samples + start, count,
                        state + 4 * waiting, state + 4 * channel, sums + waiting, sums + channel);
            waiting = -1;
        }
        if (waiting >= 0) {
            double idle_state[4] = {0.0}, idle_sum = 0.0;
            const float *const row = samples + waiting * n_samples + start;
            filter_pair(filter, row, row, count, state + 4 * waiting, idle_state, sums + waiting, &idle_sum);
        }
        *filled += count;
        start += count;
        if (*filled == step) {
            double power = 0.0;
            for (int64_t channel = 0; channel < n_channels; channel++) {
                power += weights[channel] * sums[channel];
                sums[channel] = 0.0;
            }
            powers[n_steps++] = power / (double)step;
            *filled = 0;
        }
    }
    return n_steps;
}

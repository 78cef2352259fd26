/* The triangle of a closed mesh that a direction lies in. */

#include "kernels.h"

static double along(const double *row, const double *direction) {
    return row[0] * direction[0] + row[1] * direction[1] + row[2] * direction[2];
}

/* Smallest coordinate of a direction along the corners of a triangle, and which corner it is. */
static double lowest_of(const double *inverse, const double *direction, int *corner) {
    double lowest = along(inverse, direction);
    *corner = 0;
    for (int k = 1; k < 3; k++) {
        const double coordinate = along(inverse + 3 * k, direction);
        if (coordinate < lowest) lowest = coordinate, *corner = k;
    }
    return lowest;
}

/* Returns the last triangle; -1 where an index leads out of the mesh. */
int64_t fs_locate(const double *direction, int64_t n_directions, int64_t start, const int32_t *neighbours,
                  const double *inverse, int64_t n_triangles, int32_t *triangle, float *weights) {
    int64_t current = start;
    if (current < 0 || current >= n_triangles) return -1;
    for (int64_t index = 0; index < n_directions; index++) {
        const double *const here = direction + 3 * index;
        int64_t best = current;
        double best_lowest = -1e30;
        int corner;
        for (int64_t step = 0; step < n_triangles; step++) {
            const double lowest = lowest_of(inverse + 9 * current, here, &corner);
            if (lowest > best_lowest) best = current, best_lowest = lowest;
            if (lowest >= -1e-9) break;
            current = neighbours[3 * current + corner];
            if (current < 0 || current >= n_triangles) return -1;
        }
        if (best_lowest < -1e-9) { /* a walk that circles among degenerate triangles: look at all of them */
            for (int64_t other = 0; other < n_triangles; other++) {
                const double lowest = lowest_of(inverse + 9 * other, here, &corner);
                if (lowest > best_lowest) best = other, best_lowest = lowest;
            }
        }
        current = best;
        double coordinate[3], total = 0.0;
        for (int k = 0; k < 3; k++) {
            const double value = along(inverse + 9 * current + 3 * k, here);
            coordinate[k] = value > 0.0 ? value : 0.0;
            total += coordinate[k];
        }
        triangle[index] = (int32_t)current;
        for (int k = 0; k < 3; k++) weights[3 * index + k] = (float)(coordinate[k] / total);
    }
    return current;
}

/* What the loader asks: which sources these are, and what the processor can do. */

#include "kernels.h"

#ifndef FS_DIGEST
#define FS_DIGEST ""
#endif

const char *fs_digest(void) { return FS_DIGEST; }

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>

int32_t fs_cpu_has_avx2(void) {
    unsigned a, b, c, d;
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, avx2 = 1u << 5;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (fma | osxsave | avx)) != (fma | osxsave | avx)) return 0;
    /* whether the operating system keeps the wide registers */
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a & 6u) != 6u) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & avx2) != 0;
}
#else
int32_t fs_cpu_has_avx2(void) { return 0; }
#endif

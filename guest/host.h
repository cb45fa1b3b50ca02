/* Everything the guest can ask of the host. */
#ifndef HOST_H
#define HOST_H
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name), used, visibility("default")))
#define IMPORT(name) __attribute__((import_module("vm"), import_name(#name))) extern

/* The kinds of report; the host has the same list. */
enum {
    REPORT_LOG, REPORT_WARN, REPORT_ERROR, REPORT_INFO, REPORT_DEBUG, /* text */
    REPORT_VALUE,                                                     /* type, preview, json or null */
    REPORT_EXCEPTION,                                                 /* message, stack or null */
};

/* Up to three texts in UTF-8; a null pointer says that there is none. */
IMPORT(report) void host_report(uint32_t kind, const char *a, uint32_t a_len, const char *b, uint32_t b_len,
                                const char *c, uint32_t c_len);
/* Ends the execution: the session's memory limit is reached. Does not return. */
IMPORT(memory_exhausted) void host_memory_exhausted(void);
/* Offset of local time from UTC, in seconds, at this UTC time. */
IMPORT(utc_offset) int32_t host_utc_offset(double seconds);
/* From 0 to below 1, from the operating system. */
IMPORT(random) double host_random(void);

#endif

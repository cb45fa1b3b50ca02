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
/* Random bytes, from the operating system. */
IMPORT(random) void host_random(uint8_t *bytes, uint32_t size);
/* Milliseconds since the session was made, and when that was, since 1970. */
IMPORT(elapsed_ms) double host_elapsed_ms(void);
IMPORT(time_origin_ms) double host_time_origin_ms(void);
/* Calls a function of the host with a MessagePack array of arguments. Answers the size n of the answer, or -n - 1 where
 * it is a refusal; either is then to be taken. */
IMPORT(call) int64_t host_call_out(const char *name, uint32_t name_size, const uint8_t *request, uint32_t size);
IMPORT(take) void host_take(uint8_t *answer);

#endif

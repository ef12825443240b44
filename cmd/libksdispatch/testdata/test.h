/* What the test programs share. */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksdispatch.h"

static int failures;

#define CHECK(condition)                                                             \
	do {                                                                             \
		if (!(condition)) {                                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                              \
		}                                                                            \
	} while (0)

#define CHECK_STATUS(got, want) check_status(__FILE__, __LINE__, #got, got, want)

static inline void check_status(const char *file, int line, const char *what, ksd_status got, ksd_status want)
{
	if (got != want) {
		fprintf(stderr, "%s:%d: %s is %s, not %s\n", file, line, what, ksd_status_name(got), ksd_status_name(want));
		failures++;
	}
}

static const uint8_t test_set[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* identify writes a KSPROPERTY, KSMETHOD or KSEVENT of test_set. */
static inline void identify(uint8_t request[24], uint32_t id, uint32_t flags)
{
	memcpy(request, test_set, 16);
	memcpy(request + 16, &id, 4);
	memcpy(request + 20, &flags, 4);
}

static inline ksd_status send(ksd_handle h, uint32_t id, uint32_t flags, void *out, uint32_t out_len, uint32_t *returned)
{
	uint8_t request[24];
	identify(request, id, flags);
	return ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, out, out_len, returned);
}

static inline ksd_object make(const ksd_item *items, uint32_t count)
{
	char err[300];
	ksd_set set = {{0}, items, count, sizeof *items};
	memcpy(set.guid, test_set, 16);
	ksd_object o = ksd_object_new(&set, 1, err, sizeof err);
	if (!o) {
		fprintf(stderr, "ksd_object_new: %s\n", err);
		exit(1);
	}
	return o;
}

static inline int result(void) { return failures ? 1 : 0; }

#endif

/* cost.c: what a request costs from C, as nanoseconds a request, the least of many rounds that take turns. The
   argument is how many. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ksdispatch.h"

enum { REQUESTS = 20000, BATCH = 64 };

static const uint8_t set[16] = {0xa0, 0xaa, 0xff, 0x45, 0x1b, 0x6e, 0xd0, 0x11, 0xbc, 0xf2, 0x44, 0x45, 0x53, 0x54, 0, 0};

static ksd_status get(ksd_call *call)
{
	int32_t value = 5;
	memcpy(call->data, &value, sizeof value);
	call->information = sizeof value;
	return KSD_SUCCESS;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static uint8_t request[24];
static int32_t value;

static double single(ksd_handle h)
{
	double start = now();
	uint32_t n;
	for (int i = 0; i < REQUESTS; i++)
		if (ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, &value, sizeof value, &n) != KSD_SUCCESS || n != 4)
			return -1;
	return (now() - start) / REQUESTS;
}

static double batch(ksd_handle h)
{
	static ksd_request requests[BATCH];
	for (int i = 0; i < BATCH; i++)
		requests[i] = (ksd_request){request, &value, sizeof request, sizeof value, KSD_IOCTL_PROPERTY, 0, 0, 0};
	double start = now();
	for (int i = 0; i < REQUESTS / BATCH; i++)
		if (ksd_ioctl_batch(h, requests, BATCH) != BATCH || requests[BATCH - 1].status != KSD_SUCCESS)
			return -1;
	return (now() - start) / (REQUESTS / BATCH * BATCH);
}

static const char manifest[] =
	"{\"schema\":\"ksdispatch/manifest/v1\",\"driver\":\"cost\",\"objects\":[{\"object\":\"one\",\"property_sets\":["
	"{\"guid\":\"45ffaaa0-6e1b-11d0-bcf2-444553540000\",\"items\":[{\"id\":4,\"get\":true,\"min_data\":4,"
	"\"get_handler\":\"store\"}]}]}]}";

static int rounds = 40;
static int failed;

/* measure runs where calls are cheapest on every system. */
static void measure(void *unused)
{
	(void)unused;
	char err[200] = "";
	memcpy(request, set, 16);
	request[16] = 4;
	request[20] = KSD_GET;
	ksd_item item = {.size = sizeof item, .id = 4, .min_data = 4, .get = get};
	ksd_set c_set = {.items = &item, .count = 1, .item_size = sizeof item};
	memcpy(c_set.guid, set, 16);
	ksd_object go = ksd_object_from_json(manifest, sizeof manifest - 1, NULL, NULL, 0, err, sizeof err);
	ksd_object c = ksd_object_new(&c_set, 1, err, sizeof err);
	ksd_handle with_go = ksd_open(go, NULL, 0), with_c = ksd_open(c, NULL, 0);
	double least[4] = {1e9, 1e9, 1e9, 1e9};
	for (int i = 0; i < rounds; i++) {
		double ns[4] = {single(with_go), batch(with_go), single(with_c), batch(with_c)};
		for (int k = 0; k < 4; k++) {
			failed |= ns[k] < 0;
			if (ns[k] < least[k])
				least[k] = ns[k];
		}
	}
	ksd_close(with_go);
	ksd_close(with_c);
	if (!failed)
		printf("go %.1f\ngo/batch %.1f\nc %.1f\nc/batch %.1f\n", least[0], least[1], least[2], least[3]);
	else
		fprintf(stderr, "cost: a request failed. %s\n", err);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = atoi(argv[1]);
	ksd_run(measure, NULL);
	return failed;
}

/* contexts.c: contexts, and pointers that come with the length 0, may be any numbers: small ones, and those that look like the memory of
   Go's heap. Go's stacks grow and are moved, and its collector runs, while requests with them are in progress. */
#include <stdint.h>

#include "test.h"

static void *number(uintptr_t n) { return (void *)n; }

/* The handles of a chain: each handler asks the next, so that Go has many frames on its stack. */
enum { DEPTH = 100 };
static ksd_handle chain[DEPTH + 1];
static uintptr_t want_context, want_file;

static ksd_status next(ksd_call *call)
{
	uint32_t i, below = 0;
	memcpy(&i, call->request + 24, 4);
	CHECK(call->context == number(want_context) && call->file == number(want_file + i));
	if (i < DEPTH) {
		uint8_t request[32] = {0};
		identify(request, 1, KSD_GET);
		i++;
		memcpy(request + 24, &i, 4);
		CHECK_STATUS(ksd_ioctl(chain[i], KSD_IOCTL_PROPERTY, request, sizeof request, &below, 4, NULL), KSD_SUCCESS);
	}
	below++;
	memcpy(call->data, &below, 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static uint64_t pended;

static ksd_status pends(ksd_call *call)
{
	pended = call->token;
	return KSD_PENDING;
}

static ksd_status control(ksd_call *call)
{
	CHECK(call->context == number(want_context));
	return KSD_SUCCESS;
}

static void *told;
static void done(void *context, ksd_status status, uint32_t returned)
{
	(void)returned;
	CHECK_STATUS(status, KSD_CANCELLED);
	told = context;
}

static void signalled(void *context, uint64_t client) { (void)context, (void)client; }

static void run(void *context)
{
	uintptr_t n = want_context = (uintptr_t)context;
	want_file = n + 1;
	ksd_item items[] = {
		{.size = sizeof(ksd_item), .id = 1, .min_property = 32, .min_data = 4, .get = next, .context = context},
		{.size = sizeof(ksd_item), .id = 2, .get = pends, .context = context},
	};
	ksd_object o = make(items, 2);
	uint8_t request[32] = {0};
	uint32_t depth = 0, returned;
	for (uint32_t i = 0; i <= DEPTH; i++)
		chain[i] = ksd_open(o, number(want_file + i), 0);
	identify(request, 1, KSD_GET);
	CHECK_STATUS(ksd_ioctl(chain[0], KSD_IOCTL_PROPERTY, request, sizeof request, &depth, 4, &returned), KSD_SUCCESS);
	CHECK(depth == DEPTH + 1);
	for (uint32_t i = 0; i <= DEPTH; i++)
		ksd_close(chain[i]);

	ksd_handle h = ksd_open(o, context, KSD_CONCURRENT);
	ksd_port port = ksd_port_new();
	CHECK_STATUS(ksd_on_signal(h, signalled, context), KSD_SUCCESS);
	CHECK_STATUS(ksd_object_on_ioctl(o, 0x2f0000, control, context), KSD_SUCCESS);
	CHECK_STATUS(ksd_port_attach(port, h), KSD_SUCCESS);
	CHECK_STATUS(ksd_ioctl(h, 0x2f0000, context, 0, context, 0, NULL), KSD_SUCCESS);
	identify(request, 2, KSD_GET);
	CHECK_STATUS(ksd_ioctl_async(h, KSD_IOCTL_PROPERTY, request, 24, context, 0, NULL, done, context), KSD_PENDING);
	CHECK_STATUS(ksd_cancel(h, context), KSD_SUCCESS);
	CHECK(told == context);
	CHECK_STATUS(ksd_ioctl_async(h, KSD_IOCTL_PROPERTY, request, 24, context, 0, NULL, NULL, context), KSD_PENDING);
	CHECK_STATUS(ksd_complete(pended, KSD_SUCCESS, 0), KSD_SUCCESS);
	ksd_packet packet = {0};
	CHECK(ksd_port_wait(port, &packet, 1, KSD_FOREVER) == 1 && packet.context == context && packet.handle == h);

	/* What has the length 0 is not looked at. */
	ksd_request empty = {context, context, 0, 0, KSD_IOCTL_PROPERTY, 0, 0, 0};
	CHECK(ksd_ioctl_batch(h, &empty, 1) == 1);
	CHECK_STATUS(empty.status, KSD_INVALID_BUFFER_SIZE);
	CHECK(ksd_ioctl_batch(h, context, 0) == 0 && ksd_port_wait(port, context, 0, 0) == 0);
	CHECK_STATUS(ksd_create_pin(h, context, 0, context, 0, &chain[0]), KSD_OBJECT_NAME_NOT_FOUND);
	ksd_generate(o, test_set, 1, context, 0);
	ksd_set none = {{0}, context, 0, 0};
	ksd_object empties = ksd_object_new(&none, 1, context, 0);
	CHECK(empties != 0 && ksd_object_new(context, 0, context, 0) != 0);
	CHECK(ksd_object_from_json(context, 0, NULL, context, 0, context, 0) == 0);
	ksd_object_free(empties);
	ksd_port_close(port);
	ksd_close(h);
	ksd_object_free(o);
}

/* Addresses of Go's heap, in use and free, that are kept while the collector runs. */
static void heap(void)
{
	enum { OBJECTS = 1024 };
	static ksd_object objects[OBJECTS];
	for (uintptr_t round = 0; round < 4; round++) {
		for (uintptr_t i = 0; i < OBJECTS; i++) {
			ksd_item item = {.size = sizeof item, .id = 1, .get = next, .context = number(0xc000000000 + (i * 4 + round) * 8192)};
			ksd_object_free(objects[i]);
			objects[i] = make(&item, 1);
		}
	}
	for (int i = 0; i < OBJECTS; i++)
		ksd_object_free(objects[i]);
}

int main(void)
{
	for (uintptr_t n = 1; n <= 4097; n = n < 64 ? n + 1 : n + 61)
		ksd_run(run, number(n));
	heap();
	return result();
}

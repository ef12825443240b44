/* async.c: many requests at once on one handle, whose ends are told by a function or queued in a port. They are completed by other
   threads, cancelled, and ended by closing, each once. The argument is the requests of a thread. */
#include <sched.h>

#include "queue.h"
#include "test.h"

enum { THREADS = 4, SLOTS = 64 };

static ksd_status pends(ksd_call *call)
{
	memcpy(call->data, "pend", 4);
	push(call->token);
	return KSD_PENDING;
}

static ksd_status answers(ksd_call *call)
{
	memcpy(call->data, "here", 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status completes_itself(ksd_call *call)
{
	memcpy(call->data, "self", 4);
	CHECK_STATUS(ksd_complete(call->token, KSD_SUCCESS, 4), KSD_SUCCESS);
	return KSD_PENDING;
}

/* Asks itself for less, on the handle that it serves. */
static ksd_status counts_down(ksd_call *call)
{
	uint32_t n = 0, below = 0, rest;
	memcpy(&rest, call->request + 24, 4);
	if (rest) {
		uint8_t request[32] = {0};
		identify(request, 4, KSD_GET);
		rest--;
		memcpy(request + 24, &rest, 4);
		CHECK_STATUS(ksd_ioctl(call->handle, KSD_IOCTL_PROPERTY, request, sizeof request, &below, 4, &n), KSD_SUCCESS);
	}
	below++;
	memcpy(call->data, &below, 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static const ksd_item items[] = {
	{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = pends},
	{.size = sizeof(ksd_item), .id = 2, .min_data = 4, .get = answers},
	{.size = sizeof(ksd_item), .id = 3, .min_data = 4, .get = completes_itself},
	{.size = sizeof(ksd_item), .id = 4, .min_data = 4, .min_property = 32, .get = counts_down},
};

/* A slot is a request in flight. */
struct slot {
	uint8_t request[24];
	char data[5];
	int busy;     /* atomic */
	unsigned end; /* atomic: how often its end was told */
};

static unsigned long succeeded, cancelled; /* atomic */

static void end(struct slot *s, ksd_status status, uint32_t returned)
{
	uint32_t id;
	memcpy(&id, s->request + 16, 4);
	if (status == KSD_SUCCESS) {
		CHECK(returned == 4 && strcmp(s->data, id == 1 ? "pend" : id == 2 ? "here" : "self") == 0);
		__atomic_add_fetch(&succeeded, 1, __ATOMIC_RELAXED);
	} else {
		CHECK_STATUS(status, KSD_CANCELLED);
		CHECK(returned == 0);
		__atomic_add_fetch(&cancelled, 1, __ATOMIC_RELAXED);
	}
	CHECK(__atomic_add_fetch(&s->end, 1, __ATOMIC_RELAXED) == 1);
	__atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
}

static void done(void *context, ksd_status status, uint32_t returned) { end(context, status, returned); }

static long requests = 2000;
static int cancels;

struct sender {
	ksd_handle shared, own;
	ksd_port port; /* of own */
	struct slot slots[SLOTS];
};

static void reap(struct sender *s, uint32_t milliseconds)
{
	ksd_packet packets[16];
	uint32_t n = ksd_port_wait(s->port, packets, 16, milliseconds);
	for (uint32_t i = 0; i < n; i++) {
		CHECK(packets[i].handle == s->own);
		end(packets[i].context, packets[i].status, packets[i].returned);
	}
}

static void *send_all(void *argument)
{
	struct sender *s = argument;
	for (long i = 0; i < requests; i++) {
		struct slot *slot = &s->slots[i % SLOTS];
		while (__atomic_load_n(&slot->busy, __ATOMIC_ACQUIRE))
			reap(s, 1);
		uint32_t n = 0, id = 1 + (uint32_t)(i % 3);
		identify(slot->request, id, KSD_GET);
		memcpy(slot->data, "....", 5);
		slot->busy = 1;
		slot->end = 0;
		int queued = i % 2;
		ksd_status status = ksd_ioctl_async(queued ? s->own : s->shared, KSD_IOCTL_PROPERTY, slot->request, 24, slot->data, 4, &n,
		                                    queued ? NULL : done, slot);
		if (id == 2)
			CHECK_STATUS(status, KSD_SUCCESS);
		else
			CHECK_STATUS(status, KSD_PENDING);
		if (status != KSD_PENDING && !queued)
			end(slot, status, n);
		if (cancels && i % 16 == 3) { /* the request may have ended */
			status = ksd_cancel(queued ? s->own : s->shared, slot);
			if (status != KSD_SUCCESS)
				CHECK_STATUS(status, KSD_NOT_FOUND);
		}
	}
	for (int i = 0; i < SLOTS; i++)
		while (__atomic_load_n(&s->slots[i].busy, __ATOMIC_ACQUIRE))
			reap(s, 1);
	return NULL;
}

static void *complete_all(void *unused)
{
	(void)unused;
	for (uint64_t token; (token = pop());) {
		ksd_status status = ksd_complete(token, KSD_SUCCESS, 4);
		if (status != KSD_SUCCESS) {
			CHECK_STATUS(status, KSD_INVALID_HANDLE);
			CHECK(cancels);
		}
		CHECK_STATUS(ksd_complete(token, KSD_UNSUCCESSFUL, 0), KSD_INVALID_HANDLE);
	}
	return NULL;
}

static void all_once(ksd_object o)
{
	static struct sender senders[THREADS];
	pthread_t threads[THREADS], completers[2];
	ksd_handle shared = ksd_open(o, NULL, KSD_CONCURRENT);
	succeeded = cancelled = 0;
	reopen();
	for (int i = 0; i < 2; i++)
		pthread_create(&completers[i], NULL, complete_all, NULL);
	for (int i = 0; i < THREADS; i++) {
		struct sender *s = &senders[i];
		s->shared = shared;
		s->own = ksd_open(o, NULL, KSD_CONCURRENT);
		s->port = ksd_port_new();
		CHECK_STATUS(ksd_port_attach(s->port, s->own), KSD_SUCCESS);
		CHECK_STATUS(ksd_port_attach(s->port, s->own), KSD_INVALID_PARAMETER);
		pthread_create(&threads[i], NULL, send_all, s);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ksd_close(senders[i].own);
		ksd_port_close(senders[i].port);
		ksd_port_close(senders[i].port);
	}
	shut();
	for (int i = 0; i < 2; i++)
		pthread_join(completers[i], NULL);
	ksd_close(shared);
	CHECK(succeeded + cancelled == (unsigned long)(THREADS * requests));
	CHECK(cancels || cancelled == 0);
}

/* Closing ends what is pended, and tells of it before it returns; the driver's completion comes too late. */
static void closing(ksd_object o)
{
	enum { MANY = 300 };
	static struct slot slots[MANY];
	reopen();
	ksd_handle h = ksd_open(o, NULL, KSD_CONCURRENT);
	cancelled = 0;
	for (int i = 0; i < MANY; i++) {
		struct slot *s = &slots[i];
		identify(s->request, 1, KSD_GET);
		s->busy = 1;
		CHECK_STATUS(ksd_ioctl_async(h, KSD_IOCTL_PROPERTY, s->request, 24, s->data, 4, NULL, done, s), KSD_PENDING);
	}
	ksd_close(h);
	for (int i = 0; i < MANY; i++)
		while (__atomic_load_n(&slots[i].busy, __ATOMIC_ACQUIRE))
			sched_yield();
	CHECK(cancelled == MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_STATUS(ksd_complete(pop(), KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
	CHECK_STATUS(ksd_ioctl_async(h, KSD_IOCTL_PROPERTY, slots[0].request, 24, slots[0].data, 4, NULL, done, NULL), KSD_INVALID_HANDLE);
	CHECK_STATUS(ksd_cancel(h, NULL), KSD_INVALID_HANDLE);
}

static void *send_one(void *argument)
{
	char data[4];
	uint32_t n = 99;
	CHECK_STATUS(send(*(ksd_handle *)argument, 1, KSD_GET, data, sizeof data, &n), KSD_CANCELLED);
	CHECK(n == 0);
	return NULL;
}

/* A request that is waited for is cancelled too, on handles of both kinds. */
static void cancelling(ksd_object o)
{
	for (uint32_t flags = 0; flags <= KSD_CONCURRENT; flags += KSD_CONCURRENT) {
		pthread_t thread;
		ksd_handle h = ksd_open(o, NULL, flags);
		CHECK_STATUS(ksd_cancel(h, NULL), KSD_NOT_FOUND);
		pthread_create(&thread, NULL, send_one, &h);
		uint64_t token = pop();
		CHECK_STATUS(ksd_cancel(h, &token), KSD_NOT_FOUND);
		CHECK_STATUS(ksd_cancel(h, NULL), KSD_SUCCESS);
		pthread_join(thread, NULL);
		CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
		ksd_close(h);
	}
}

/* What a handle without KSD_CONCURRENT refuses or waits for. */
static void plain(ksd_object o)
{
	char data[4];
	uint32_t n = 0;
	uint8_t request[24];
	ksd_handle h = ksd_open(o, NULL, 0), many = ksd_open(o, NULL, KSD_CONCURRENT);
	ksd_port port = ksd_port_new();
	identify(request, 3, KSD_GET);
	CHECK_STATUS(ksd_ioctl_async(h, KSD_IOCTL_PROPERTY, request, 24, data, 4, &n, done, NULL), KSD_SUCCESS);
	CHECK(n == 4 && memcmp(data, "self", 4) == 0);
	CHECK_STATUS(ksd_port_attach(port, h), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_port_attach(port + 64, many), KSD_INVALID_HANDLE);
	CHECK_STATUS(ksd_ioctl_async(many, KSD_IOCTL_PROPERTY, request, 24, data, 4, &n, NULL, NULL), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_ioctl_async(many, KSD_IOCTL_PROPERTY, NULL, 24, data, 4, &n, done, NULL), KSD_ACCESS_VIOLATION);
	CHECK(ksd_port_wait(port, NULL, 1, 0) == 0);
	ksd_packet packet;
	CHECK(ksd_port_wait(port, &packet, 1, 0) == 0);
	CHECK(ksd_port_wait(port, &packet, 1, 5) == 0);
	ksd_port_close(port);
	CHECK(ksd_port_wait(port, &packet, 1, KSD_FOREVER) == 0);
	ksd_close(h);
	ksd_close(many);
}

/* Handlers call back into the handle that they serve. */
static void nesting(ksd_object o)
{
	uint8_t request[32] = {0};
	uint32_t n = 0, depth = 0, deep = 40;
	ksd_handle h = ksd_open(o, NULL, KSD_CONCURRENT);
	identify(request, 4, KSD_GET);
	memcpy(request + 24, &deep, 4);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, &depth, 4, &n), KSD_SUCCESS);
	CHECK(depth == deep + 1);
	ksd_close(h);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		requests = atol(argv[1]);
	ksd_object o = make(items, sizeof items / sizeof *items);
	all_once(o);
	cancels = 1;
	all_once(o);
	closing(o);
	cancelling(o);
	plain(o);
	nesting(o);
	ksd_object_free(o);
	return result();
}

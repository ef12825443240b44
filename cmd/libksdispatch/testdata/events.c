/* events.c: events are enabled with a number of the client's, and told on a thread of the library. */
#include <pthread.h>
#include <sched.h>

#include "test.h"

static struct {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	uint64_t told[64];
	int count;
} log_ = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void signal_(void *context, uint64_t client_handle)
{
	CHECK(context == &log_);
	pthread_mutex_lock(&log_.mu);
	if (log_.count < 64)
		log_.told[log_.count++] = client_handle;
	pthread_cond_broadcast(&log_.changed);
	pthread_mutex_unlock(&log_.mu);
}

/* told waits for the number of signals, and checks that there are no more of them. */
static void told(int count)
{
	pthread_mutex_lock(&log_.mu);
	while (log_.count < count)
		pthread_cond_wait(&log_.changed, &log_.mu);
	CHECK(log_.count == count);
	pthread_mutex_unlock(&log_.mu);
}

struct event_data { /* KSEVENTDATA */
	uint32_t type, padding;
	uint64_t handle, reserved[2];
};

static ksd_status enable(ksd_handle h, uint32_t id, struct event_data *data)
{
	uint8_t request[24];
	identify(request, id, 1);
	return ksd_ioctl(h, KSD_IOCTL_ENABLE_EVENT, request, sizeof request, data, sizeof *data, NULL);
}

static ksd_handle closing;
static int closed;

static void closes(void *context, uint64_t client_handle)
{
	(void)context, (void)client_handle;
	ksd_close(closing);
	pthread_mutex_lock(&log_.mu);
	closed = 1;
	pthread_cond_broadcast(&log_.changed);
	pthread_mutex_unlock(&log_.mu);
}

/* A client that takes its time keeps its own handle from closing, and no other. */
static int begun, go_on, finished; /* atomic */

static void takes_its_time(void *context, uint64_t client_handle)
{
	(void)context, (void)client_handle;
	__atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		sched_yield();
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
}

static void slow_client(ksd_object o)
{
	ksd_handle slow = ksd_open(o, NULL, 0), other = ksd_open(o, NULL, 0);
	struct event_data first = {.type = 1, .handle = 1}, second = {.type = 1, .handle = 2};
	CHECK_STATUS(ksd_on_signal(slow, takes_its_time, NULL), KSD_SUCCESS);
	CHECK_STATUS(ksd_on_signal(other, signal_, &log_), KSD_SUCCESS);
	CHECK_STATUS(enable(slow, 1, &first), KSD_SUCCESS);
	CHECK_STATUS(enable(other, 2, &second), KSD_SUCCESS);
	CHECK_STATUS(ksd_generate(o, test_set, 1, NULL, 0), KSD_SUCCESS);
	while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
		sched_yield();
	ksd_close(other);
	CHECK(!__atomic_load_n(&finished, __ATOMIC_ACQUIRE));
	__atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
	ksd_close(slow);
	CHECK(__atomic_load_n(&finished, __ATOMIC_ACQUIRE));
}

int main(void)
{
	ksd_item items[] = {
		{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_EVENT},
		{.size = sizeof(ksd_item), .id = 2, .kind = KSD_KIND_EVENT},
	};
	ksd_object o = make(items, 2);
	ksd_handle h = ksd_open(o, NULL, 0), other = ksd_open(o, NULL, 0);
	struct event_data first = {.type = 1, .handle = 0x1111}, second = {.type = 1, .handle = 0x2222}, none = {.type = 1};

	CHECK_STATUS(enable(h, 1, &first), KSD_INVALID_HANDLE); /* nobody is told */
	CHECK_STATUS(ksd_on_signal(h, signal_, &log_), KSD_SUCCESS);
	CHECK_STATUS(enable(h, 1, &none), KSD_INVALID_HANDLE);
	CHECK_STATUS(enable(h, 3, &first), KSD_NOT_FOUND);
	CHECK_STATUS(enable(h, 1, &first), KSD_SUCCESS);
	CHECK_STATUS(enable(h, 2, &second), KSD_SUCCESS);

	CHECK_STATUS(ksd_generate(o, test_set, 1, NULL, 0), KSD_SUCCESS);
	told(1);
	CHECK(log_.told[0] == 0x1111);
	CHECK_STATUS(ksd_generate(o, test_set, 2, NULL, 0), KSD_SUCCESS);
	told(2);
	CHECK(log_.told[1] == 0x2222);
	for (int i = 0; i < 10; i++)
		CHECK_STATUS(ksd_generate(o, test_set, 1, "data", 4), KSD_SUCCESS);
	told(12);
	CHECK_STATUS(ksd_generate(o, NULL, 1, NULL, 0), KSD_ACCESS_VIOLATION);

	/* Another handle, which nobody is told through, does not hear of it; disabled events are not told. */
	CHECK_STATUS(ksd_ioctl(other, KSD_IOCTL_DISABLE_EVENT, &first, sizeof first, NULL, 0, NULL), KSD_UNSUCCESSFUL);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_DISABLE_EVENT, &first, sizeof first, NULL, 0, NULL), KSD_SUCCESS);
	CHECK_STATUS(ksd_generate(o, test_set, 1, NULL, 0), KSD_SUCCESS);
	CHECK_STATUS(ksd_generate(o, test_set, 2, NULL, 0), KSD_SUCCESS);
	told(13);
	CHECK(log_.told[12] == 0x2222);

	/* After a close nothing is told, and a client may close where it is told. */
	ksd_close(h);
	CHECK_STATUS(ksd_generate(o, test_set, 2, NULL, 0), KSD_SUCCESS);
	CHECK_STATUS(ksd_on_signal(other, closes, NULL), KSD_SUCCESS);
	CHECK_STATUS(enable(other, 1, &first), KSD_SUCCESS);
	closing = other;
	CHECK_STATUS(ksd_generate(o, test_set, 1, NULL, 0), KSD_SUCCESS);
	pthread_mutex_lock(&log_.mu);
	while (!closed)
		pthread_cond_wait(&log_.changed, &log_.mu);
	CHECK(log_.count == 13);
	pthread_mutex_unlock(&log_.mu);
	CHECK_STATUS(enable(other, 1, &first), KSD_INVALID_HANDLE);
	slow_client(o);
	ksd_object_free(o);
	return result();
}

/* pending.c: requests that pend, completed once by other threads, or ended by closing. The argument is the requests of a thread. */
#include "queue.h"
#include "test.h"

enum { THREADS = 4 };

static ksd_status pends(ksd_call *call)
{
	memcpy(call->data, "pend", 4); /* before another thread may end it */
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
	CHECK_STATUS(ksd_complete(call->token, KSD_PENDING, 4), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_complete(call->token, KSD_SUCCESS, 4), KSD_SUCCESS);
	CHECK_STATUS(ksd_complete(call->token, KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
	return KSD_PENDING;
}

/* Another thread completes the request while its handler runs, and the handler sees that before it returns what its context says. */
static uint64_t handed; /* atomic */

static ksd_status waits_for_the_end(ksd_call *call)
{
	memcpy(call->data, "done", 4);
	call->information = 2;
	__atomic_store_n(&handed, call->token, __ATOMIC_RELEASE);
	while (__atomic_load_n(&handed, __ATOMIC_ACQUIRE))
		sched_yield();
	return *(const ksd_status *)call->context;
}

/* What a handler writes to its call is its own matter. */
static ksd_status scribbles(ksd_call *call)
{
	ksd_status other = send(call->handle, 2, KSD_GET, call->data, 4, NULL);
	CHECK_STATUS(other, KSD_DEVICE_BUSY);
	CHECK(call->size == sizeof *call && call->file == (void *)call->context && call->verb == KSD_GET);
	memset(call, 0xff, sizeof *call);
	call->information = 0;
	return KSD_SUCCESS;
}

static const ksd_status answers_of_its_own[] = {KSD_PENDING, KSD_SUCCESS, KSD_UNSUCCESSFUL};

static const ksd_item items[] = {
	{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = pends},
	{.size = sizeof(ksd_item), .id = 2, .min_data = 4, .get = answers},
	{.size = sizeof(ksd_item), .id = 3, .min_data = 4, .get = completes_itself},
	{.size = sizeof(ksd_item), .id = 4, .min_data = 4, .get = waits_for_the_end, .context = (void *)&answers_of_its_own[0]},
	{.size = sizeof(ksd_item), .id = 5, .min_data = 4, .get = waits_for_the_end, .context = (void *)&answers_of_its_own[1]},
	{.size = sizeof(ksd_item), .id = 6, .min_data = 4, .get = waits_for_the_end, .context = (void *)&answers_of_its_own[2]},
	{.size = sizeof(ksd_item), .id = 7, .min_data = 4, .get = scribbles, .context = (void *)7},
};

static unsigned long completed; /* by the thread that completes, each once */

static void *complete_all(void *unused)
{
	(void)unused;
	for (uint64_t token; (token = pop());) {
		CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_SUCCESS);
		CHECK_STATUS(ksd_complete(token, KSD_UNSUCCESSFUL, 0), KSD_INVALID_HANDLE);
		completed++;
	}
	return NULL;
}

static long requests = 2000;
static ksd_handle shared;

struct sender {
	ksd_handle own;
	unsigned long pended, wrong;
};

static void *send_all(void *argument)
{
	struct sender *s = argument;
	for (long i = 0; i < requests; i++) {
		char data[5] = "....";
		uint32_t n = 0, id = 1 + (uint32_t)(i % 3);
		ksd_status status = send(i % 2 ? s->own : shared, id, KSD_GET, data, 4, &n);
		if (status != KSD_SUCCESS || n != 4 || strcmp(data, id == 1 ? "pend" : id == 2 ? "here" : "self") != 0)
			s->wrong++;
		s->pended += id == 1;
	}
	return NULL;
}

static void all_once(ksd_object o)
{
	struct sender senders[THREADS];
	pthread_t threads[THREADS], completer;
	shared = ksd_open(o, NULL, 0);
	pthread_create(&completer, NULL, complete_all, NULL);
	for (int i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.own = ksd_open(o, NULL, 0)};
		pthread_create(&threads[i], NULL, send_all, &senders[i]);
	}
	unsigned long pended = 0;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(senders[i].wrong == 0);
		pended += senders[i].pended;
		ksd_close(senders[i].own);
	}
	shut();
	pthread_join(completer, NULL);
	CHECK(completed == pended);
	ksd_close(shared);
	reopen();
}

static void *send_one(void *argument)
{
	ksd_handle h = *(ksd_handle *)argument;
	char data[4];
	uint32_t n = 99;
	CHECK_STATUS(send(h, 1, KSD_GET, data, sizeof data, &n), KSD_CANCELLED);
	CHECK(n == 0);
	return NULL;
}

/* Closing ends what is pended; the driver's completion comes too late. */
static void closing(ksd_object o)
{
	for (int i = 0; i < 200; i++) {
		ksd_handle h = ksd_open(o, NULL, 0);
		pthread_t thread;
		pthread_create(&thread, NULL, send_one, &h);
		uint64_t token = pop();
		ksd_close(h);
		CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
		pthread_join(thread, NULL);
		CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
	}
}

static void *complete_handed(void *rounds)
{
	for (int i = 0; i < *(const int *)rounds; i++) {
		uint64_t token;
		while (!(token = __atomic_load_n(&handed, __ATOMIC_ACQUIRE)))
			sched_yield();
		CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_SUCCESS);
		CHECK_STATUS(ksd_complete(token, KSD_UNSUCCESSFUL, 0), KSD_INVALID_HANDLE);
		CHECK_STATUS(ksd_complete(token + (1ull << 32), KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
		__atomic_store_n(&handed, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The end that another thread gave a request counts, whatever its handler returns then, and does not count for the next. */
static void early(ksd_object o)
{
	int rounds = 300;
	for (uint32_t flags = 0; flags <= KSD_CONCURRENT; flags += KSD_CONCURRENT) {
		pthread_t thread;
		ksd_handle h = ksd_open(o, (void *)7, flags);
		pthread_create(&thread, NULL, complete_handed, &rounds);
		for (int i = 0; i < rounds; i++) {
			char data[5] = "....";
			uint32_t n = 0;
			CHECK_STATUS(send(h, 4 + (uint32_t)(i % 3), KSD_GET, data, 4, &n), KSD_SUCCESS);
			CHECK(n == 4 && strcmp(data, "done") == 0);
			CHECK_STATUS(send(h, 2, KSD_GET, data, 4, &n), KSD_SUCCESS);
			CHECK(n == 4 && strcmp(data, "here") == 0);
		}
		pthread_join(thread, NULL);
		if (!flags) {
			CHECK_STATUS(send(h, 7, KSD_GET, NULL, 0, NULL), KSD_BUFFER_OVERFLOW);
			for (int i = 0; i < 3; i++) {
				char data[4];
				CHECK_STATUS(send(h, 7, KSD_GET, data, 4, NULL), KSD_SUCCESS);
			}
		}
		ksd_close(h);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		requests = atol(argv[1]);
	ksd_object o = make(items, sizeof items / sizeof *items);
	all_once(o);
	closing(o);
	early(o);
	ksd_object_free(o);
	return result();
}

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

static const ksd_item items[] = {
	{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = pends},
	{.size = sizeof(ksd_item), .id = 2, .min_data = 4, .get = answers},
	{.size = sizeof(ksd_item), .id = 3, .min_data = 4, .get = completes_itself},
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

int main(int argc, char **argv)
{
	if (argc > 1)
		requests = atol(argv[1]);
	ksd_object o = make(items, sizeof items / sizeof *items);
	all_once(o);
	closing(o);
	ksd_object_free(o);
	return result();
}

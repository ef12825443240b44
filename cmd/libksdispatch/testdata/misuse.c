/* misuse.c: a volume control, a mute, requests that pend, events, pins, swaps, observers and traces, which threads use at random and
   wrongly: numbers that are stale, made up or of another kind, NULL, odd lengths, callbacks that call back. Whatever they do has a
   status. The arguments are the calls of a thread, and a name for traces. */
#include <pthread.h>

#include "test.h"

enum { THREADS = 4, SHARED = 16 };

static uint64_t shared[SHARED]; /* numbers of all kinds, atomic */
static uint64_t plain[SHARED];  /* handles on which requests wait for each other: inside handlers they would wait in a circle */

/* All handles: what pends on them is cancelled, again and again, as others would wait for it. */
static uint64_t opened[1 << 16];
static uint32_t opens;
static int over;
static const char *trace_name;

/* The state of the thread, so that callbacks go on with it. */
static __thread uint32_t random_state;
static __thread int depth;

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13, *seed ^= *seed >> 17, *seed ^= *seed << 5;
	return *seed;
}

static uint64_t any(uint32_t *seed)
{
	uint64_t *from = depth == 0 && next(seed) % 2 ? plain : shared;
	uint64_t n = __atomic_load_n(&from[next(seed) % SHARED], __ATOMIC_RELAXED);
	switch (next(seed) % 16) {
	case 0: return 0;
	case 1: return n ^ 1ull << next(seed) % 64;
	case 2: return (uint64_t)next(seed) << 32 | next(seed);
	case 3: return UINT64_MAX;
	default: return n;
	}
}

static void keep(uint64_t handle)
{
	if (handle)
		__atomic_store_n(&opened[__atomic_fetch_add(&opens, 1, __ATOMIC_RELAXED) % (1 << 16)], handle, __ATOMIC_RELAXED);
}

static void share(uint32_t *seed, uint64_t n)
{
	if (n)
		__atomic_store_n(&shared[next(seed) % SHARED], n, __ATOMIC_RELAXED);
}

static void step(uint32_t *seed, int inner);

static void inside(void)
{
	if (depth < 3 && random_state) {
		depth++;
		step(&random_state, depth);
		depth--;
	}
}

static ksd_status volume(ksd_call *call)
{
	inside();
	if (call->data_len >= 4)
		memset(call->data, 1, 4);
	call->information = call->verb == KSD_SET ? 0 : 4;
	return KSD_SUCCESS;
}

static ksd_status odd(ksd_call *call)
{
	uint32_t r = random_state ? next(&random_state) : 1;
	share(&r, call->token);
	inside();
	if (r % 8 == 0)
		ksd_close(call->handle);
	if (r % 8 == 1)
		ksd_complete(call->token, KSD_SUCCESS, r % 3 ? 4 : UINT64_MAX);
	call->information = r % 4 ? call->data_len : UINT64_MAX;
	return r % 5 == 0 ? (ksd_status)r : KSD_SUCCESS;
}

static ksd_status pends(ksd_call *call)
{
	uint32_t r = random_state ? next(&random_state) : 1;
	share(&r, call->token);
	if (r % 4 == 0 || !(call->file))
		ksd_complete(call->token, r % 3 ? KSD_SUCCESS : KSD_UNSUCCESSFUL, 4);
	return KSD_PENDING;
}

static ksd_status look(const ksd_seen *seen)
{
	inside();
	return seen->verb == KSD_SET ? KSD_ACCESS_DENIED : KSD_SUCCESS;
}

static void signalled(void *context, uint64_t client) { (void)context, (void)client; }
static void done(void *context, ksd_status status, uint32_t n) { (void)context, (void)status, (void)n; }

static const ksd_item items[] = {
	{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = volume, .set = volume, .support = volume},
	{.size = sizeof(ksd_item), .id = 2, .get = odd, .set = odd},
	{.size = sizeof(ksd_item), .id = 3, .get = pends},
	{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_METHOD, .flags = 3, .get = odd},
	{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_EVENT},
};

static uint8_t room[THREADS][64][256]; /* buffers of requests, which may be in flight */

static ksd_object make_any(uint32_t *seed)
{
	ksd_set set = {{0}, items, 1 + next(seed) % 5, sizeof *items};
	memcpy(set.guid, test_set, 16);
	if (next(seed) % 8)
		return ksd_object_new(&set, 1, NULL, 0);
	return ksd_object_from_driver("wds-sysvad", NULL, &set, 1, NULL, 0);
}

static __thread int number_of_thread;

static void step(uint32_t *seed, int inner)
{
	static const uint32_t lengths[] = {0, 1, 4, 23, 24, 32, 40, 256};
	static const uint32_t codes[] = {KSD_IOCTL_PROPERTY,     KSD_IOCTL_PROPERTY,      KSD_IOCTL_METHOD,
	                                 KSD_IOCTL_ENABLE_EVENT, KSD_IOCTL_DISABLE_EVENT, 0x222403, 7};
	uint8_t *in = room[number_of_thread][next(seed) % 64], *out = room[number_of_thread][next(seed) % 64];
	uint32_t in_len = lengths[next(seed) % 8], out_len = lengths[next(seed) % 8], code = codes[next(seed) % 7], n;
	uint64_t a = any(seed), b = any(seed);
	ksd_request batch[3];
	ksd_packet packets[4];
	ksd_counter counters[4] = {{.size = sizeof(ksd_counter)}};
	ksd_observer observer = {sizeof observer, next(seed) % 3, look, look, look, NULL};
	if (next(seed) % 4) {
		identify(in, 1 + next(seed) % 4, next(seed) % 8 ? 1 + next(seed) % 2 : next(seed));
		in_len = code == KSD_IOCTL_DISABLE_EVENT ? in_len : 24;
	}
	if (code == KSD_IOCTL_ENABLE_EVENT) {
		memset(out, 0, 32);
		out[0] = 1, out[8] = 7, out_len = 32;
	}
	if (next(seed) % 16 == 0)
		in = NULL;
	if (next(seed) % 16 == 0)
		out = NULL;
	switch (next(seed) % 32) {
	default: ksd_ioctl_async(a, code, in, in_len, out, out_len, &n, done, (void *)(uintptr_t)(next(seed) % 5000)); break;
	case 0: share(seed, make_any(seed)); break;
	case 1: case 2: case 3:
		n = next(seed) & 7;
		b = ksd_open(a, (void *)(uintptr_t)(next(seed) % 2), n);
		keep(b);
		if (n & KSD_CONCURRENT)
			share(seed, b);
		else if (b)
			__atomic_store_n(&plain[next(seed) % SHARED], b, __ATOMIC_RELAXED);
		break;
	case 4: if (!inner || next(seed) % 4 == 0) ksd_close(a); break;
	case 5: case 6: ksd_complete(a, (ksd_status)(next(seed) % 3 ? 0 : next(seed)), next(seed)); break;
	case 7: case 8: ksd_cancel(a, (void *)(uintptr_t)(next(seed) % 3)); break;
	case 9: ksd_object_free(next(seed) % 8 ? 0 : a); break;
	case 10: ksd_object_swap(a, b); break;
	case 11: ksd_on_signal(a, next(seed) % 4 ? signalled : NULL, NULL); break;
	case 12: ksd_generate(a, next(seed) % 4 ? test_set : NULL, 1, in, in ? in_len : 3); break;
	case 13: share(seed, ksd_port_new()); break;
	case 14: ksd_port_attach(a, b); break;
	case 15: ksd_port_wait(a, next(seed) % 4 ? packets : NULL, next(seed) % 5, 0); break;
	case 16: ksd_port_close(a); break;
	case 17:
		b = 0;
		ksd_create_pin(a, in, next(seed) % 4 ? in_len : UINT32_MAX, NULL, next(seed) & 3, next(seed) % 4 ? &b : NULL);
		keep(b);
		break;
	case 18: ksd_object_on_ioctl(a, code, next(seed) % 2 ? odd : NULL, NULL); break;
	case 19: ksd_object_observe(a, next(seed) % 3 ? &observer : NULL); break;
	case 20: n = next(seed) % 5; ksd_object_counters(a, NULL, NULL, counters, &n); break;
	case 21:
		if (trace_name && ksd_trace_start(a, trace_name, KSD_TRACE_DROP, NULL, 0) == KSD_SUCCESS) {
			share(seed, a);
			remove(trace_name);
		}
		break;
	case 22: ksd_trace_stop(a, NULL, 0); break;
	case 23:
		for (int i = 0; i < 3; i++)
			batch[i] = (ksd_request){in, out, in_len, out_len, code, 0, 0, 0};
		ksd_ioctl_batch(a, next(seed) % 8 ? batch : NULL, 3);
		break;
	case 24: ksd_win32((ksd_status)next(seed)), ksd_status_name((ksd_status)next(seed)); break;
	}
}

static void *work(void *context)
{
	uint32_t *calls = context, seed = 0;
	static uint32_t thread;
	number_of_thread = (int)(__atomic_fetch_add(&thread, 1, __ATOMIC_RELAXED) % THREADS);
	seed = 77777u * (uint32_t)(number_of_thread + 1);
	random_state = seed + 1;
	for (uint32_t i = 0; i < *calls; i++)
		step(&seed, 0);
	return NULL;
}

static void *reap(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		for (uint32_t i = 0; i < 1 << 16; i++) {
			uint64_t h = __atomic_load_n(&opened[i], __ATOMIC_RELAXED);
			if (h && ksd_cancel(h, NULL) == KSD_INVALID_HANDLE)
				__atomic_store_n(&opened[i], 0, __ATOMIC_RELAXED);
		}
	return NULL;
}

/* Lengths that no buffer has, on buffers that are not looked at before they are refused, and NULL wherever there may be a pointer. */
static void lengths(void)
{
	ksd_object o = make(items, 5);
	ksd_handle h = ksd_open(o, NULL, 0), pin = 1;
	uint8_t request[24], out[4];
	uint32_t n = 9;
	identify(request, 1, KSD_GET);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, 0, out, 4, &n), KSD_INVALID_BUFFER_SIZE);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, NULL, UINT32_MAX, out, 4, &n), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, 24, NULL, UINT32_MAX, &n), KSD_ACCESS_VIOLATION);
	CHECK(n == 0);
	/* Nor do buffers go on from the last bytes that a pointer can name. */
	const uint8_t *last = (const uint8_t *)(UINTPTR_MAX - 22);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, last, 24, out, 4, &n), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, 24, (void *)last, 24, &n), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_create_pin(h, last, 24, NULL, 0, &pin), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_generate(o, test_set, 1, last, 24), KSD_ACCESS_VIOLATION);
	CHECK(ksd_object_new((const ksd_set *)(const void *)last, 1, NULL, 0) == 0);
	if (sizeof(void *) == 8)
		CHECK(ksd_create_pin(h, request, UINT32_MAX, NULL, 0, &pin) == KSD_OBJECT_NAME_NOT_FOUND && pin == 0);
	CHECK_STATUS(ksd_create_pin(h, NULL, UINT32_MAX, NULL, 0, &pin), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_create_pin(h, request, 24, NULL, 0, NULL), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_generate(o, NULL, 1, NULL, 0), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_generate(o, test_set, 1, NULL, UINT32_MAX), KSD_ACCESS_VIOLATION);
	CHECK(ksd_port_wait(ksd_port_new(), NULL, 3, KSD_FOREVER) == 0);
	CHECK(ksd_object_from_json(request, SIZE_MAX, NULL, NULL, 0, NULL, 0) == 0);
	CHECK(ksd_object_from_driver(NULL, NULL, NULL, UINT32_MAX, NULL, SIZE_MAX) == 0);
	CHECK(ksd_object_new(NULL, UINT32_MAX, NULL, 0) == 0);
	char err[300] = "";
	CHECK(ksd_object_from_driver("none", NULL, NULL, 0, err, SIZE_MAX) == 0 && strstr(err, "\"none\""));
	CHECK(ksd_object_from_driver("none", NULL, NULL, 0, err, 9) == 0 && strcmp(err, "drivers:") == 0);
	CHECK(ksd_object_from_driver("none", NULL, NULL, 0, err, 1) == 0 && *err == 0);
	ksd_run(NULL, NULL);
	ksd_close(h), ksd_close(h);
	ksd_object_free(o), ksd_object_free(o);
}

int main(int argc, char **argv)
{
	uint32_t calls = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
	trace_name = argc > 2 ? argv[2] : NULL;
	lengths();
	pthread_t threads[THREADS], reaper;
	pthread_create(&reaper, NULL, reap, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &calls);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(reaper, NULL);
	for (uint32_t i = 0; i < 1 << 16; i++)
		ksd_close(opened[i]);
	return result();
}

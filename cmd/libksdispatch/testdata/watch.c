/* watch.c: observers with hooks and counters, and traces. The argument is the file of a trace of a driver, which is to be new. */
#include "test.h"

static ksd_status get(ksd_call *call)
{
	int32_t value = 5;
	memcpy(call->data, &value, 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status set(ksd_call *call)
{
	int32_t value;
	memcpy(&value, call->data, 4);
	return value < 0 ? KSD_INVALID_PARAMETER : KSD_SUCCESS;
}

static uint64_t token;

static ksd_status pends(ksd_call *call)
{
	token = call->token;
	return KSD_PENDING;
}

static ksd_status method(ksd_call *call)
{
	memset(call->data, 'm', call->data_len);
	call->information = call->data_len;
	return KSD_SUCCESS;
}

static ksd_status control(ksd_call *call)
{
	(void)call;
	return KSD_SUCCESS;
}

/* What hooks have seen. */
static int context, file;
static ksd_seen last[3];
static uint8_t request_of[3][24], data_of[3][4];
static unsigned told[3];
static ksd_handle other;

static void keep(int hook, const ksd_seen *seen)
{
	CHECK(seen->size == sizeof *seen && seen->context == &context && seen->file == &file);
	last[hook] = *seen;
	told[hook]++;
	memset(request_of[hook], 0, 24);
	memset(data_of[hook], 0, 4);
	if (seen->request_len)
		memcpy(request_of[hook], seen->request, seen->request_len < 24 ? seen->request_len : 24);
	if (seen->data_len)
		memcpy(data_of[hook], seen->data, seen->data_len < 4 ? seen->data_len : 4);
}

static ksd_status before(const ksd_seen *seen)
{
	if (seen->handle == other)
		return KSD_SUCCESS;
	keep(0, seen);
	int32_t value = 0;
	CHECK_STATUS(send(seen->handle, 1, KSD_GET, &value, 4, NULL), KSD_DEVICE_BUSY);
	CHECK_STATUS(send(other, 1, KSD_GET, &value, 4, NULL), KSD_SUCCESS);
	memcpy(&value, data_of[0], 4);
	return seen->verb == KSD_SET && value == 666 ? KSD_ACCESS_DENIED : (ksd_status)0x123; /* which is no error */
}

static ksd_status after(const ksd_seen *seen)
{
	if (seen->handle != other)
		keep(1, seen);
	return KSD_ACCESS_DENIED; /* is ignored */
}

static ksd_status miss(const ksd_seen *seen)
{
	keep(2, seen);
	int32_t value;
	CHECK_STATUS(send(seen->handle, 1, KSD_GET, &value, 4, NULL), KSD_DEVICE_BUSY);
	return KSD_SUCCESS;
}

static const ksd_counter *find(const ksd_counter *all, uint32_t count, uint32_t id, uint32_t verb)
{
	for (uint32_t i = 0; i < count; i++)
		if (all[i].id == id && all[i].verb == verb && !all[i].rule[0])
			return &all[i];
	static const ksd_counter none;
	CHECK(!"there is such a counter");
	return &none;
}

static void observers(void)
{
	ksd_item items[] = {
		{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = get, .set = set},
		{.size = sizeof(ksd_item), .id = 2, .get = pends},
		{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_METHOD, .flags = 1, .get = method},
		{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_EVENT},
	};
	ksd_object o = make(items, 4);
	ksd_handle h = ksd_open(o, &file, 0);
	other = ksd_open(o, NULL, 0);
	int32_t value = 0;
	uint32_t n = 0;
	ksd_counter counters[16] = {{.size = sizeof(ksd_counter)}};
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_INVALID_DEVICE_STATE);

	ksd_observer observer = {sizeof observer, 1, before, after, miss, &context};
	CHECK_STATUS(ksd_object_observe(o, &observer), KSD_SUCCESS);
	n = 16;
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_SUCCESS);
	CHECK(n == 0);

	uint8_t want[24];
	identify(want, 1, KSD_GET);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, 4, &n), KSD_SUCCESS);
	CHECK(value == 5 && told[0] == 1 && told[1] == 1 && told[2] == 0);
	CHECK(last[0].code == KSD_IOCTL_PROPERTY && last[0].verb == KSD_GET && last[0].handle == h && last[0].request_len == 24);
	CHECK(last[0].data_len == 4 && memcmp(request_of[0], want, 24) == 0 && data_of[0][0] == 0);
	CHECK(last[1].status == KSD_SUCCESS && last[1].information == 4 && data_of[1][0] == 5 && memcmp(request_of[1], want, 24) == 0);

	value = -1;
	CHECK_STATUS(send(h, 1, KSD_SET, &value, 4, &n), KSD_INVALID_PARAMETER);
	CHECK(last[1].status == KSD_INVALID_PARAMETER && told[1] == 2);
	value = 666;
	CHECK_STATUS(send(h, 1, KSD_SET, &value, 4, &n), KSD_ACCESS_DENIED);
	CHECK(told[0] == 3 && told[1] == 2);

	CHECK_STATUS(send(h, 9, KSD_GET, &value, 4, &n), KSD_NOT_FOUND);
	identify(want, 9, KSD_GET);
	CHECK(told[2] == 1 && told[0] == 3 && last[2].status == KSD_NOT_FOUND && memcmp(request_of[2], want, 24) == 0);
	CHECK(last[2].code == KSD_IOCTL_PROPERTY && last[2].rule[0] == 'P' && last[2].rule[1] == '-' && last[2].data == NULL);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, want, 7, &value, 4, &n), KSD_INVALID_BUFFER_SIZE);
	CHECK(told[2] == 2 && last[2].status == KSD_INVALID_BUFFER_SIZE && request_of[2][0] == 0);

	/* Methods, events, control codes. */
	char text[3];
	identify(want, 1, 1);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_METHOD, want, 24, text, 3, &n), KSD_SUCCESS);
	CHECK(last[1].code == KSD_IOCTL_METHOD && last[1].information == 3 && data_of[1][0] == 'm');
	struct {
		uint32_t type, padding;
		uint64_t rest[3];
	} event = {1, 0, {0x1234, 0, 0}};
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_ENABLE_EVENT, want, 24, &event, sizeof event, &n), KSD_INVALID_HANDLE); /* nobody is told */
	CHECK_STATUS(ksd_ioctl(h, 0x222400, "?", 1, text, 3, &n), KSD_INVALID_DEVICE_REQUEST);
	CHECK(last[2].code == 0x222400 && last[2].status == KSD_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(ksd_object_on_ioctl(o, 0x222400, control, NULL), KSD_SUCCESS);
	CHECK_STATUS(ksd_ioctl(h, 0x222400, "?", 1, text, 3, &n), KSD_SUCCESS);
	CHECK(last[0].code == 0x222400 && request_of[0][0] == '?' && last[1].code == 0x222400);

	/* A request that goes on is not told of. */
	unsigned ends = told[1];
	ksd_handle many = ksd_open(o, &file, KSD_CONCURRENT);
	ksd_port port = ksd_port_new();
	observer.before = NULL;
	observer.miss = NULL;
	CHECK_STATUS(ksd_port_attach(port, many), KSD_SUCCESS);

	/* Counters. */
	n = 16;
	CHECK_STATUS(ksd_object_counters(o, test_set, NULL, counters, &n), KSD_SUCCESS);
	const ksd_counter *c = find(counters, n, 1, KSD_GET);
	CHECK(c->at == KSD_AT_OBJECT && c->requests >= 1 && c->samples == c->requests && c->longest >= c->p50 && c->total >= c->longest);
	CHECK(c->p999 >= c->p99 && c->p99 >= c->p90 && c->p90 >= c->p50);
	c = find(counters, n, 1, KSD_SET);
	CHECK(c->requests == 2 && c->statuses == 2 && c->by_status[0].requests == 1 && c->by_status[1].requests == 1);
	CHECK(c->by_status[0].status == KSD_INVALID_PARAMETER || c->by_status[1].status == KSD_INVALID_PARAMETER);
	c = find(counters, n, 1, 0);
	CHECK(c->requests == 1 && c->by_status[0].status == KSD_SUCCESS);
	uint32_t id = 9;
	n = 16;
	CHECK_STATUS(ksd_object_counters(o, NULL, &id, counters, &n), KSD_SUCCESS);
	CHECK(n == 1 && counters[0].rule[0] == 'P' && counters[0].requests == 1 && counters[0].by_status[0].status == KSD_NOT_FOUND);
	CHECK(counters[0].size == sizeof(ksd_counter) && memcmp(counters[0].set, test_set, 16) == 0);
	n = 1;
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_BUFFER_OVERFLOW);
	CHECK(n > 1);
	n = 0;
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, NULL, &n), KSD_BUFFER_OVERFLOW);

	/* A program of a later header has longer counters. */
	struct {
		ksd_counter c;
		uint64_t later;
	} longer[16] = {{{.size = sizeof longer[0]}, 1}};
	n = 16;
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, &longer[0].c, &n), KSD_SUCCESS);
	CHECK(n > 2 && longer[1].c.size == sizeof longer[0] && longer[0].later == 0 && longer[1].c.requests > 0);

	/* What is wrong. */
	n = 1;
	counters[0].size = 8;
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, NULL, &n), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, NULL), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_object_counters(h, NULL, NULL, counters, &n), KSD_INVALID_HANDLE);
	observer.size = 7;
	CHECK_STATUS(ksd_object_observe(o, &observer), KSD_INVALID_PARAMETER);
	observer.size = sizeof observer;
	CHECK_STATUS(ksd_object_observe(h, &observer), KSD_INVALID_HANDLE);

	/* Another observer, on handles that are open: no hook is told of what pends, and counters begin at 0. */
	CHECK_STATUS(ksd_object_observe(o, &observer), KSD_SUCCESS);
	uint8_t request[24];
	identify(request, 2, KSD_GET);
	CHECK_STATUS(ksd_ioctl_async(many, KSD_IOCTL_PROPERTY, request, 24, NULL, 0, NULL, NULL, request), KSD_PENDING);
	CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 0), KSD_SUCCESS);
	CHECK(told[1] == ends);
	n = 16;
	counters[0].size = sizeof counters[0];
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_SUCCESS);
	CHECK(n == 1 && counters[0].requests == 1 && counters[0].by_status[0].status == KSD_PENDING);

	/* The observer stays with the object when that is swapped, and goes with NULL. */
	ksd_object replacement = make(items, 1);
	CHECK_STATUS(ksd_object_swap(o, replacement), KSD_SUCCESS);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, 4, NULL), KSD_SUCCESS);
	CHECK(told[1] == ends + 1);
	CHECK_STATUS(ksd_object_observe(o, NULL), KSD_SUCCESS);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, 4, NULL), KSD_SUCCESS);
	CHECK(told[1] == ends + 1);
	CHECK_STATUS(ksd_object_counters(o, NULL, NULL, counters, &n), KSD_INVALID_DEVICE_STATE);
	ksd_close(h), ksd_close(other), ksd_close(many);
	ksd_port_close(port);
	ksd_object_free(o);
}

static void told_of(void *context, ksd_status status, uint32_t n) { (void)context, (void)status, (void)n; }

/* What is asked of a driver's filter through handles of both kinds, and requests that pend. */
static void traces(const char *path)
{
	char err[300];
	ksd_item item = {.size = sizeof item, .id = 2, .get = pends};
	ksd_set own = {{0}, &item, 1, sizeof item};
	memcpy(own.guid, test_set, 16);
	ksd_object o = ksd_object_from_driver("wds-sysvad", NULL, &own, 1, err, sizeof err);
	ksd_trace_counters c = {.size = sizeof c};
	CHECK_STATUS(ksd_trace_read(o, &c), KSD_NOT_FOUND);
	CHECK_STATUS(ksd_trace_stop(o, err, sizeof err), KSD_NOT_FOUND);
	CHECK_STATUS(ksd_trace_start(o, "/no/such/directory/t.kst", 0, err, sizeof err), KSD_UNSUCCESSFUL);
	CHECK(strstr(err, "/no/such/directory/t.kst"));
	CHECK_STATUS(ksd_trace_start(o, NULL, 0, err, sizeof err), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_trace_start(o + 1, path, 0, err, sizeof err), KSD_INVALID_HANDLE);

	ksd_handle unrecorded = ksd_open(o, NULL, 0);
	CHECK_STATUS(ksd_trace_start(o, path, 0, err, sizeof err), KSD_SUCCESS);
	CHECK_STATUS(ksd_trace_start(o, path, 0, err, sizeof err), KSD_INVALID_DEVICE_STATE);
	ksd_object second = ksd_object_new(NULL, 0, NULL, 0);
	CHECK_STATUS(ksd_trace_start(second, path, 0, err, sizeof err), KSD_UNSUCCESSFUL); /* there is such a file */
	CHECK(strstr(err, path));

	uint32_t n;
	uint8_t answer[256], request[24], connect[90] = {0};
	send(unrecorded, 1, KSD_GET, answer, sizeof answer, &n);
	ksd_handle h = ksd_open(o, NULL, 0), many = ksd_open(o, NULL, KSD_CONCURRENT), pin = 0;
	for (int i = 0; i < 10; i++)
		CHECK_STATUS(send(h, 1, KSD_GET, answer, sizeof answer, &n), KSD_NOT_FOUND);
	CHECK(ksd_create_pin(h, connect, sizeof connect, NULL, 0, &pin) != KSD_SUCCESS && pin == 0);
	CHECK(ksd_create_pin(unrecorded, connect, UINT32_MAX, NULL, 0, &pin) != KSD_SUCCESS && pin == 0);
	identify(request, 2, KSD_GET);
	CHECK_STATUS(ksd_ioctl_async(many, KSD_IOCTL_PROPERTY, request, 24, answer, 4, NULL, told_of, NULL), KSD_PENDING);
	CHECK_STATUS(ksd_complete(token, KSD_SUCCESS, 4), KSD_SUCCESS);
	CHECK_STATUS(ksd_ioctl_async(many, KSD_IOCTL_PROPERTY, request, 24, answer, 4, NULL, told_of, NULL), KSD_PENDING);
	CHECK_STATUS(ksd_cancel(many, NULL), KSD_SUCCESS);
	ksd_generate(o, test_set, 1, NULL, 0);
	ksd_close(many);
	ksd_close(h);
	CHECK_STATUS(ksd_trace_read(o, &c), KSD_SUCCESS);
	CHECK(c.running == 1 && c.dropped == 0);
	CHECK_STATUS(ksd_trace_stop(o, err, sizeof err), KSD_SUCCESS);
	CHECK(err[0] == 0);
	CHECK_STATUS(ksd_trace_read(o, &c), KSD_SUCCESS);
	CHECK(c.running == 0 && c.dropped == 0 && c.bytes > 500);
	c.size = 4;
	CHECK_STATUS(ksd_trace_read(o, &c), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_trace_read(o, NULL), KSD_ACCESS_VIOLATION);
	send(unrecorded, 1, KSD_GET, answer, sizeof answer, &n);
	ksd_close(unrecorded);
	ksd_object_free(o);
	ksd_object_free(second);
}

int main(int argc, char **argv)
{
	observers();
	if (argc > 1)
		traces(argv[1]);
	return result();
}

/* handlers.c: what handlers see and answer, and what is wrong with declarations. */
#include "test.h"

static int32_t stored = 7;
static int context_of_item, file_of_handle;
static ksd_call seen;
static uint8_t seen_request[64];

static ksd_status get(ksd_call *call)
{
	seen = *call;
	memcpy(seen_request, call->request, call->request_len < 64 ? call->request_len : 64);
	memcpy(call->data, &stored, 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status set(ksd_call *call)
{
	seen = *call;
	memcpy(&stored, call->data, 4);
	return KSD_SUCCESS;
}

static ksd_status support(ksd_call *call)
{
	seen = *call;
	if (call->verb != KSD_BASIC_SUPPORT)
		return KSD_NOT_FOUND; /* the library answers */
	if (call->data_len < 4)
		return KSD_BUFFER_TOO_SMALL;
	memcpy(call->data, "\x2a\0\0\0", 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status text(ksd_call *call)
{
	static const char answer[] = "twelve chars";
	call->information = 12;
	if (call->data_len == 0)
		return KSD_BUFFER_OVERFLOW;
	if (call->data_len < 12)
		return KSD_BUFFER_TOO_SMALL;
	memcpy(call->data, answer, 12);
	return KSD_SUCCESS;
}

static ksd_status too_much(ksd_call *call)
{
	call->information = (uint64_t)call->data_len + 1;
	return KSD_SUCCESS;
}

static ksd_status method(ksd_call *call)
{
	seen = *call;
	for (uint32_t i = 0; i < call->data_len; i++)
		call->data[i] ^= 0xff;
	call->information = call->data_len;
	return KSD_SUCCESS;
}

static ksd_status again(ksd_call *call)
{
	uint8_t value[4];
	uint32_t n = 99;
	CHECK_STATUS(send(call->handle, 1, KSD_GET, value, sizeof value, &n), KSD_DEVICE_BUSY);
	CHECK(n == 0);
	ksd_handle other = *(ksd_handle *)call->context;
	CHECK_STATUS(send(other, 1, KSD_GET, value, sizeof value, &n), KSD_SUCCESS);
	CHECK(n == 4);
	return KSD_SUCCESS;
}

static ksd_status closes(ksd_call *call)
{
	ksd_close(call->handle);
	return KSD_SUCCESS;
}

static ksd_handle other;

static void requests(void)
{
	ksd_item items[] = {
		{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = get, .set = set, .support = support, .context = &context_of_item},
		{.size = sizeof(ksd_item), .id = 2, .get = text},
		{.size = sizeof(ksd_item), .id = 3, .get = too_much},
		{.size = sizeof(ksd_item), .id = 4, .get = again, .context = &other},
		{.size = sizeof(ksd_item), .id = 5, .get = closes},
		{.size = sizeof(ksd_item), .id = 6, .min_property = 32, .get = get},
		{.size = sizeof(ksd_item), .id = 1, .kind = KSD_KIND_METHOD, .flags = 3, .get = method},
	};
	ksd_object o = make(items, sizeof items / sizeof *items);
	ksd_handle h = ksd_open(o, &file_of_handle, 0);
	other = ksd_open(o, NULL, KSD_KERNEL_MODE);
	CHECK(h && other && h != other);

	int32_t value = 0;
	uint32_t n = 99;
	CHECK_STATUS(send(h, 1, KSD_GET, &value, sizeof value, &n), KSD_SUCCESS);
	CHECK(value == 7 && n == 4);
	CHECK(seen.size == sizeof(ksd_call) && seen.verb == KSD_GET && seen.context == &context_of_item && seen.file == &file_of_handle);
	CHECK(seen.handle == h && seen.request_len == 24 && seen.data_len == 4 && seen.information == 0 && seen.token != 0);
	uint8_t want[24];
	identify(want, 1, KSD_GET);
	CHECK(memcmp(seen_request, want, 24) == 0);
	value = 1234567;
	CHECK_STATUS(send(h, 1, KSD_SET, &value, sizeof value, &n), KSD_SUCCESS);
	CHECK(stored == 1234567 && n == 0 && seen.verb == KSD_SET);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, sizeof value, NULL), KSD_SUCCESS);
	CHECK_STATUS(send(h, 1, KSD_BASIC_SUPPORT, &value, sizeof value, &n), KSD_SUCCESS);
	CHECK(value == 42 && n == 4 && seen.verb == KSD_BASIC_SUPPORT);
	CHECK_STATUS(ksd_complete(seen.token, KSD_SUCCESS, 0), KSD_INVALID_HANDLE); /* it was not pended */

	/* Sizes: the library's with min_data, the handler's without. */
	CHECK_STATUS(send(h, 1, KSD_GET, NULL, 0, &n), KSD_BUFFER_OVERFLOW);
	CHECK(n == 4);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, 3, &n), KSD_BUFFER_TOO_SMALL);
	CHECK(n == 0);
	char long_enough[20];
	CHECK_STATUS(send(h, 2, KSD_GET, NULL, 0, &n), KSD_BUFFER_OVERFLOW);
	CHECK(n == 12 && ksd_win32(KSD_BUFFER_OVERFLOW) == 234);
	CHECK_STATUS(send(h, 2, KSD_GET, long_enough, 11, &n), KSD_BUFFER_TOO_SMALL);
	CHECK_STATUS(send(h, 2, KSD_GET, long_enough, sizeof long_enough, &n), KSD_SUCCESS);
	CHECK(n == 12 && memcmp(long_enough, "twelve chars", 12) == 0);
	CHECK_STATUS(send(h, 3, KSD_GET, long_enough, sizeof long_enough, &n), KSD_BUFFER_TOO_SMALL);
	CHECK_STATUS(send(h, 6, KSD_GET, &value, sizeof value, &n), KSD_INVALID_BUFFER_SIZE);

	/* What nobody declares. */
	CHECK_STATUS(send(h, 2, KSD_SET, &value, sizeof value, &n), KSD_NOT_FOUND);
	CHECK_STATUS(send(h, 99, KSD_GET, &value, sizeof value, &n), KSD_NOT_FOUND);
	uint8_t request[24] = {0};
	request[20] = KSD_GET;
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, &value, 4, &n), KSD_PROPSET_NOT_FOUND);
	CHECK_STATUS(ksd_ioctl(h, 0x1234, request, sizeof request, &value, 4, &n), KSD_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, NULL, 24, &value, 4, &n), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_PROPERTY, NULL, 0, NULL, 0, &n), KSD_INVALID_BUFFER_SIZE);

	/* A method that reads and writes. */
	uint8_t bytes[3] = {0x0f, 0xf0, 0xaa};
	identify(request, 1, 1);
	CHECK_STATUS(ksd_ioctl(h, KSD_IOCTL_METHOD, request, sizeof request, bytes, sizeof bytes, &n), KSD_SUCCESS);
	CHECK(n == 3 && bytes[0] == 0xf0 && bytes[1] == 0x0f && bytes[2] == 0x55);

	/* A handler that sends on its own handle, and one that closes it. */
	CHECK_STATUS(send(h, 4, KSD_GET, NULL, 0, &n), KSD_SUCCESS);
	CHECK_STATUS(send(h, 5, KSD_GET, NULL, 0, &n), KSD_SUCCESS);
	CHECK_STATUS(send(h, 1, KSD_GET, &value, sizeof value, &n), KSD_INVALID_HANDLE);

	/* The object goes, and what is open stays. */
	ksd_object_free(o);
	CHECK(ksd_open(o, NULL, 0) == 0);
	CHECK_STATUS(send(other, 1, KSD_GET, &value, sizeof value, &n), KSD_SUCCESS);
	ksd_close(other);
	CHECK_STATUS(send(other, 1, KSD_GET, &value, sizeof value, &n), KSD_INVALID_HANDLE);
}

static void batches(void)
{
	ksd_item item = {.size = sizeof item, .id = 1, .min_data = 4, .get = get, .set = set};
	ksd_handle h = ksd_open(make(&item, 1), NULL, 0);
	uint8_t in[2][24];
	int32_t out[3] = {31, 0, 0};
	identify(in[0], 1, KSD_SET);
	identify(in[1], 1, KSD_GET);
	ksd_request requests[] = {
		{in[0], &out[0], 24, 4, KSD_IOCTL_PROPERTY, 99, 99, 0},
		{in[1], &out[1], 24, 4, KSD_IOCTL_PROPERTY, 99, 99, 0},
		{in[1], NULL, 24, 0, KSD_IOCTL_PROPERTY, 99, 99, 0},
		{in[1], &out[2], 23, 4, KSD_IOCTL_PROPERTY, 99, 99, 0},
	};
	CHECK(ksd_ioctl_batch(h, requests, 4) == 4);
	CHECK(requests[0].status == KSD_SUCCESS && requests[0].returned == 0);
	CHECK(requests[1].status == KSD_SUCCESS && requests[1].returned == 4 && out[1] == 31);
	CHECK(requests[2].status == KSD_BUFFER_OVERFLOW && requests[2].returned == 4);
	CHECK(requests[3].status == KSD_INVALID_BUFFER_SIZE && requests[3].returned == 0 && out[2] == 0);
	CHECK(ksd_ioctl_batch(h, NULL, 0) == 0);
	ksd_close(h);
	CHECK(ksd_ioctl_batch(h, requests, 4) == 0);
}

static void numbers(void)
{
	ksd_item item = {.size = sizeof item, .id = 1, .min_data = 4, .get = get};
	ksd_object o = make(&item, 1);
	ksd_handle h = ksd_open(o, NULL, 0);
	int32_t value;
	uint64_t wrong[] = {0, 1, 2, 3, o, h + 1, h + 4, h ^ 1ull << 32, h ^ 1ull << 63, ~0ull};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_STATUS(send(wrong[i], 1, KSD_GET, &value, sizeof value, NULL), KSD_INVALID_HANDLE);
		CHECK_STATUS(ksd_complete(wrong[i], KSD_SUCCESS, 0), KSD_INVALID_HANDLE);
		CHECK_STATUS(ksd_on_signal(wrong[i], NULL, NULL), KSD_INVALID_HANDLE);
		ksd_close(wrong[i]);
		if (wrong[i] != o) {
			CHECK(ksd_open(wrong[i], NULL, 0) == 0);
			CHECK_STATUS(ksd_generate(wrong[i], test_set, 1, NULL, 0), KSD_INVALID_HANDLE);
			ksd_object_free(wrong[i]);
		}
	}
	CHECK_STATUS(send(h, 1, KSD_GET, &value, sizeof value, NULL), KSD_SUCCESS);
	for (int i = 0; i < 1000; i++) { /* a number never comes back */
		ksd_close(h);
		ksd_handle next = ksd_open(o, NULL, 0);
		CHECK(next && next != h);
		CHECK_STATUS(send(h, 1, KSD_GET, &value, sizeof value, NULL), KSD_INVALID_HANDLE);
		h = next;
	}
	ksd_close(h);
	ksd_close(h);
	ksd_object_free(o);
	ksd_object_free(o);
}

static const char manifest[] =
	"{\"schema\":\"ksdispatch/manifest/v1\",\"driver\":\"mine\",\"objects\":[{\"object\":\"first\",\"property_sets\":["
	"{\"guid\":\"04030201-0605-0807-090a-0b0c0d0e0f10\",\"items\":["
	"{\"name\":\"a\",\"id\":1,\"get\":true,\"set\":true,\"min_data\":4},{\"name\":\"b\",\"id\":2,\"get\":true,\"min_data\":8}]}]},"
	"{\"object\":\"second\"}]}";

static void wrong(const char *what, ksd_object o, const char *err, const char *part)
{
	if (o != 0 || !strstr(err, part)) {
		fprintf(stderr, "%s: object %llx, \"%s\"; want none, and an error with \"%s\"\n", what, (unsigned long long)o, err, part);
		failures++;
	}
}

static void declarations(void)
{
	char err[300];
	ksd_item item = {.size = sizeof item, .id = 1, .min_data = 4, .get = get};
	ksd_set own = {{0}, &item, 1, sizeof item};
	memcpy(own.guid, test_set, 16);

	/* A C item takes the place of the manifest's, and the others stay. */
	ksd_object o = ksd_object_from_json(manifest, sizeof manifest - 1, NULL, &own, 1, err, sizeof err);
	CHECK(o && err[0] == 0);
	ksd_handle h = ksd_open(o, NULL, 0);
	uint8_t value[8];
	uint32_t n;
	stored = 5;
	CHECK_STATUS(send(h, 1, KSD_GET, value, 4, &n), KSD_SUCCESS);
	CHECK(value[0] == 5);
	CHECK_STATUS(send(h, 1, KSD_SET, value, 4, &n), KSD_NOT_FOUND);
	CHECK_STATUS(send(h, 2, KSD_GET, value, 8, &n), KSD_SUCCESS);
	CHECK(n == 8);
	ksd_close(h);
	ksd_object_free(o);
	o = ksd_object_from_json(manifest, sizeof manifest - 1, "second", NULL, 0, NULL, 0);
	CHECK(o);
	ksd_object_free(o);
	o = ksd_object_from_driver("wds-sysvad", NULL, NULL, 0, err, sizeof err);
	CHECK(o);
	ksd_object_free(o);

	/* Mistakes say what is wrong, in as much room as there is. */
	wrong("no driver", ksd_object_from_driver("nodriver", NULL, NULL, 0, err, sizeof err), err, "nodriver");
	wrong("no object", ksd_object_from_driver("wds-sysvad", "third", NULL, 0, err, sizeof err), err, "third");
	wrong("NULL driver", ksd_object_from_driver(NULL, NULL, NULL, 0, err, sizeof err), err, "driver is NULL");
	wrong("NULL json", ksd_object_from_json(NULL, 5, NULL, NULL, 0, err, sizeof err), err, "json is NULL");
	wrong("broken json", ksd_object_from_json("{\"schema\":1}", 12, NULL, NULL, 0, err, sizeof err), err, "schema");
	wrong("no sets", ksd_object_new(NULL, 2, err, sizeof err), err, "sets is NULL");
	ksd_set bad = own;
	bad.item_size = 3;
	wrong("item_size", ksd_object_new(&bad, 1, err, sizeof err), err, "item_size is 3");
	bad.item_size = sizeof item, bad.items = NULL;
	wrong("items", ksd_object_new(&bad, 1, err, sizeof err), err, "items is NULL");
	ksd_item odd = item;
	bad.items = &odd;
	odd.size = 7;
	wrong("size", ksd_object_new(&bad, 1, err, sizeof err), err, "size is 7");
	odd = item, odd.kind = 9;
	wrong("kind", ksd_object_new(&bad, 1, err, sizeof err), err, "kind is 9");
	odd = item, odd.flags = 1;
	wrong("flags of a property", ksd_object_new(&bad, 1, err, sizeof err), err, "flags is 1");
	odd = item, odd.kind = KSD_KIND_METHOD, odd.flags = 4;
	wrong("flags of a method", ksd_object_new(&bad, 1, err, sizeof err), err, "flags is 4");
	wrong("empty json", ksd_object_from_json("", 0, NULL, NULL, 0, err, sizeof err), err, "empty");
	ksd_item twice[] = {item, item};
	bad.items = twice, bad.count = 2;
	wrong("twice", ksd_object_new(&bad, 1, err, sizeof err), err, "04030201-0605-0807-090a-0b0c0d0e0f10");
	char small[8];
	memset(small, 'x', sizeof small);
	CHECK(ksd_object_from_driver("nodriver", NULL, NULL, 0, small, sizeof small) == 0 && small[7] == 0 && strlen(small) == 7);
	CHECK(ksd_object_from_driver("nodriver", NULL, NULL, 0, NULL, 0) == 0);

	/* An item of an older header ends before kind. */
	ksd_item older = item;
	older.size = offsetof(ksd_item, kind), older.kind = 9;
	bad.items = &older, bad.count = 1;
	o = ksd_object_new(&bad, 1, err, sizeof err);
	CHECK(o);
	ksd_object_free(o);
	o = ksd_object_new(NULL, 0, err, sizeof err); /* it answers everything with PROPSET_NOT_FOUND */
	CHECK(o);
	ksd_object_free(o);
}

int main(void)
{
	CHECK(ksd_abi() == KSD_ABI);
	CHECK(strcmp(ksd_status_name(KSD_NOT_FOUND), "STATUS_NOT_FOUND") == 0);
	CHECK(strcmp(ksd_status_name((ksd_status)0xc1234567), "") == 0);
	CHECK(ksd_win32(KSD_SUCCESS) == 0 && ksd_win32(KSD_NOT_FOUND) == 1168);
	requests();
	batches();
	numbers();
	declarations();
	return result();
}

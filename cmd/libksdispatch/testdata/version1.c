/* version1.c: a program that was built with the first header. It has declarations of its own, which KSD_ABI 1 keeps: its items end before
   kind. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t ksd_object, ksd_handle;
typedef int32_t ksd_status;

typedef struct ksd_call {
	uint32_t size, verb;
	void *context, *file;
	ksd_handle handle;
	const uint8_t *request;
	uint8_t *data;
	uint32_t request_len, data_len;
	uint64_t information, token;
} ksd_call;
typedef ksd_status (*ksd_handler)(ksd_call *);
typedef struct ksd_item {
	uint32_t size, id, min_property, min_data;
	ksd_handler get, set, support;
	void *context;
} ksd_item;
typedef struct ksd_set {
	uint8_t guid[16];
	const ksd_item *items;
	uint32_t count, item_size;
} ksd_set;
typedef struct ksd_request {
	const void *in;
	void *out;
	uint32_t in_len, out_len, code, returned;
	ksd_status status;
	uint32_t reserved;
} ksd_request;

uint32_t ksd_abi(void);
uint32_t ksd_win32(ksd_status);
ksd_object ksd_object_from_driver(const char *, const char *, const ksd_set *, uint32_t, char *, size_t);
ksd_object ksd_object_from_json(const void *, size_t, const char *, const ksd_set *, uint32_t, char *, size_t);
ksd_handle ksd_open(ksd_object, void *, uint32_t);
void ksd_close(ksd_handle);
ksd_status ksd_ioctl(ksd_handle, uint32_t, const void *, uint32_t, void *, uint32_t, uint32_t *);
ksd_status ksd_complete(uint64_t, ksd_status, uint64_t);
uint32_t ksd_ioctl_batch(ksd_handle, ksd_request *, uint32_t);

static int failed;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failed = 1, fprintf(stderr, "version1.c:%d: not so: %s\n", __LINE__, #condition)))

static uint64_t token;

static ksd_status get(ksd_call *call)
{
	CHECK(call->size >= sizeof *call && call->context == &token && call->file == &failed && call->data_len == 4);
	memcpy(call->data, call->request + 16, 4);
	token = call->token;
	if (call->request[16] == 2)
		return ksd_complete(token, 0, 4) == 0 ? 0x103 : (ksd_status)0xc0000001;
	call->information = 4;
	return 0;
}

int main(void)
{
	ksd_item items[] = {{sizeof *items, 1, 0, 4, get, NULL, NULL, &token}, {sizeof *items, 2, 0, 4, get, NULL, NULL, &token}};
	ksd_set set = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, items, 2, sizeof *items};
	static const char manifest[] = "{\"schema\":\"ksdispatch/manifest/v1\",\"driver\":\"d\",\"objects\":[{\"object\":\"o\"}]}";
	char err[200];
	ksd_object objects[] = {ksd_object_from_driver("wds-sysvad", NULL, &set, 1, err, sizeof err),
	                        ksd_object_from_json(manifest, sizeof manifest - 1, "o", &set, 1, err, sizeof err)};
	CHECK(ksd_abi() == 1);
	for (int i = 0; i < 2; i++) {
		ksd_handle h = ksd_open(objects[i], &failed, 0);
		uint8_t in[24] = {0}, out[4] = {0};
		uint32_t n = 9;
		memcpy(in, set.guid, 16);
		in[16] = in[20] = 1;
		CHECK(ksd_ioctl(h, 0x2f0003, in, 24, out, 4, &n) == 0 && n == 4 && out[0] == 1);
		in[16] = 2;
		ksd_request request = {in, out, 24, 4, 0x2f0003, 9, 9, 0};
		CHECK(ksd_ioctl_batch(h, &request, 1) == 1 && request.status == 0 && request.returned == 4 && out[0] == 2);
		in[16] = 9;
		ksd_status status = ksd_ioctl(h, 0x2f0003, in, 24, out, 4, &n);
		CHECK(status == (ksd_status)0xc0000225 && n == 0 && ksd_win32(status) == 1168);
		CHECK(ksd_complete(token, 0, 0) == (ksd_status)0xc0000008);
		ksd_close(h);
		CHECK(ksd_ioctl(h, 0x2f0003, in, 24, out, 4, &n) == (ksd_status)0xc0000008);
	}
	return failed;
}

//go:build cgo

/* abi.c: functions of the header that take what Go must not have as a pointer, and call those of Go with numbers: contexts, and what
   comes with the length 0, which may be anything. */
#include "_cgo_export.h"

#define SAME(a, b, member) (offsetof(a, member) == offsetof(b, member))
_Static_assert(sizeof(ksd_item) == sizeof(ksd__item) && SAME(ksd_item, ksd__item, context) && SAME(ksd_item, ksd__item, flags), "");
_Static_assert(sizeof(ksd_call) == offsetof(ksd__call, handler) && SAME(ksd_call, ksd__call, data) && SAME(ksd_call, ksd__call, token), "");
_Static_assert(offsetof(ksd__call, running) % 8 == 0, "");
_Static_assert(sizeof(ksd_packet) == sizeof(ksd__packet) && SAME(ksd_packet, ksd__packet, status), "");

#define NUMBER(pointer) ((uintptr_t)(pointer))
#define IF_ANY(pointer, length) ((length) ? (pointer) : NULL)

ksd_object ksd_object_from_driver(const char *driver, const char *object, const ksd_set *sets, uint32_t count, char *err, size_t err_len)
{
	return ksd__object_from_driver(driver, object, IF_ANY(sets, count), count, IF_ANY(err, err_len), err_len);
}

ksd_object ksd_object_from_json(const void *json, size_t len, const char *object, const ksd_set *sets, uint32_t count, char *err,
                                size_t err_len)
{
	return ksd__object_from_json(IF_ANY(json, len), len, object, IF_ANY(sets, count), count, IF_ANY(err, err_len), err_len);
}

ksd_object ksd_object_new(const ksd_set *sets, uint32_t count, char *err, size_t err_len)
{
	return ksd__object_new(IF_ANY(sets, count), count, IF_ANY(err, err_len), err_len);
}

ksd_handle ksd_open(ksd_object object, void *file, uint32_t flags) { return ksd__open(object, NUMBER(file), flags); }

ksd_status ksd_ioctl(ksd_handle handle, uint32_t code, const void *in, uint32_t in_len, void *out, uint32_t out_len, uint32_t *returned)
{
	ksd_request request = {in, out, in_len, out_len, code, 0, KSD_INVALID_HANDLE, 0};
	ksd__send(handle, &request, 1);
	if (returned)
		*returned = request.returned;
	return request.status;
}

uint32_t ksd_ioctl_batch(ksd_handle handle, ksd_request *requests, uint32_t count)
{
	return requests && count ? ksd__send(handle, requests, count) : 0;
}

ksd_status ksd_ioctl_async(ksd_handle handle, uint32_t code, const void *in, uint32_t in_len, void *out, uint32_t out_len,
                           uint32_t *returned, ksd_done done, void *context)
{
	ksd_request request = {in, out, in_len, out_len, code, 0, KSD_INVALID_HANDLE, 0};
	ksd__send_async(handle, &request, done, NUMBER(context));
	if (returned)
		*returned = request.returned;
	return request.status;
}

ksd_status ksd_cancel(ksd_handle handle, void *context) { return ksd__cancel(handle, NUMBER(context)); }

uint32_t ksd_port_wait(ksd_port port, ksd_packet *packets, uint32_t count, uint32_t milliseconds)
{
	return packets && count ? ksd__port_wait(port, (ksd__packet *)packets, count, milliseconds) : 0;
}

ksd_status ksd_create_pin(ksd_handle filter, const void *connect, uint32_t len, void *file, uint32_t flags, ksd_handle *pin)
{
	return ksd__create_pin(filter, IF_ANY(connect, len), len, NUMBER(file), flags, pin);
}

ksd_status ksd_object_on_ioctl(ksd_object object, uint32_t code, ksd_handler handler, void *context)
{
	return ksd__object_on_ioctl(object, code, NUMBER(handler), NUMBER(context));
}

ksd_status ksd_on_signal(ksd_handle handle, ksd_signal signal, void *context) { return ksd__on_signal(handle, signal, NUMBER(context)); }

ksd_status ksd_generate(ksd_object object, const uint8_t set[16], uint32_t id, const void *data, uint32_t len)
{
	return ksd__generate(object, set, id, IF_ANY(data, len), len);
}

ksd_status ksd_trace_start(ksd_object object, const char *path, uint32_t flags, char *err, size_t err_len)
{
	return ksd__trace_start(object, path, flags, IF_ANY(err, err_len), err_len);
}

ksd_status ksd_trace_stop(ksd_object object, char *err, size_t err_len)
{
	return ksd__trace_stop(object, IF_ANY(err, err_len), err_len);
}

void ksd_run(void (*f)(void *context), void *context)
{
	if (f)
		ksd__run_there(NUMBER(f), NUMBER(context));
}

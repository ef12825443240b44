/* pins.c: a filter of a driver, its pins, and control codes of the program's own. */
#include "test.h"

#define FILTER "filter MicArrayWaveMiniportFilterDescriptor (micarraywavtable.h)"

static void put(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }

/* guid writes {first-xxxx-xxxx-...}: its first half as numbers, the second as it is written. */
static void guid(uint8_t *at, uint32_t a, uint32_t b, uint32_t c, const char *rest)
{
	put(at, a);
	put(at + 4, b | c << 16);
	memcpy(at + 8, rest, 8);
}

#define WINDOWS_MEDIA "\x80\x00\x00\xaa\x00\x38\x9b\x71"
#define KS_BASE "\xa5\xd6\x28\xdb\x04\xc1\x00\x00"

enum { CONNECT = 72, FORMAT = 64 + 18 };

/* connect_to writes a KSPIN_CONNECT to a pin with 16-bit stereo at a rate, and returns its length. */
static uint32_t connect_to(uint8_t *b, uint32_t pin, uint32_t rate)
{
	memset(b, 0, CONNECT + FORMAT);
	guid(b, 0x1a8766a0, 0x62ce, 0x11cf, KS_BASE);      /* KSINTERFACESETID_Standard, STREAMING */
	guid(b + 24, 0x4747b320, 0x62ce, 0x11cf, KS_BASE); /* KSMEDIUMSETID_Standard, ANYINSTANCE */
	put(b + 48, pin);
	put(b + 64, 0x40000000); /* KSPRIORITY_NORMAL */
	put(b + 68, 1);
	uint8_t *f = b + CONNECT;
	put(f, FORMAT);
	guid(f + 16, 0x73647561, 0, 0x10, WINDOWS_MEDIA); /* KSDATAFORMAT_TYPE_AUDIO */
	guid(f + 32, 1, 0, 0x10, WINDOWS_MEDIA);          /* KSDATAFORMAT_SUBTYPE_PCM */
	guid(f + 48, 0x05589f81, 0xc356, 0x11ce, "\xbf\x01\x00\xaa\x00\x55\x59\x5a"); /* KSDATAFORMAT_SPECIFIER_WAVEFORMATEX */
	put(f + 64, 1 | 2 << 16); /* PCM, 2 channels */
	put(f + 68, rate);
	put(f + 72, rate * 8);
	put(f + 76, 8 | 32 << 16);
	return CONNECT + FORMAT;
}

/* state asks a pin for KSPROPERTY_CONNECTION_STATE, or sets it. */
static ksd_status state(ksd_handle pin, uint32_t verb, uint32_t *value)
{
	uint8_t request[24];
	guid(request, 0x1d58c920, 0xac9b, 0x11cf, KS_BASE);
	put(request + 16, 0);
	put(request + 20, verb);
	return ksd_ioctl(pin, KSD_IOCTL_PROPERTY, request, sizeof request, value, 4, NULL);
}

static uint64_t kept; /* token */

static ksd_status own_code(ksd_call *call)
{
	CHECK(call->verb == 0x00222400 && call->context == (void *)&kept);
	if (call->request_len && call->request[0] == 'p') {
		kept = call->token;
		return KSD_PENDING;
	}
	memcpy(call->data, "code", 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status ended;

static void done(void *context, ksd_status status, uint32_t returned)
{
	CHECK(context == &ended && returned == 0);
	ended = status;
}

int main(void)
{
	char err[300], data[4];
	uint8_t connect[CONNECT + FORMAT];
	uint32_t n = 0, value = 9;
	ksd_object o = ksd_object_from_driver("wds-simpleaudiosample", FILTER, NULL, 0, err, sizeof err);
	CHECK(o != 0);
	if (!o) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	ksd_handle filter = ksd_open(o, NULL, 0), pin = 1, second = 1;

	uint32_t len = connect_to(connect, 1, 48000);
	CHECK_STATUS(ksd_create_pin(filter, connect, len, &n, KSD_CONCURRENT, &pin), KSD_SUCCESS);
	CHECK(pin != 0 && pin != filter);
	CHECK_STATUS(ksd_create_pin(filter, connect, len, NULL, 0, &second), KSD_INVALID_DEVICE_STATE); /* one is possible */
	CHECK(second == 0);
	guid(connect + CONNECT + 32, 2, 0, 0x10, WINDOWS_MEDIA); /* ADPCM */
	CHECK_STATUS(ksd_create_pin(filter, connect, len, NULL, 0, &second), KSD_NO_MATCH);
	CHECK_STATUS(ksd_create_pin(filter, connect, 10, NULL, 0, &second), KSD_INVALID_BUFFER_SIZE);
	CHECK_STATUS(ksd_create_pin(filter, NULL, 10, NULL, 0, &second), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_create_pin(filter, connect, len, NULL, 0, NULL), KSD_ACCESS_VIOLATION);
	CHECK_STATUS(ksd_create_pin(filter + 64, connect, len, NULL, 0, &second), KSD_INVALID_HANDLE);

	CHECK_STATUS(state(pin, KSD_GET, &value), KSD_SUCCESS);
	CHECK(value == 0);
	for (value = 1; value <= 3; value++)
		CHECK_STATUS(state(pin, KSD_SET, &value), KSD_SUCCESS);
	CHECK_STATUS(state(pin, KSD_GET, &value), KSD_SUCCESS);
	CHECK(value == 3);
	CHECK_STATUS(state(filter, KSD_GET, &value), KSD_PROPSET_NOT_FOUND); /* nothing of a pin's table answers on the filter */

	CHECK_STATUS(ksd_ioctl(pin, 0x00222400, "x", 1, data, 4, &n), KSD_INVALID_DEVICE_REQUEST);
	CHECK_STATUS(ksd_object_on_ioctl(o, 0x00222400, own_code, &kept), KSD_SUCCESS);
	CHECK_STATUS(ksd_object_on_ioctl(o, KSD_IOCTL_PROPERTY, own_code, NULL), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_object_on_ioctl(o + 64, 0x00222400, own_code, NULL), KSD_INVALID_HANDLE);
	CHECK_STATUS(ksd_ioctl(pin, 0x00222400, "x", 1, data, 4, &n), KSD_SUCCESS);
	CHECK(n == 4 && memcmp(data, "code", 4) == 0);
	CHECK_STATUS(ksd_ioctl(filter, 0x00222400, NULL, 0, data, 4, &n), KSD_SUCCESS);
	CHECK_STATUS(ksd_ioctl_async(pin, 0x00222400, "p", 1, data, 4, &n, done, &ended), KSD_PENDING);
	ksd_close(pin);
	CHECK_STATUS(ended, KSD_CANCELLED);
	CHECK_STATUS(ksd_complete(kept, KSD_SUCCESS, 4), KSD_INVALID_HANDLE);
	CHECK_STATUS(ksd_object_on_ioctl(o, 0x00222400, NULL, NULL), KSD_SUCCESS);
	CHECK_STATUS(ksd_ioctl(filter, 0x00222400, "x", 1, data, 4, &n), KSD_INVALID_DEVICE_REQUEST);

	connect_to(connect, 1, 48000); /* the factory has its pin back */
	CHECK_STATUS(ksd_create_pin(filter, connect, len, NULL, 0, &second), KSD_SUCCESS);
	ksd_close(filter);
	CHECK_STATUS(state(second, KSD_GET, &value), KSD_SUCCESS); /* pins outlive their filter's handle */
	ksd_close(second);
	ksd_object_free(o);
	return result();
}

/* fuzz.c: random requests to the driver of volume.c. What must hold whatever a client sends is checked after each.

   With libFuzzer:  clang -fsanitize=fuzzer,address fuzz.c $(pkg-config --cflags --libs ksdispatch)
   Without:         gcc -fsanitize=address -DLOOP fuzz.c ... && ./a.out 1000000 [seed] */
#define main application
#include "volume.c"
#undef main

enum { LONGEST = 64 };

static ksd_handle speaker(void)
{
	static ksd_handle h;
	if (!h) {
		char err[256];
		ksd_set set = {.items = items, .count = sizeof items / sizeof *items, .item_size = sizeof *items};
		memcpy(set.guid, audio, sizeof audio);
		ksd_object o = ksd_object_new(&set, 1, err, sizeof err);
		if (!o) {
			fprintf(stderr, "fuzz: %s\n", err);
			exit(1);
		}
		h = ksd_open(o, NULL, 0);
		ksd_object_free(o); /* the handle keeps it */
	}
	return h;
}

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fuzz: not so: %s\n", what);
		abort();
	}
}

/* A request is a control code, two lengths, and an identifier, most of whose bytes are those of a good one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t codes[] = {KSD_IOCTL_PROPERTY, KSD_IOCTL_METHOD, KSD_IOCTL_ENABLE_EVENT, 0x00222400};
	while (size >= 8) {
		uint8_t in[LONGEST], out[LONGEST + 1];
		uint32_t in_len = data[1] % LONGEST, out_len = data[2] % LONGEST, returned = 0, id = data[3], verb = data[4] | (uint32_t)data[5] << 8;
		memset(in, data[6], sizeof in);
		memset(out, data[7], sizeof out);
		int32_t value = (int8_t)data[6] * 65536;
		memcpy(out, &value, sizeof value);
		if (data[0] & 4)
			in_len = 24;
		if (data[0] & 8)
			id = data[0] & 16 ? VOLUME_LEVEL : MUTE;
		if (data[0] & 32)
			verb = data[0] & 64 ? KSD_GET : KSD_SET;
		memcpy(in, audio, 16);
		memcpy(in + 16, &id, 4);
		memcpy(in + 20, &verb, 4);
		ksd_status status = ksd_ioctl(speaker(), codes[data[0] & 128 ? 0 : data[0] & 3], in, in_len, out, out_len, &returned);
		must(returned <= out_len || status == KSD_BUFFER_OVERFLOW, "no more is returned than there is room");
		must(status >= 0 || status == KSD_BUFFER_OVERFLOW || returned == 0, "an error returns nothing");
		must(out_len < sizeof value || out[out_len] == data[7], "nothing is written behind the buffer");
		must(*ksd_status_name(status) != 0, "each status has a name");
		must(level <= 0 && level >= -96 * 65536, "the level stays in its range");
		data += 8;
		size -= 8;
	}
	return 0;
}

#ifdef LOOP
int main(int argc, char **argv)
{
	long requests = argc > 1 ? atol(argv[1]) : 1000000;
	uint64_t x = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	for (long i = 0; i < requests; i++) {
		uint8_t bytes[8];
		x = x * 6364136223846793005u + 1442695040888963407u;
		uint64_t mixed = (x ^ x >> 29) * 0x9e3779b97f4a7c15u;
		memcpy(bytes, &mixed, sizeof bytes);
		LLVMFuzzerTestOneInput(bytes, sizeof bytes);
	}
	printf("%ld requests\n", requests);
	return 0;
}
#endif

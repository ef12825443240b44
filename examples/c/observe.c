/* observe.c: a driver that the library carries, and who looks at its requests: a hook that refuses some, counters, and a trace. The
   argument is the file of the trace, which `ksbench trace show` reads. */
#include <stdio.h>
#include <string.h>

#include <ksdispatch.h>

/* KSPROPSETID_Audio and KSPROPERTY_AUDIO_MUTE */
static const uint8_t audio[16] = {0xa0, 0xaa, 0xff, 0x45, 0x1b, 0x6e, 0xd0, 0x11, 0xbc, 0xf2, 0x44, 0x45, 0x53, 0x54, 0, 0};
enum { MUTE = 13, NONE = 99 };

/* Whoever would unmute is refused, and the driver does not learn of it. */
static ksd_status before(const ksd_seen *seen)
{
	if (seen->code == KSD_IOCTL_PROPERTY && seen->verb == KSD_SET && seen->data_len >= 4 && seen->data[0] == 0)
		return KSD_ACCESS_DENIED;
	return KSD_SUCCESS;
}

static ksd_status miss(const ksd_seen *seen)
{
	printf("rule %s: %s\n", seen->rule, ksd_status_name(seen->status));
	return KSD_SUCCESS;
}

static void send(ksd_handle h, uint32_t id, uint32_t verb, int32_t value)
{
	uint8_t request[24];
	memcpy(request, audio, 16);
	memcpy(request + 16, &id, 4);
	memcpy(request + 20, &verb, 4);
	ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, &value, sizeof value, NULL);
}

static const char manifest[] =
	"{\"schema\":\"ksdispatch/manifest/v1\",\"driver\":\"mine\",\"objects\":[{\"object\":\"speaker\",\"property_sets\":["
	"{\"guid\":\"45ffaaa0-6e1b-11d0-bcf2-444553540000\",\"items\":[{\"id\":13,\"get\":true,\"set\":true,\"min_data\":4}]}]}]}";

int main(int argc, char **argv)
{
	char err[256];
	ksd_object speaker = ksd_object_from_json(manifest, sizeof manifest - 1, NULL, NULL, 0, err, sizeof err);
	ksd_observer observer = {.size = sizeof observer, .before = before, .miss = miss};
	if (!speaker || ksd_object_observe(speaker, &observer) != KSD_SUCCESS ||
	    (argc > 1 && ksd_trace_start(speaker, argv[1], 0, err, sizeof err) != KSD_SUCCESS)) {
		fprintf(stderr, "observe: %s\n", err);
		return 1;
	}
	ksd_handle h = ksd_open(speaker, NULL, 0);
	send(h, MUTE, KSD_SET, 1);
	send(h, MUTE, KSD_SET, 0);
	send(h, MUTE, KSD_GET, 0);
	send(h, NONE, KSD_GET, 0);
	ksd_close(h);

	ksd_counter counters[8] = {{.size = sizeof counters[0]}};
	uint32_t count = 8;
	ksd_object_counters(speaker, audio, NULL, counters, &count);
	for (uint32_t i = 0; i < count && i < 8; i++) {
		const ksd_counter *c = &counters[i];
		printf("id %u, %s:", c->id, c->verb == KSD_GET ? "get" : c->verb == KSD_SET ? "set" : "refused");
		for (uint32_t k = 0; k < c->statuses; k++)
			printf(" %s %llu", ksd_status_name(c->by_status[k].status), (unsigned long long)c->by_status[k].requests);
		printf("\n");
	}
	if (argc > 1) {
		ksd_status status = ksd_trace_stop(speaker, err, sizeof err);
		printf("trace: %s\n", ksd_status_name(status));
	}
	ksd_object_free(speaker);
	return 0;
}

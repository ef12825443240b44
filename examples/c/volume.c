/* volume.c: a virtual volume control in C, and an application that sets it. docs/c-api.md builds it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ksdispatch.h>

/* The driver: KSPROPSETID_Audio with a level in units of 1/65536 dB and a mute switch. */

enum { VOLUME_LEVEL = 4, MUTE = 13 }; /* KSPROPERTY_AUDIO_VOLUMELEVEL, KSPROPERTY_AUDIO_MUTE */

static const uint8_t audio[16] = {0xa0, 0xaa, 0xff, 0x45, 0x1b, 0x6e, 0xd0, 0x11, 0xbc, 0xf2, 0x44, 0x45, 0x53, 0x54, 0x00, 0x00};

static int32_t level, mute;

/* get answers with the variable that the item names. min_data has made sure that there is room. */
static ksd_status get(ksd_call *call)
{
	memcpy(call->data, call->context, sizeof(int32_t));
	call->information = sizeof(int32_t);
	return KSD_SUCCESS;
}

static ksd_status set_level(ksd_call *call)
{
	int32_t value;
	memcpy(&value, call->data, sizeof value);
	if (value > 0 || value < -96 * 65536)
		return KSD_INVALID_PARAMETER;
	level = value;
	return KSD_SUCCESS;
}

static ksd_status set_mute(ksd_call *call)
{
	memcpy(&mute, call->data, sizeof mute);
	return KSD_SUCCESS;
}

static const ksd_item items[] = {
	{.size = sizeof(ksd_item), .id = VOLUME_LEVEL, .min_data = 4, .get = get, .set = set_level, .context = &level},
	{.size = sizeof(ksd_item), .id = MUTE, .min_data = 4, .get = get, .set = set_mute, .context = &mute},
};

/* The application. */

static ksd_status request(ksd_handle h, uint32_t id, uint32_t verb, int32_t *value)
{
	uint8_t property[24]; /* KSPROPERTY: the set, the id, the verb */
	uint32_t returned;
	memcpy(property, audio, 16);
	memcpy(property + 16, &id, 4);
	memcpy(property + 20, &verb, 4);
	return ksd_ioctl(h, KSD_IOCTL_PROPERTY, property, sizeof property, value, sizeof *value, &returned);
}

int main(int argc, char **argv)
{
	char err[256];
	ksd_set set = {.items = items, .count = sizeof items / sizeof *items, .item_size = sizeof *items};
	memcpy(set.guid, audio, sizeof audio);
	ksd_object speaker = ksd_object_new(&set, 1, err, sizeof err);
	if (!speaker) {
		fprintf(stderr, "volume: %s\n", err);
		return 1;
	}
	ksd_handle h = ksd_open(speaker, NULL, 0);
	for (int i = 1; i < argc; i++) {
		int32_t value = (int32_t)(atof(argv[i]) * 65536), kept = 0;
		ksd_status status = request(h, VOLUME_LEVEL, KSD_SET, &value);
		request(h, VOLUME_LEVEL, KSD_GET, &kept);
		printf("%s dB: %s; the level is %.2f dB\n", argv[i], ksd_status_name(status), kept / 65536.0);
	}
	ksd_close(h);
	ksd_object_free(speaker);
	return 0;
}

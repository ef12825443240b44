/* replay.c: answers request lines of ksbench exec through the library, with outcome lines on standard output.

   replay MANIFEST.json < requests.jsonl

   It knows properties and methods sent to objects of a manifest, plainly, and handles that are opened, created on others and closed: a
   line with another key or operation is an error. */
#include <ctype.h>

#include "test.h"

static void fail(unsigned line, const char *what, const char *detail)
{
	fprintf(stderr, "replay: line %u: %s%s\n", line, what, detail);
	exit(2);
}

/* A request line: a JSON object whose values are numbers and strings without escapes. */
struct line {
	unsigned number;
	char object[128], op[32], set[40], mode[16], handle[64], parent[64];
	double i;
	unsigned long long id, flags, in, out, file;
	int has_in;
	uint8_t *extra, *data, *connect;
	size_t extra_len, data_len, connect_len;
};

static const char *skip(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* text reads a string into a buffer that has room for it. */
static const char *text(struct line *l, const char *p, char *to, size_t size)
{
	size_t n = 0;
	if (*p++ != '"')
		fail(l->number, "wants a string: ", p - 1);
	for (; *p != '"'; p++) {
		if (!*p || *p == '\\' || n + 1 == size)
			fail(l->number, "a string that is too long, or with escapes: ", to);
		to[n++] = *p;
	}
	to[n] = 0;
	return p + 1;
}

static unsigned nibble(struct line *l, char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	fail(l->number, "not hex", "");
	return 0;
}

static uint8_t *hex(struct line *l, const char *s, size_t *len)
{
	size_t n = strlen(s) / 2;
	uint8_t *b = calloc(n + 1, 1);
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(nibble(l, s[2 * i]) << 4 | nibble(l, s[2 * i + 1]));
	*len = n;
	return b;
}

static char scratch[1 << 20];

static void parse(struct line *l, const char *p)
{
	p = skip(p);
	if (*p++ != '{')
		fail(l->number, "no object: ", p - 1);
	for (p = skip(p); *p != '}';) {
		char key[32];
		p = skip(text(l, p, key, sizeof key));
		if (*p++ != ':')
			fail(l->number, "no colon after ", key);
		p = skip(p);
		if (*p == '"') {
			p = text(l, p, scratch, sizeof scratch);
			const struct {
				const char *key;
				char *to;
				size_t room;
			} texts[] = {{"object", l->object, sizeof l->object}, {"op", l->op, sizeof l->op},     {"set", l->set, sizeof l->set},
			             {"mode", l->mode, sizeof l->mode},       {"handle", l->handle, sizeof l->handle}, {"parent", l->parent, sizeof l->parent}};
			size_t k = 0, count = sizeof texts / sizeof *texts;
			while (k < count && strcmp(key, texts[k].key) != 0)
				k++;
			if (k < count) {
				if (strlen(scratch) >= texts[k].room)
					fail(l->number, "too long: ", key);
				strcpy(texts[k].to, scratch);
			} else if (!strcmp(key, "connect")) {
				l->connect = hex(l, scratch, &l->connect_len);
			} else if (!strcmp(key, "extra")) {
				l->extra = hex(l, scratch, &l->extra_len);
			} else if (!strcmp(key, "data")) {
				l->data = hex(l, scratch, &l->data_len);
			} else {
				fail(l->number, "a key that replay does not know: ", key);
			}
		} else {
			char *end;
			double value = strtod(p, &end);
			if (end == p)
				fail(l->number, "no value of ", key);
			p = end;
			if (!strcmp(key, "i"))
				l->i = value;
			else if (!strcmp(key, "id"))
				l->id = (unsigned long long)value;
			else if (!strcmp(key, "flags"))
				l->flags = (unsigned long long)value;
			else if (!strcmp(key, "out"))
				l->out = (unsigned long long)value;
			else if (!strcmp(key, "file"))
				l->file = (unsigned long long)value;
			else if (!strcmp(key, "in"))
				l->in = (unsigned long long)value, l->has_in = 1;
			else if (strcmp(key, "info0") != 0)
				fail(l->number, "a key that replay does not know: ", key);
		}
		p = skip(p);
		if (*p == ',')
			p = skip(p + 1);
	}
}

/* guid writes the bytes of a GUID's text as they lie in memory. */
static void guid(struct line *l, uint8_t to[16])
{
	static const int order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	char digits[33];
	size_t n = 0, len;
	memset(to, 0, 16);
	if (!*l->set)
		return;
	for (const char *p = l->set; *p; p++)
		if (*p != '-' && n < 32)
			digits[n++] = *p;
	digits[n] = 0;
	uint8_t *b = hex(l, digits, &len);
	if (len != 16)
		fail(l->number, "no GUID: ", l->set);
	for (int i = 0; i < 16; i++)
		to[i] = b[order[i]];
	free(b);
}

/* One handle for each name, or for each object, file and mode that a line without a name has. */
static struct open {
	char name[64], object[128], mode[16];
	unsigned long long file;
	ksd_object which;
	ksd_handle handle;
} opened[4096];
static size_t open_count;

static struct open *add(struct line *l)
{
	if (open_count == sizeof opened / sizeof *opened)
		fail(l->number, "too many handles", "");
	struct open *o = &opened[open_count++];
	strcpy(o->name, l->handle);
	strcpy(o->object, l->object);
	strcpy(o->mode, l->mode);
	o->file = l->file;
	return o;
}

/* The last that was given the name; it may be closed. */
static struct open *named(struct line *l, const char *name)
{
	for (size_t i = open_count; i > 0; i--)
		if (!strcmp(opened[i - 1].name, name))
			return &opened[i - 1];
	fail(l->number, "no such handle: ", name);
	return NULL;
}

static ksd_handle open_object(struct line *l, const char *json, size_t json_len)
{
	ksd_object which = 0;
	for (size_t i = 0; i < open_count; i++)
		if (opened[i].which && !strcmp(opened[i].object, l->object))
			which = opened[i].which;
	char err[300];
	if (!which && !(which = ksd_object_from_json(json, json_len, *l->object ? l->object : NULL, NULL, 0, err, sizeof err)))
		fail(l->number, "", err);
	struct open *o = add(l);
	o->which = which;
	o->handle = ksd_open(which, NULL, strcmp(l->mode, "kernel") ? 0 : KSD_KERNEL_MODE);
	return o->handle;
}

static ksd_handle handle(struct line *l, const char *json, size_t json_len)
{
	if (*l->handle)
		return named(l, l->handle)->handle;
	for (size_t i = 0; i < open_count; i++) {
		struct open *o = &opened[i];
		if (!*o->name && o->file == l->file && !strcmp(o->object, l->object) && !strcmp(o->mode, l->mode))
			return o->handle;
	}
	return open_object(l, json, json_len);
}

/* about answers the lines that are no requests, and reports whether l is one. */
static int about(struct line *l, ksd_status *s, const char *json, size_t json_len)
{
	if (!strcmp(l->op, "open")) {
		*s = open_object(l, json, json_len) ? KSD_SUCCESS : KSD_UNSUCCESSFUL;
	} else if (!strcmp(l->op, "create_pin")) {
		ksd_handle parent = named(l, l->parent)->handle;
		*s = ksd_create_pin(parent, l->connect, (uint32_t)l->connect_len, NULL, 0, &add(l)->handle);
	} else if (!strcmp(l->op, "close")) {
		ksd_handle h = named(l, l->handle)->handle;
		*s = ksd_cancel(h, NULL) == KSD_INVALID_HANDLE ? KSD_INVALID_HANDLE : KSD_SUCCESS;
		ksd_close(h);
	} else {
		return 0;
	}
	return 1;
}

static void answer(struct line *l, const char *json, size_t json_len)
{
	uint32_t code = KSD_IOCTL_PROPERTY, returned = 0;
	ksd_status s;
	if (about(l, &s, json, json_len)) {
		printf("{\"i\":%.0f,\"status\":\"0x%08x\",\"win32\":%u}\n", l->i, (unsigned)s, (unsigned)ksd_win32(s));
		free(l->connect);
		return;
	}
	if (!strcmp(l->op, "method"))
		code = KSD_IOCTL_METHOD;
	else if (*l->op && strcmp(l->op, "property") != 0)
		fail(l->number, "an operation that replay does not know: ", l->op);
	size_t whole = 24 + l->extra_len, in_len = l->has_in ? (size_t)l->in : whole;
	uint8_t *in = calloc(in_len + whole, 1), *out = calloc((size_t)l->out + 1, 1);
	if (!in || !out)
		fail(l->number, "no memory", "");
	guid(l, in);
	uint32_t id = (uint32_t)l->id, flags = (uint32_t)l->flags;
	memcpy(in + 16, &id, 4);
	memcpy(in + 20, &flags, 4);
	if (l->extra_len)
		memcpy(in + 24, l->extra, l->extra_len);
	if (l->data_len)
		memcpy(out, l->data, l->data_len);
	s = ksd_ioctl(handle(l, json, json_len), code, in_len ? in : NULL, (uint32_t)in_len, l->out ? out : NULL,
	                         (uint32_t)l->out, &returned);
	printf("{\"i\":%.0f,\"status\":\"0x%08x\",\"name\":\"%s\",\"bytes_returned\":%u,\"win32\":%u,\"output\":\"", l->i, (unsigned)s,
	       ksd_status_name(s), (unsigned)returned, (unsigned)ksd_win32(s));
	for (size_t i = 0; i < l->out && l->out <= 65536; i++)
		printf("%02x", out[i]);
	printf("\"}\n");
	free(in);
	free(out);
	free(l->extra);
	free(l->data);
}

int main(int argc, char **argv)
{
	static char json[16 << 20], line[2 << 20];
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
	if (!f) {
		fprintf(stderr, "usage: replay MANIFEST.json < requests.jsonl\n");
		return 2;
	}
	size_t json_len = fread(json, 1, sizeof json, f);
	fclose(f);
	for (unsigned n = 1; fgets(line, sizeof line, stdin); n++) {
		struct line l = {.number = n, .file = 1};
		parse(&l, line);
		answer(&l, json, json_len);
	}
	for (size_t i = 0; i < open_count; i++)
		ksd_close(opened[i].handle);
	return 0;
}

//go:build cgo

#include "bridge.h"

#include <string.h>

#if defined(__ELF__)
/* As Go's runtime does, which is why the library is loaded when the program starts, or where room was left: one load instead of a
   call. */
#define THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define THREAD_LOCAL __thread
#endif

/* The handlers that run on this thread, the innermost first. */
struct frame {
	struct frame *outer;
	ksd_handle handle;
};

static THREAD_LOCAL struct frame *innermost;

ksd_status ksd__handle(uintptr_t handler, uintptr_t call)
{
	struct frame f = {innermost, ((ksd_call *)call)->handle};
	innermost = &f;
	ksd_status status = ((ksd_handler)handler)((ksd_call *)call);
	innermost = f.outer;
	return status;
}

ksd_status ksd__look(uintptr_t hook, ksd__seen s)
{
	ksd_seen seen = {sizeof seen,   s.code, (void *)s.context, (void *)s.file, s.handle, (const uint8_t *)s.request, (const uint8_t *)s.data,
	                 s.request_len, s.data_len, s.verb, s.status, s.information, {0}};
	memcpy(seen.rule, s.rule, sizeof seen.rule);
	if (!seen.request) {
		seen.request = s.identifier;
		seen.request_len = sizeof s.identifier;
	}
	struct frame f = {innermost, s.handle};
	innermost = &f;
	ksd_status status = ((ksd_hook)hook)(&seen);
	innermost = f.outer;
	return status;
}

int ksd__inside(ksd_handle handle)
{
	for (const struct frame *f = innermost; f; f = f->outer)
		if (f->handle == handle)
			return 1;
	return 0;
}

static THREAD_LOCAL int signalling;

void ksd__signal(ksd_signal signal, uintptr_t context, uint64_t client_handle)
{
	signalling = 1;
	signal((void *)context, client_handle);
	signalling = 0;
}

int ksd__signalling(void) { return signalling; }

void ksd__done(ksd_done done, uintptr_t context, ksd_status status, uint32_t returned) { done((void *)context, status, returned); }

void ksd__run(uintptr_t f, uintptr_t context) { ((void (*)(void *))f)((void *)context); }

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

#if defined(__ELF__)
void __lsan_ignore_object(const void *memory) __attribute__((weak));

void ksd__ignore(const void *memory)
{
	if (memory && __lsan_ignore_object)
		__lsan_ignore_object(memory);
}
#else
void ksd__ignore(const void *memory) { (void)memory; }
#endif

/* The handlers that run on this thread, the innermost first. */
struct frame {
	struct frame *outer;
	ksd_handle handle;
};

static THREAD_LOCAL struct frame *innermost;

/* Nothing is returned: for a result cgo asks twice where Go's stack is. And C stores in order what Go can only exchange. */
void ksd__handle(uintptr_t number)
{
	ksd__call *call = (ksd__call *)number;
	struct frame f = {innermost, call->handle};
	innermost = &f;
	__atomic_store_n(&call->running, call->token, __ATOMIC_RELEASE);
	call->status = ((ksd_handler)call->handler)((ksd_call *)call);
	if (call->status != KSD_PENDING)
		__atomic_store_n(&call->running, 0, __ATOMIC_RELEASE);
	innermost = f.outer;
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

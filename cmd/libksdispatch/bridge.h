#ifndef KSD_BRIDGE_H
#define KSD_BRIDGE_H

#define KSD_BUILD
#include "ksdispatch.h"

/* What Go cannot do itself: call through a pointer to a function. */

/* ksd__handle calls a ksd_handler with a ksd_call, and remembers on this thread that it runs for the call's handle. Both are C's, and
   numbers here, so that cgo does not look whether they are Go's. */
ksd_status ksd__handle(uintptr_t handler, uintptr_t call);

/* ksd__inside reports whether a handler for handle is among the callers on this thread. */
int ksd__inside(ksd_handle handle);

/* ksd__signal tells a client, and ksd__signalling whether a client is being told on this thread. */
int ksd__signalling(void);
void ksd__signal(ksd_signal signal, void *context, uint64_t client_handle);
void ksd__done(ksd_done done, void *context, ksd_status status, uint32_t returned);
void ksd__run(void (*f)(void *), void *context);

/* cgo writes the prototypes of exported functions with these names for their types, so that the compiler compares them with those
   of the header. */
typedef const void *ksd__in;
typedef const char *ksd__text;
typedef const uint8_t *ksd__guid;
typedef const ksd_set *ksd__sets;
typedef void (*ksd__function)(void *);

#endif
